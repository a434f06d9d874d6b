//! WAV files whose lengths are wrong: written to a pipe, where nobody could go back and fill them in, cut off, or damaged
//! before the sound. What is known for certain is how long the file is; a header that says so takes the place of its own.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// The sound begins before this, whatever comes before it.
const MOST_BEFORE: usize = 1 << 20;

/// Bytes of the longest format chunk that anybody writes: WAVEFORMATEXTENSIBLE has 40.
const LONGEST_FORMAT: usize = 1_024;

/// A head of a chunk: four letters, and a length.
const HEAD: usize = 8;

/// Where the sound is in a file.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    format: Vec<u8>,
    from: u64,
    length: u64,
    /// All that the file says of its lengths is so.
    is_true: bool,
}

/// The file itself, or as it should have been written. What is no WAV stays as it is.
pub(super) fn mended(mut source: Box<dyn MediaSource>) -> io::Result<Box<dyn MediaSource>> {
    let Some(size) = source.byte_len().filter(|_| source.is_seekable()) else { return Ok(source) };
    let mut head = Vec::new();
    source.by_ref().take(12).read_to_end(&mut head)?;
    if head.starts_with(b"RIFF") && head.ends_with(b"WAVE") {
        source.by_ref().take(MOST_BEFORE as u64).read_to_end(&mut head)?;
        if let Some(layout) = layout(&head, size).filter(|layout| !layout.is_true) {
            let header = header(&layout.format, layout.length);
            return Ok(Box::new(Mended { header, source, from: layout.from, length: layout.length, at: 0 }));
        }
    }
    source.seek(SeekFrom::Start(0))?;
    Ok(source)
}

/// Looks for format and sound: chunk by chunk, and where those lead nowhere, by their names.
fn layout(head: &[u8], size: u64) -> Option<Layout> {
    let riff = u64::from(length_at(head, 4)?) + HEAD as u64;
    let (mut at, mut format, mut is_true) = (12, None, riff <= size && riff > 12);
    loop {
        let (name, claimed) = (head.get(at..at + 4)?, length_at(head, at + 4)?);
        let body = at + HEAD;
        if name == b"data" {
            let left = size.saturating_sub(body as u64);
            let fits = claimed > 0 && u64::from(claimed) <= left;
            let length = if fits { u64::from(claimed) } else { left };
            return Some(Layout { format: format?, from: body as u64, length, is_true: is_true && fits });
        }
        let next = body + claimed as usize + claimed as usize % 2;
        if name == b"fmt " && claimed as usize <= LONGEST_FORMAT {
            format = head.get(body..body + claimed as usize).map(<[u8]>::to_vec);
        }
        // Its reader gives the whole file up where a list is damaged, which says nothing of the sound.
        is_true &= name != b"LIST" || head.get(body..next).is_none_or(is_whole_list);
        // A chunk that ends where there is nothing more is longer than itself.
        at = match head.get(next..next + HEAD) {
            Some(_) => next,
            None => {
                is_true = false;
                let wanted = if format.is_none() { b"fmt " } else { b"data" };
                body + head.get(body..)?.windows(4).position(|window| window == wanted)?
            }
        };
    }
}

/// Whether what is in a list ends with it: four letters, and chunks.
fn is_whole_list(list: &[u8]) -> bool {
    let mut at = 4;
    while at < list.len() {
        let Some(length) = length_at(list, at + 4) else { return false };
        at += HEAD + length as usize + length as usize % 2;
    }
    at == list.len()
}

fn length_at(head: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?))
}

fn header(format: &[u8], length: u64) -> Vec<u8> {
    // More than four gigabytes cannot be said: the rest is not heard.
    let short = |length: u64| u32::try_from(length).unwrap_or(u32::MAX - 1_024).to_le_bytes();
    let all = (4 + HEAD + format.len() + HEAD) as u64 + length;
    let mut header = [b"RIFF", &short(all)[..], b"WAVEfmt ", &short(format.len() as u64)].concat();
    header.extend_from_slice(format);
    header.extend_from_slice(b"data");
    header.extend_from_slice(&short(length));
    header
}

