//! Frames of ESPHome's native API without encryption: a zero, the length and the type of a message as variable-length
//! integers, and the message.

use std::borrow::Cow;

use prost::Message;

/// Bytes of a message that are read; Home Assistant's commands have a few hundred.
const MAX_BODY: usize = 64 * 1_024;

/// Bytes of a number of 32 bits, seven in each.
const MAX_VARINT: usize = 5;

/// What an encrypted connection begins with.
const ENCRYPTED: u8 = 1;

/// One message and its type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// Its type.
    pub(super) kind: u32,
    /// As it is on the wire.
    pub(super) body: Cow<'a, [u8]>,
}

/// What comes is no such frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    /// It is encrypted, and this node has no key.
    #[error("Home Assistant has a key for it, and it has none: add it again without one")]
    Encrypted,
    /// It is something else.
    #[error("it is not ESPHome's protocol")]
    NotOurs,
    /// It is longer than any command.
    #[error("a message is too long")]
    TooLong,
}

/// The first frame of these bytes, and how many it takes; `None` while it is not whole.
///
/// # Errors
/// When it is none.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    match bytes.first() {
        None => return Ok(None),
        Some(0) => {}
        Some(&ENCRYPTED) => return Err(FrameError::Encrypted),
        Some(_) => return Err(FrameError::NotOurs),
    }
    let Some((length, rest)) = varint(&bytes[1..])? else { return Ok(None) };
    if length as usize > MAX_BODY {
        return Err(FrameError::TooLong);
    }
    let Some((kind, rest)) = varint(rest)? else { return Ok(None) };
    let Some(body) = rest.get(..length as usize) else { return Ok(None) };
    let taken = bytes.len() - rest.len() + body.len();
    Ok(Some((Frame { kind, body: body.into() }, taken)))
}

/// A number, and what follows it; `None` while it is not whole.
fn varint(bytes: &[u8]) -> Result<Option<(u32, &[u8])>, FrameError> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(MAX_VARINT).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let value = value.try_into().map_err(|_| FrameError::NotOurs)?;
            return Ok(Some((value, &bytes[index + 1..])));
        }
    }
    if bytes.len() < MAX_VARINT { Ok(None) } else { Err(FrameError::NotOurs) }
}

/// A message of this type, as it goes out.
pub(super) fn written(kind: u32, message: &impl Message) -> Vec<u8> {
    let mut frame = vec![0];
    prost::encoding::encode_varint(message.encoded_len() as u64, &mut frame);
    prost::encoding::encode_varint(kind.into(), &mut frame);
    // A vector has room for all of it.
    message.encode_raw(&mut frame);
    frame
}

#[cfg(test)]
mod tests {
    use super::super::messages::Press;
    use super::*;

    #[test]
    fn a_frame_that_is_written_is_read_again_however_it_is_cut() {
        let press = Press { key: 7, device: 300_000 };
        let frame = written(62, &press);
        for cut in 0..frame.len() {
            assert_eq!(read(&frame[..cut]), Ok(None), "{cut}");
        }
        let two = [&frame[..], &frame[..]].concat();
        let (read, taken) = read(&two).expect("one").expect("whole");
        assert_eq!((read.kind, taken), (62, frame.len()));
        assert_eq!(Press::decode(&*read.body), Ok(press));
    }

    #[test]
    fn what_is_no_frame_is_an_error_and_takes_no_memory() {
        assert_eq!(read(b"\x01\x00\x00"), Err(FrameError::Encrypted));
        assert_eq!(read(b"GET / HTTP/1.1"), Err(FrameError::NotOurs));
        assert_eq!(read(b"\x00\xff\xff\xff\xff\x0f\x01"), Err(FrameError::TooLong));
        assert_eq!(read(b"\x00\xff\xff\xff\xff\xff\xff\x01"), Err(FrameError::NotOurs));
        assert_eq!(read(b"\x00\x00\xff\xff\xff\xff\x7f"), Err(FrameError::NotOurs));
    }
}
