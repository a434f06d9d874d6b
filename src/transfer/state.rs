//! One client's transfer: what to say, and which chunk to send next. Knows neither files nor sockets: its
//! [`FileServer`](super::FileServer) does what it asks for, and tells it what clients say.

use std::collections::VecDeque;

use crate::library::{FileFacts, FileId};

use super::messages::{self, Choice, ClientRequest, TransferError};
use super::playlist::FilePlaylist;

/// Bytes of a chunk, where the client takes messages of that length.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Things to say that may wait for a client that is slow to read; what it says meanwhile is dropped.
const MAX_WAITING: usize = 32;

/// What a transfer asks to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// This is to be said to the client.
    Say(String),
    /// This file is to be opened, or the one for those who name none; then [`Transfer::opened`] is called.
    Open(Option<FileId>),
    /// This chunk of the open file is to be sent.
    Send(u64),
    /// The hash of the open file is wanted; then [`Transfer::hashed`] is called.
    Hash,
}

/// Where a transfer is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TransferState {
    /// Nothing was said yet.
    Fresh,
    /// A file is to be opened.
    Wanted(Choice),
    /// It is being opened.
    Opening(Choice),
    /// Chunks from this one on are to be sent.
    Sending(u64),
    /// So they were, until the client wanted a pause.
    Paused(u64),
    /// It is open, but only its hash can tell whether it is the one that the client knows.
    Unproven(Choice),
    /// That hash is being computed.
    Proving(Choice),
    /// All chunks are sent, and the hash is being computed.
    Hashing,
    /// There is nothing to do until the client says something.
    Idle,
}

/// One client's transfer.
#[derive(Debug)]
pub struct Transfer {
    chunk: usize,
    state: TransferState,
    /// The open file, or the last that was.
    file: Option<FileFacts>,
    /// Whether the client was told what it is.
    told: bool,
    playlist: FilePlaylist,
    waiting: VecDeque<String>,
}

impl Transfer {
    /// For a client that takes messages of `longest` bytes; `seed` is what lists are shuffled by.
    pub fn new(longest: usize, seed: u64) -> Self {
        Self {
            chunk: CHUNK_BYTES.min(longest),
            state: TransferState::Fresh,
            file: None,
            told: false,
            playlist: FilePlaylist::new(seed),
            waiting: VecDeque::new(),
        }
    }

    /// Bytes of each of its chunks but the last.
    pub fn chunk_bytes(&self) -> usize {
        self.chunk
    }

    /// The client has said nothing for a while: it knows the basic protocol only.
    pub fn begin(&mut self) {
        if self.state == TransferState::Fresh {
            self.state = TransferState::Wanted(Choice::default());
        }
    }

    /// What to do now; `None`: nothing, until the client says something.
    pub fn poll(&mut self) -> Option<Effect> {
        if let Some(text) = self.waiting.pop_front() {
            return Some(Effect::Say(text));
        }
        match self.state.clone() {
            TransferState::Wanted(choice) => {
                let file = choice.file;
                self.state = TransferState::Opening(choice);
                Some(Effect::Open(file))
            }
            TransferState::Sending(next) if next < self.chunks() => {
                self.state = TransferState::Sending(next + 1);
                Some(Effect::Send(next))
            }
            TransferState::Sending(_) => {
                self.state = TransferState::Hashing;
                Some(Effect::Hash)
            }
            TransferState::Unproven(choice) => {
                self.state = TransferState::Proving(choice);
                Some(Effect::Hash)
            }
            _ => None,
        }
    }

    /// Takes what the client says. False: it talks faster than it reads, and this is dropped.
    pub fn said(&mut self, text: &str) -> bool {
        if self.waiting.len() >= MAX_WAITING {
            return false;
        }
        match serde_json::from_str(text) {
            Ok(request) => self.grant(request),
            Err(error) => self.say_error(&TransferError::BadMessage(error.to_string())),
        }
        true
    }

    /// The file that was asked for is open, or cannot be opened. False: the client has thought better of it since, and
    /// the one that was open before still is.
    pub fn opened(&mut self, result: Result<FileFacts, TransferError>) -> bool {
        let TransferState::Opening(choice) = self.state.clone() else { return false };
        let facts = match result {
            Ok(facts) => facts,
            Err(error) => {
                self.state = TransferState::Idle;
                self.say_error(&error);
                return false;
            }
        };
        let unproven = choice.needs_hash(&facts);
        (self.file, self.told) = (Some(facts), false);
        match unproven {
            true => self.state = TransferState::Unproven(choice),
            false => self.start(&choice),
        }
        true
    }

    /// Sends the open file, if it is the one that was meant; else from its beginning.
    fn start(&mut self, choice: &Choice) {
        let same = self.file.as_ref().is_some_and(|file| choice.is_of(file));
        if !same {
            self.say_error(&TransferError::Changed);
        }
        let from = if same { choice.from_chunk } else { 0 };
        if from > self.chunks() {
            self.state = TransferState::Idle;
            return self.say_error(&TransferError::NoChunk(self.chunks()));
        }
        self.say_metadata(from);
        self.state = TransferState::Sending(from);
    }