/// A header of ours, and behind it the sound of a file.
struct Mended {
    header: Vec<u8>,
    source: Box<dyn MediaSource>,
    from: u64,
    length: u64,
    at: u64,
}

impl Mended {
    fn size(&self) -> u64 {
        self.header.len() as u64 + self.length
    }
}

impl Read for Mended {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = self.header.len() as u64;
        let read = if self.at < head {
            (&self.header[self.at as usize..]).read(buffer)?
        } else {
            let left = usize::try_from(self.size().saturating_sub(self.at)).unwrap_or(usize::MAX);
            let length = buffer.len().min(left);
            self.source.seek(SeekFrom::Start(self.from + self.at - head))?;
            self.source.read(&mut buffer[..length])?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Mended {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for Mended {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.size())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Of one channel, 16 bits, at 8 kHz.
    const FORMAT: &[u8] = b"\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0";

    fn file(riff: u32, before: &[u8], claimed: u32, sound: &[u8]) -> Vec<u8> {
        let format = [b"fmt ", &16_u32.to_le_bytes()[..], FORMAT].concat();
        [b"RIFF", &riff.to_le_bytes()[..], b"WAVE", before, &format, b"data", &claimed.to_le_bytes(), sound].concat()
    }

    fn read(file: Vec<u8>) -> Vec<u8> {
        let mut all = Vec::new();
        mended(Box::new(Cursor::new(file))).expect("read").read_to_end(&mut all).expect("read");
        all
    }

    #[test]
    fn a_file_that_says_the_truth_stays_as_it_is() {
        let sound = [7; 1_000];
        for before in [&b""[..], b"LIST\x04\0\0\0INFO"] {
            let file = file(36 + before.len() as u32 + 1_000, before, 1_000, &sound);
            assert_eq!(read(file.clone()), file);
        }
        for other in [b"RIFF____AVI LIST".to_vec(), b"OggS".to_vec(), vec![], b"RIFF".to_vec()] {
            assert_eq!(read(other.clone()), other);
        }
    }

    #[test]
    fn lengths_that_nobody_filled_in_are_those_of_the_file() {
        let sound = [7; 1_000];
        let expected = file(36 + 1_000, b"", 1_000, &sound);
        for (riff, claimed) in
            [(0, 0), (36, 0), (1_036, 0), (u32::MAX, u32::MAX), (0x7fff_f024, 0x7fff_f000), (0, 1_000), (5_036, 5_000)]
        {
            assert_eq!(read(file(riff, b"", claimed, &sound)), expected, "{riff} {claimed}");
        }
    }

    #[test]
    fn a_chunk_that_is_longer_than_itself_is_passed_over() {
        let sound = [7; 1_000];
        let expected = file(36 + 1_000, b"", 1_000, &sound);
        let within = b"LIST\x0c\0\0\0INFOICMT\xe7\x03\0\0";
        for before in [&b"LIST\xff\xff\xff\x7fINFO"[..], b"LIST\x10\x27\0\0INFOISFT", b"junk\xff\xff\xff\xff", within] {
            assert_eq!(read(file(2_000, before, 1_000, &sound)), expected);
        }
    }

    #[test]
    fn a_file_without_sound_or_format_is_left_to_be_refused() {
        for broken in [file(36, b"", 0, b"")[..36].to_vec(), b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd".to_vec()] {
            assert_eq!(read(broken.clone()), broken);
        }
    }

    #[test]
    fn what_is_mended_can_be_read_from_anywhere() {
        let sound: Vec<u8> = (0..=255).cycle().take(5_000).collect();
        let expected = file(36 + 5_000, b"", 5_000, &sound);
        let mut source = mended(Box::new(Cursor::new(file(0, b"", 0, &sound)))).expect("read");
        assert_eq!(source.byte_len(), Some(expected.len() as u64));
        for at in [4_000, 10, 43, 44, 5_043, 5_044] {
            source.seek(SeekFrom::Start(at)).expect("within");
            let mut rest = Vec::new();
            source.read_to_end(&mut rest).expect("read");
            assert_eq!(rest, expected[at as usize..], "{at}");
        }
    }
}
