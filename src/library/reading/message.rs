//! What a child says to the daemon: a letter, a number, a length, and so many bytes. None of it is believed: whoever
//! made the file may speak for the child.

use std::io::{self, Read, Write};

use super::super::decoding::RATES;
use super::super::facts::{FileDescription, MAX_COVER, NoAudio};

/// Samples of the longest packet that is passed on.
const MOST_SAMPLES: usize = 1 << 19;

/// Bytes of a message.
const MOST_BYTES: usize = if MAX_COVER > 4 * MOST_SAMPLES { MAX_COVER } else { 4 * MOST_SAMPLES };

/// Letter, number and length.
const HEAD: usize = 9;

/// What is said.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// What a file says of itself.
    Described(FileDescription),
    /// Its picture; nothing where there is none.
    Picture(Vec<u8>),
    /// It can be played, and is so long, if it says so.
    Begins(Option<f64>),
    /// Samples of one channel, at this rate.
    Samples(u32, Vec<f32>),
    /// All was said.
    Ends,
    /// It is none that can be read, and why.
    Fails(Fault),
}

/// [`NoAudio`], on its way.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    number: u32,
    text: String,
}

impl From<&NoAudio> for Fault {
    fn from(error: &NoAudio) -> Self {
        let (number, text) = match error {
            NoAudio::NoTrack => (0, String::new()),
            NoAudio::Damaged(text) => (1, text.clone()),
            NoAudio::Unreadable(error) => (2, error.to_string()),
        };
        Self { number, text }
    }
}

impl From<Fault> for NoAudio {
    fn from(Fault { number, text }: Fault) -> Self {
        // It is logged and shown: a line of text, and no more.
        let text: String = text.chars().filter(|it| !it.is_control()).take(200).collect();
        match number {
            0 => Self::NoTrack,
            2 => Self::Unreadable(io::Error::other(text)),
            _ => Self::Damaged(text),
        }
    }
}

impl Message {
    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let (letter, number, bytes) = match self {
            Self::Described(description) => (b'D', 0, serde_json::to_vec(description)?),
            Self::Picture(bytes) => (b'P', 0, bytes.clone()),
            Self::Begins(seconds) => (b'B', 0, seconds.map_or(Vec::new(), |seconds| seconds.to_le_bytes().into())),
            Self::Samples(rate, samples) => (b'S', *rate, samples.iter().flat_map(|it| it.to_le_bytes()).collect()),
            Self::Ends => (b'E', 0, Vec::new()),
            Self::Fails(fault) => (b'F', fault.number, fault.text.clone().into_bytes()),
        };
        let mut message = vec![letter];
        message.extend(number.to_le_bytes());
        message.extend((bytes.len() as u32).to_le_bytes());
        message.extend(bytes);
        output.write_all(&message)
    }

    /// Reads one. What is none is an error as well.
    pub(super) fn read(input: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; HEAD];
        input.read_exact(&mut head)?;
        let [letter, number @ .., a, b, c, d] = head;
        let (number, length) = (u32::from_le_bytes(number), u32::from_le_bytes([a, b, c, d]) as usize);
        let nonsense = || io::Error::from(io::ErrorKind::InvalidData);
        if length > MOST_BYTES {
            return Err(nonsense());
        }
        let mut bytes = vec![0; length];
        input.read_exact(&mut bytes)?;
        match letter {
            b'D' => Ok(Self::Described(serde_json::from_slice(&bytes)?)),
            b'P' => Ok(Self::Picture(bytes)),
            b'B' => {
                let seconds = bytes.try_into().ok().map(f64::from_le_bytes);
                Ok(Self::Begins(seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0)))
            }
            b'S' if RATES.contains(&number) => {
                let samples =
                    bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
                Ok(Self::Samples(number, samples.map(|it| if it.is_finite() { it } else { 0.0 }).collect()))
            }
            b'E' => Ok(Self::Ends),
            b'F' => Ok(Self::Fails(Fault { number, text: String::from_utf8_lossy(&bytes).into_owned() })),
            _ => Err(nonsense()),
        }
    }

    /// An error if that is what it says.
    pub(super) fn checked(self) -> Result<Self, NoAudio> {
        match self {
            Self::Fails(fault) => Err(fault.into()),
            message => Ok(message),
        }
    }

    /// It answers another question.
    pub(super) fn unexpected(self) -> NoAudio {
        NoAudio::Damaged("its reader is confused by it".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let description = FileDescription { seconds: Some(1.5), title: Some("A".into()), cover: true };
        for message in [
            Message::Described(description),
            Message::Picture(vec![1, 2, 3]),
            Message::Begins(None),
            Message::Begins(Some(2.5)),
            Message::Samples(48_000, vec![0.5, -1.0]),
            Message::Ends,
            Message::Fails(Fault::from(&NoAudio::Damaged("bent".into()))),
        ] {
            let mut bytes = Vec::new();
            message.write(&mut bytes).expect("written");
            assert_eq!(Message::read(&mut &bytes[..]).expect("read"), message);
        }
    }

    #[test]
    fn nothing_that_a_child_says_is_believed() {
        let said = |letter: u8, number: u32, length: u32, bytes: &[u8]| {
            let head = [&[letter][..], &number.to_le_bytes(), &length.to_le_bytes(), bytes].concat();
            Message::read(&mut &head[..])
        };
        assert!(said(b'P', 0, u32::MAX, b"").is_err(), "more than anybody would keep");
        assert!(said(b'S', 1, 4, &[0; 4]).is_err(), "a rate at which nobody records");
        assert!(said(b'D', 0, 2, b"{]").is_err() && said(b'X', 0, 0, b"").is_err());
        assert_eq!(said(b'B', 0, 8, &f64::NAN.to_le_bytes()).expect("read"), Message::Begins(None));
        let samples = said(b'S', 48_000, 4, &f32::INFINITY.to_le_bytes()).expect("read");
        assert_eq!(samples, Message::Samples(48_000, vec![0.0]));
        let fault = said(b'F', 1, 5, b"a\n\x1bbc").expect("read").checked().expect_err("a fault");
        assert!(fault.to_string().ends_with(": abc"), "{fault}");
    }
}
