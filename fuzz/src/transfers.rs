//! One client's transfer, whatever the client says, and whatever becomes of the files.

use arbitrary::{Result, Unstructured};
use voice_relay::library::{FileFacts, FileId, FileKind};
use voice_relay::transfer::{Effect, Transfer, TransferError};

/// More of what can be done now than this, without anything having happened, would never end.
const MOST_ACTS: usize = 100_000;

/// Chunks of the largest file.
const MOST_CHUNKS: u64 = 40;

/// What clients say, besides noise.
const TEXTS: [&str; 14] = [
    r#"{"type":"play"}"#,
    r#"{"type":"play","file":"0000000000000001","fromChunk":3}"#,
    r#"{"type":"play","file":"0000000000000002","fromChunk":39,"sha256":"a"}"#,
    r#"{"type":"resume"}"#,
    r#"{"type":"resume","fromChunk":18446744073709551615}"#,
    r#"{"type":"resume","file":"0000000000000001","fromChunk":2,"version":"1"}"#,
    r#"{"type":"seek","chunk":0}"#,
    r#"{"type":"seek","chunk":7}"#,
    r#"{"type":"pause"}"#,
    r#"{"type":"stop"}"#,
    r#"{"type":"playlist","files":["0000000000000001","0000000000000002"],"shuffle":true,"repeat":"all"}"#,
    r#"{"type":"playlist","files":["0000000000000002"],"repeat":"one"}"#,
    r#"{"type":"next"}"#,
    r#"{"type":"previous"}"#,
];

/// Nothing is sent that is not in the file, and nothing without having said before what it is of.
pub fn transfers(data: &[u8]) {
    let mut script = Unstructured::new(data);
    let longest = script.int_in_range(4_096..=262_144).unwrap_or(65_536);
    let mut stage = Stage { transfer: Transfer::new(longest, data.len() as u64), open: None, told: false };
    while !script.is_empty() && stage.act(&mut script).is_ok() {}
}

struct Stage {
    transfer: Transfer,
    /// The file that is open, and its chunks.
    open: Option<(FileId, u64)>,
    /// Whether the client knows of it.
    told: bool,
}

impl Stage {
    fn act(&mut self, script: &mut Unstructured<'_>) -> Result<()> {
        match script.int_in_range(0..=5)? {
            0 => self.transfer.begin(),
            1 => drop(self.transfer.said(script.choose(&TEXTS)?)),
            2 => {
                let length = script.int_in_range(0..=255)?;
                let noise = script.bytes(length.min(script.len()))?;
                self.transfer.said(&String::from_utf8_lossy(noise));
            }
            3 => {
                let trouble = [TransferError::Changed, TransferError::Gone, TransferError::Unreadable("disk".into())];
                self.transfer.failed(FileId(script.int_in_range(0..=2)?), script.choose(&trouble)?);
            }
            4 => self.work(script.int_in_range(1..=8)?, script)?,
            _ => self.work(MOST_ACTS, script)?,
        }
        Ok(())
    }

    /// Does what the transfer asks for, up to so many things.
    fn work(&mut self, most: usize, script: &mut Unstructured<'_>) -> Result<()> {
        for done in 0..most {
            let Some(act) = self.transfer.poll() else { return Ok(()) };
            assert!(done + 1 < MOST_ACTS, "it never ends");
            match act {
                Effect::Say(text) => self.told |= text.contains(r#""type":"metadata""#),
                Effect::Open(file) => self.open(file.unwrap_or(FileId(0)), script)?,
                Effect::Send(chunk) => {
                    let (_, chunks) = self.open.expect("an open file");
                    assert!(self.told && chunk < chunks, "chunk {chunk} of {chunks}");
                }
                Effect::Hash => {
                    // Where the script has ended, so has the trouble.
                    let changed = script.arbitrary::<u8>().is_ok_and(|chance| chance == 1);
                    self.transfer.hashed((!changed).then(|| "a".into()));
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, id: FileId, script: &mut Unstructured<'_>) -> Result<()> {
        if script.ratio(1_u8, 8)? {
            self.transfer.opened(Err(TransferError::NoFile));
            return Ok(());
        }
        let chunk = self.transfer.chunk_bytes() as u64;
        let size = script.int_in_range(0..=MOST_CHUNKS * chunk)?;
        (self.open, self.told) = (Some((id, size.div_ceil(chunk))), false);
        let sha256 = script.arbitrary::<bool>()?.then(|| "a".into());
        self.transfer.opened(Ok(FileFacts {
            id,
            name: "file".into(),
            kind: FileKind::Wav,
            mime: FileKind::Wav.mime(),
            size,
            modified: 0,
            seconds: None,
            bitrate: None,
            title: None,
            cover: false,
            version: "1".into(),
            sha256,
        }));
        Ok(())
    }
}
