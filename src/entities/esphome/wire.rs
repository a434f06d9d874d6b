//! How messages go over a connection: as they are, where Home Assistant is on the same machine, or encrypted with a key that
//! both ends have (`Noise_NNpsk0_25519_ChaChaPoly_SHA256`, as ESPHome speaks it).
//!
//! An encrypted connection is made of packets: a one, two bytes of length, and so many bytes. The first two of either end agree on
//! what the others are encrypted with; who has another key does not get so far. No socket, no clock: bytes in, bytes out.

use std::borrow::Cow;

use snow::{Builder, HandshakeState, TransportState};

use super::frame::{self, Frame, FrameError};
use super::key::NodeKey;

const PATTERN: &str = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";
const PROLOGUE: &[u8] = b"NoiseAPIInit";

/// What a packet begins with, and what a message does that is not encrypted.
const PACKET: u8 = 1;
const PLAIN: u8 = 0;

/// Bytes of the length and the one before it.
const HEAD: usize = 3;

/// Of a client's hello: it is empty, so far.
const MAX_HELLO: usize = 64;

/// The only way to encrypt that there is, by its number.
const NOISE: u8 = 1;

/// What a handshake's packet begins with: it goes on, or it is over, and why.
const GOES_ON: u8 = 0;
const REJECTED: u8 = 1;

/// Bytes by which what is encrypted is longer, and those of a message's type and length.
const TAG: usize = 16;
const MESSAGE_HEAD: usize = 4;

/// As ESPHome says it, by which Home Assistant knows that the key is another one.
const WRONG_KEY: &str = "Handshake MAC failure";

/// And that there is to be one.
const NOT_ENCRYPTED: &str = "Bad indicator byte";

/// How messages go over one connection.
pub(super) enum Wire {
    /// As they are.
    Plain,
    /// Encrypted.
    Secured(Box<Secured>),
}

/// How far an encrypted connection is.
pub(super) struct Secured {
    key: NodeKey,
    /// How the node is called, and its address, which no card has.
    name: String,
    mac: String,
    state: State,
}

enum State {
    /// Nobody has said anything.
    New,
    /// The client has said hello.
    Handshake(Box<HandshakeState>),
    /// Both ends have shown that they have the key.
    Open(Box<TransportState>),
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<'a> {
    /// A message.
    Message(Frame<'a>),
    /// These bytes are the answer, and no message has come.
    Answer(Vec<u8>),
}

/// The connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    /// What comes is no message.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Home Assistant has no key, or another one; to be told before the end.
    #[error("Home Assistant has not the key of this node ({why}); it is on the page Home Assistant")]
    Rejected {
        /// What it did.
        why: &'static str,
        /// What it is told.
        answer: Vec<u8>,
    },
    /// It cannot be decrypted, or what we say not be encrypted.
    #[error("what is encrypted cannot be read: {0}")]
    Broken(String),
}

impl WireError {
    fn rejected(why: &'static str) -> Self {
        Self::Rejected { why, answer: packet(&[&[REJECTED], why.as_bytes()].concat()) }
    }
}

impl From<snow::Error> for WireError {
    fn from(error: snow::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Wire {
    /// One on which whoever has this key is heard; the node is called so, and has this address.
    pub(super) fn secured(key: NodeKey, name: &str, mac: &str) -> Self {
        let mac = mac.replace(':', "").to_lowercase();
        Self::Secured(Box::new(Secured { key, name: name.to_owned(), mac, state: State::New }))
    }

    /// Whether whoever is there has shown that they may be.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Secured(secured) => matches!(secured.state, State::Open(_)),
        }
    }

    /// The first of what came, and how many bytes it takes; `None` while it is not whole.
    ///
    /// # Errors
    /// When the connection is over.
    pub(super) fn take<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<(Taken<'a>, usize)>, WireError> {
        match self {
            Self::Plain => Ok(frame::read(bytes)?.map(|(frame, taken)| (Taken::Message(frame), taken))),
            Self::Secured(secured) => secured.take(bytes),
        }
    }

    /// Messages as they go out.
    ///
    /// # Errors
    /// When one is too long to be encrypted, or nobody has shown the key yet.
    pub(super) fn seal<'a>(&mut self, frames: &'a [u8]) -> Result<Cow<'a, [u8]>, WireError> {
        let Self::Secured(secured) = self else { return Ok(frames.into()) };
        let State::Open(noise) = &mut secured.state else { return Err(WireError::Broken("it is not open".into())) };
        let (mut unsealed, mut sealed) = (frames, Vec::new());
        while let Some((frame, taken)) = frame::read(unsealed)? {
            sealed.extend(seal(noise, &frame)?);
            unsealed = &unsealed[taken..];
        }
        Ok(sealed.into())
    }
}

