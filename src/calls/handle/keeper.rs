//! What the door has done in the background: what is due, when it is due, and what is kept, one write after the other.

use tokio::sync::mpsc;

use crate::data::Store;

use super::super::store::{self, Write};
use super::CallsHandle;

/// Whoever keeps what outlives a restart, and the time.
pub struct Keeper {
    pub(super) calls: CallsHandle,
    pub(super) store: Store,
    pub(super) writes: mpsc::Receiver<Write>,
}

impl Keeper {
    /// Does what is due when it is due, and writes what is to be kept; for as long as it is polled.
    pub async fn run(self) {
        let Self { calls, store, writes } = self;
        tokio::join!(keep_time(calls), write_down(store, writes));
    }
}

#[cfg(test)]
impl Keeper {
    /// Writes all that is to be kept by now, as a daemon does that is ended.
    pub(in crate::calls) async fn write_all(mut self) {
        self.writes.close();
        write_down(self.store, self.writes).await;
    }
}

async fn keep_time(calls: CallsHandle) {
    loop {
        let deadline = calls.lock().calls.deadline();
        let due = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = calls.0.wake.notified() => {}
            () = due => calls.with(|_, _| ()),
        }
    }
}

/// The disk may take its time, and nobody waits for it.
async fn write_down(mut store: Store, mut writes: mpsc::Receiver<Write>) {
    while let Some(write) = writes.recv().await {
        let written = tokio::task::spawn_blocking(move || {
            store::write(&mut store, write);
            store
        });
        match written.await {
            Ok(back) => store = back,
            // It was cancelled: the runtime ends.
            Err(_) => return,
        }
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}
