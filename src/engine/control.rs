//! The whole of it at the door: what is counted, which addresses there are, what ends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::domain::StreamId;

use super::command::ReplyTo;
use super::thread::{Thread, ThreadId, sum};
use super::{Engine, EngineGone, Media, MediaStats};

/// Something to do with the whole of a media thread.
#[derive(Debug, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ControlCommand {
    EndUnpermitted,
    CloseAll {
        #[serde(skip)]
        reply: ReplyTo<()>,
    },
    SetAddresses {
        addresses: Vec<SocketAddr>,
    },
    Addresses {
        #[serde(skip)]
        reply: ReplyTo<Vec<SocketAddr>>,
    },
    Receivers {
        #[serde(skip)]
        reply: ReplyTo<HashMap<StreamId, usize>>,
    },
    Stats {
        #[serde(skip)]
        reply: ReplyTo<MediaStats>,
    },
    Crash,
}

impl Engine {
    /// Closes every peer connection whose permit has ended.
    pub async fn end_unpermitted(&self) {
        for thread in self.threads.all() {
            thread.tell(ControlCommand::EndUnpermitted).await;
        }
    }

    /// Closes every peer connection, and waits until that is done.
    pub async fn close_all(&self) {
        for thread in self.threads.all() {
            // When a media thread is gone already, so are its peers.
            let _ = thread.ask(|reply| ControlCommand::CloseAll { reply }).await;
        }
    }

    /// Lets a media thread panic, as a fault would: for tests.
    #[doc(hidden)]
    pub async fn crash(&self) {
        self.threads.first().tell(ControlCommand::Crash).await;
    }

    /// The machine's addresses changed, and with them those of this media thread, each of which has a port of its own;
    /// see [`Relay::set_addresses`](crate::core::Relay::set_addresses).
    pub async fn set_addresses(&self, thread: ThreadId, addresses: Vec<SocketAddr>) {
        if let Some(thread) = self.threads.get(thread) {
            thread.tell(ControlCommand::SetAddresses { addresses }).await;
        }
    }

    /// Everything the media threads count.
    ///
    /// # Errors
    /// When the engine is shutting down.
    pub async fn stats(&self) -> Result<MediaStats, EngineGone> {
        let mut all = self.ask_all(|reply| ControlCommand::Stats { reply }).await?.into_iter();
        let first = all.next().expect("there is one thread");
        Ok(all.fold(first, |sum, further| sum.add_further(&further)))
    }

    /// Commands that wait for the media threads.
    pub fn commands_waiting(&self) -> usize {
        self.threads.all().iter().map(Thread::waiting).sum()
    }

    /// How many WebRTC receivers each live stream has.
    ///
    /// # Errors
    /// When the engine is shutting down.
    pub async fn receivers(&self) -> Result<HashMap<StreamId, usize>, EngineGone> {
        let all = self.ask_all(|reply| ControlCommand::Receivers { reply }).await?;
        Ok(all.into_iter().reduce(sum).unwrap_or_default())
    }

    /// Addresses at which peers reach the relay.
    ///
    /// # Errors
    /// When the engine is shutting down.
    pub async fn addresses(&self) -> Result<Vec<SocketAddr>, EngineGone> {
        Ok(self.ask_all(|reply| ControlCommand::Addresses { reply }).await?.concat())
    }
}

impl Media {
    pub(super) fn run_control_command(&mut self, command: ControlCommand, now: Instant) {
        match command {
            ControlCommand::EndUnpermitted => self.end_unpermitted(now),
            ControlCommand::CloseAll { reply } => {
                self.relay.close_all(now);
                reply.send(());
            }
            ControlCommand::SetAddresses { addresses } => self.relay.set_addresses(addresses),
            ControlCommand::Addresses { reply } => reply.send(self.relay.addresses().to_vec()),
            ControlCommand::Receivers { reply } => reply.send(self.relay.receivers()),
            ControlCommand::Stats { reply } => reply.send(self.stats()),
            ControlCommand::Crash => panic!("a media thread is to panic"),
        }
    }
}