    /// The hash of the open file; `None` when it changed meanwhile.
    pub fn hashed(&mut self, hash: Option<String>) {
        let proving = match &self.state {
            TransferState::Proving(choice) => Some(choice.clone()),
            TransferState::Hashing => None,
            _ => return,
        };
        let Some((file, hash)) = self.file.as_mut().zip(hash) else { return self.begin_again() };
        let complete = messages::complete(file.id, &hash, self.playlist.peek());
        file.sha256 = Some(hash);
        match proving {
            Some(choice) => self.start(&choice),
            None => {
                self.waiting.push_back(complete);
                self.state = TransferState::Idle;
            }
        }
    }

    /// The open file cannot be read on.
    pub fn failed(&mut self, file: FileId, error: &TransferError) {
        let busy = matches!(
            self.state,
            TransferState::Sending(_) | TransferState::Paused(_) | TransferState::Hashing | TransferState::Proving(_)
        );
        if !busy || self.file.as_ref().is_none_or(|own| own.id != file) {
            return;
        }
        match error {
            TransferError::Changed => self.begin_again(),
            error => {
                self.state = TransferState::Idle;
                self.say_error(error);
            }
        }
    }

    /// How a client is told that something is wrong.
    pub fn error(error: &TransferError) -> String {
        messages::error(error)
    }

    /// Whether something is under way that does not wait for the client.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
            || !matches!(self.state, TransferState::Fresh | TransferState::Idle | TransferState::Paused(_))
    }

    /// The file is another one than it was: the client is told, and gets the new one whole.
    fn begin_again(&mut self) {
        self.say_error(&TransferError::Changed);
        let file = self.file.as_ref().map(|file| file.id);
        self.state = TransferState::Wanted(Choice { file, ..Choice::default() });
    }

    fn grant(&mut self, request: ClientRequest) {
        match request {
            ClientRequest::Play(choice) => self.state = TransferState::Wanted(choice),
            ClientRequest::Resume(choice) if choice.file.is_some() || self.file.is_none() => {
                self.state = TransferState::Wanted(choice);
            }
            ClientRequest::Resume(choice) => self.go_on(choice.given),
            ClientRequest::Seek { chunk } => self.go_on(Some(chunk)),
            ClientRequest::Pause => self.pause(),
            ClientRequest::Stop => {
                self.state = TransferState::Idle;
                self.waiting.push_back(messages::STOPPED.into());
            }
            ClientRequest::Playlist(list) => {
                let first = self.playlist.fill(list);
                self.play_of_list(first.map_err(TransferError::BadMessage));
            }
            ClientRequest::Next => {
                let next = self.playlist.advance().ok_or(TransferError::NoMore);
                self.play_of_list(next);
            }
            ClientRequest::Previous => {
                let previous = self.playlist.go_back().ok_or(TransferError::NoMore);
                self.play_of_list(previous);
            }
            ClientRequest::Unknown => {}
        }
    }

    fn play_of_list(&mut self, file: Result<FileId, TransferError>) {
        match file {
            Ok(file) => self.state = TransferState::Wanted(Choice { file: Some(file), ..Choice::default() }),
            Err(error) => self.say_error(&error),
        }
    }

    /// Sends the open file from this chunk on, or from where it was.
    fn go_on(&mut self, chunk: Option<u64>) {
        let place = match self.state {
            TransferState::Paused(next) | TransferState::Sending(next) => Some(next),
            TransferState::Idle | TransferState::Hashing => Some(self.chunks()),
            // What is being opened begins where it was to begin.
            _ => None,
        };
        let Some(from) = chunk.or(place).filter(|_| place.is_some() && self.file.is_some()) else {
            return self.say_error(&TransferError::NothingOpen);
        };
        if from > self.chunks() {
            return self.say_error(&TransferError::NoChunk(self.chunks()));
        }
        match self.told {
            true => self.waiting.push_back(messages::place("sending", from)),
            false => self.say_metadata(from),
        }
        self.state = TransferState::Sending(from);
    }

    fn pause(&mut self) {
        match self.state {
            TransferState::Sending(next) => {
                self.waiting.push_back(messages::place("paused", next));
                self.state = TransferState::Paused(next);
            }
            TransferState::Paused(next) => self.waiting.push_back(messages::place("paused", next)),
            _ => self.say_error(&TransferError::NothingOpen),
        }
    }

    fn chunks(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.size.div_ceil(self.chunk as u64))
    }

    fn say_metadata(&mut self, from: u64) {
        let chunks = self.chunks();
        self.told = true;
        if let Some(file) = &self.file {
            self.waiting.push_back(messages::metadata(file, self.chunk, chunks, from));
        }
    }

    fn say_error(&mut self, error: &TransferError) {
        self.waiting.push_back(messages::error(error));
    }
}

#[cfg(test)]
mod tests;