impl Secured {
    fn take<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<(Taken<'a>, usize)>, WireError> {
        match bytes.first() {
            None => return Ok(None),
            Some(&PACKET) => {}
            Some(&PLAIN) => return Err(WireError::rejected(NOT_ENCRYPTED)),
            Some(_) => return Err(FrameError::NotOurs.into()),
        }
        let Some(&[high, low]) = bytes.get(1..HEAD) else { return Ok(None) };
        let taken = HEAD + usize::from(u16::from_be_bytes([high, low]));
        let Some(payload) = bytes.get(HEAD..taken) else { return Ok(None) };
        let (state, came) = match std::mem::replace(&mut self.state, State::New) {
            State::New => self.hello(payload)?,
            State::Handshake(noise) => handshake(*noise, payload)?,
            State::Open(mut noise) => {
                let message = open(&mut noise, payload)?;
                (State::Open(noise), Taken::Message(message))
            }
        };
        self.state = state;
        Ok(Some((came, taken)))
    }

    fn hello<'a>(&self, hello: &[u8]) -> Result<(State, Taken<'a>), WireError> {
        if hello.len() > MAX_HELLO {
            return Err(FrameError::TooLong.into());
        }
        let prologue = [PROLOGUE, &(hello.len() as u16).to_be_bytes(), hello].concat();
        let pattern = PATTERN.parse().map_err(WireError::from)?;
        let noise = Builder::new(pattern).prologue(&prologue)?.psk(0, self.key.bytes())?.build_responder()?;
        let answer = [&[NOISE], self.name.as_bytes(), &[0], self.mac.as_bytes(), &[0]].concat();
        Ok((State::Handshake(Box::new(noise)), Taken::Answer(packet(&answer))))
    }
}

fn handshake<'a>(mut noise: HandshakeState, payload: &[u8]) -> Result<(State, Taken<'a>), WireError> {
    let mut answer = vec![0; HEAD + payload.len() + TAG * 4];
    match payload.split_first() {
        Some((&GOES_ON, hand)) if noise.read_message(hand, &mut answer).is_ok() => {}
        _ => return Err(WireError::rejected(WRONG_KEY)),
    }
    let length = noise.write_message(&[], &mut answer)?;
    let answer = packet(&[&[GOES_ON], &answer[..length]].concat());
    Ok((State::Open(Box::new(noise.into_transport_mode()?)), Taken::Answer(answer)))
}

/// The message in a packet.
fn open<'a>(noise: &mut TransportState, payload: &[u8]) -> Result<Frame<'a>, WireError> {
    let mut message = vec![0; payload.len()];
    let length = noise.read_message(payload, &mut message)?;
    message.truncate(length);
    let Some((&[high, low, long, short], rest)) = message.split_first_chunk::<MESSAGE_HEAD>() else {
        return Err(FrameError::NotOurs.into());
    };
    let body = rest.get(..usize::from(u16::from_be_bytes([long, short]))).ok_or(FrameError::NotOurs)?;
    Ok(Frame { kind: u16::from_be_bytes([high, low]).into(), body: Cow::Owned(body.to_vec()) })
}

/// The packet of a message.
fn seal(noise: &mut TransportState, frame: &Frame<'_>) -> Result<Vec<u8>, WireError> {
    let too_long = |_| FrameError::TooLong;
    let length = u16::try_from(frame.body.len()).map_err(too_long)?;
    let sealed = usize::from(length) + MESSAGE_HEAD + TAG;
    u16::try_from(sealed).map_err(too_long)?;
    let kind = u16::try_from(frame.kind).map_err(too_long)?;
    let message = [&kind.to_be_bytes()[..], &length.to_be_bytes(), &frame.body].concat();
    let mut payload = vec![0; sealed];
    noise.write_message(&message, &mut payload)?;
    Ok(packet(&payload))
}

/// A packet of these bytes, of which there are never more than its length can say.
fn packet(payload: &[u8]) -> Vec<u8> {
    [&[PACKET][..], &(payload.len() as u16).to_be_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The other end.
    struct Client(TransportState);

    fn key() -> NodeKey {
        NodeKey::make().expect("randomness")
    }

    fn builder(key: &NodeKey) -> HandshakeState {
        let builder = Builder::new(PATTERN.parse().expect("a pattern"));
        let builder = builder.prologue(b"NoiseAPIInit\0\0").expect("once").psk(0, key.bytes()).expect("once");
        builder.build_initiator().expect("whole")
    }

    /// What a client sends first, both packets at once.
    fn greeting(noise: &mut HandshakeState) -> Vec<u8> {
        let mut hand = [0; 128];
        let length = noise.write_message(&[], &mut hand).expect("written");
        [packet(&[]), packet(&[&[GOES_ON], &hand[..length]].concat())].concat()
    }

    fn payload(bytes: &[u8]) -> &[u8] {
        assert_eq!((bytes[0], usize::from(bytes[1]) << 8 | usize::from(bytes[2])), (PACKET, bytes.len() - HEAD));
        &bytes[HEAD..]
    }

    fn answer(taken: Option<(Taken<'_>, usize)>) -> (Vec<u8>, usize) {
        match taken {
            Some((Taken::Answer(answer), taken)) => (answer, taken),
            other => panic!("no answer: {other:?}"),
        }
    }

    /// Both ends of a connection that is open.
    fn opened(key: &NodeKey) -> (Wire, Client) {
        let (mut wire, mut noise) = (Wire::secured(key.clone(), "voice-relay", "02:56:AB:CD:EF:01"), builder(key));
        let came = greeting(&mut noise);
        let (hello, taken) = answer(wire.take(&came).expect("a greeting"));
        assert_eq!(payload(&hello), b"\x01voice-relay\x000256abcdef01\0");
        assert!(!wire.is_open());
        let (hand, _) = answer(wire.take(&came[taken..]).expect("a hand"));
        assert_eq!(payload(&hand)[0], GOES_ON);
        noise.read_message(&payload(&hand)[1..], &mut [0; 128]).expect("the key");
        assert!(wire.is_open());
        (wire, Client(noise.into_transport_mode().expect("open")))
    }

    #[test]
    fn whoever_has_the_key_is_heard_and_answered() {
        let (mut wire, Client(mut client)) = opened(&key());
        let sent = seal(&mut client, &Frame { kind: 61, body: b"press"[..].into() }).expect("sealed");
        for short in 0..sent.len() {
            assert_eq!(wire.take(&sent[..short]), Ok(None), "not whole");
        }
        let message = Taken::Message(Frame { kind: 61, body: b"press"[..].into() });
        assert_eq!(wire.take(&sent), Ok(Some((message, sent.len()))));
        let frames = [frame::written(8, &()), frame::written(2, &String::from("hello"))].concat();
        let sealed = wire.seal(&frames).expect("sealed").into_owned();
        let (first, second) = sealed.split_at(HEAD + MESSAGE_HEAD + TAG);
        for (sent, kind, body) in [(first, 8, &b""[..]), (second, 2, b"\x0a\x05hello")] {
            let read = open(&mut client, payload(sent)).expect("ours");
            assert_eq!(read, Frame { kind, body: body.into() });
        }
    }

    #[test]
    fn whoever_has_another_key_or_none_is_told_so_and_gets_no_further() {
        let mut wire = Wire::secured(key(), "voice-relay", "02");
        let came = greeting(&mut builder(&key()));
        let (_, taken) = answer(wire.take(&came).expect("a greeting"));
        let rejected = |error: Result<Option<(Taken<'_>, usize)>, WireError>| match error {
            Err(WireError::Rejected { answer, .. }) => String::from_utf8_lossy(payload(&answer)).into_owned(),
            other => panic!("not rejected: {other:?}"),
        };
        assert_eq!(rejected(wire.take(&came[taken..])), "\u{1}Handshake MAC failure");
        assert!(!wire.is_open() && wire.seal(&frame::written(8, &())).is_err());
        let mut wire = Wire::secured(key(), "voice-relay", "02");
        assert_eq!(rejected(wire.take(&frame::written(1, &()))), "\u{1}Bad indicator byte");
    }

    #[test]
    fn what_is_changed_on_the_way_or_said_twice_ends_the_connection() {
        let key = key();
        let frame = Frame { kind: 7, body: b""[..].into() };
        let (mut wire, Client(mut client)) = opened(&key);
        let mut changed = seal(&mut client, &frame).expect("sealed");
        *changed.last_mut().expect("bytes") ^= 1;
        assert!(matches!(wire.take(&changed), Err(WireError::Broken(_))));
        let (mut wire, Client(mut client)) = opened(&key);
        let once = seal(&mut client, &frame).expect("sealed");
        assert!(wire.take(&once).is_ok());
        assert!(matches!(wire.take(&once), Err(WireError::Broken(_))), "of a recording");
    }
}
