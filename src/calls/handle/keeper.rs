//! What the door has done in the background: what is due, when it is due, and what is kept, one write after the other.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::data::Store;

use super::super::store::{self, Write};
use super::CallsHandle;

/// After the shutdown, nothing more is to be kept once nothing came for so long.
const LAST_WRITES: Duration = Duration::from_millis(50);

/// Whoever keeps what outlives a restart, and the time.
pub struct Keeper {
    pub(super) calls: CallsHandle,
    pub(super) store: Store,
    pub(super) writes: mpsc::Receiver<Write>,
}

impl Keeper {
    /// Does what is due when it is due, and writes what is to be kept; after the shutdown, what is left of that.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { calls, store, writes } = self;
        tokio::join!(shutdown.run_until_cancelled(keep_time(calls)), write_down(store, writes, shutdown.clone()));
    }
}

#[cfg(test)]
impl Keeper {
    /// Writes all that is to be kept by now, as a daemon does that is ended.
    pub(in crate::calls) async fn write_all(self) {
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        self.run(shutdown).await;
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
async fn write_down(mut store: Store, mut writes: mpsc::Receiver<Write>, shutdown: CancellationToken) {
    loop {
        let write = tokio::select! {
            biased;
            write = writes.recv() => write,
            // Those whose connections end just now are still to be kept.
            () = after(&shutdown, LAST_WRITES) => None,
        };
        let Some(write) = write else { return };
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

/// So long after the shutdown, or after this is asked, whichever is later.
async fn after(shutdown: &CancellationToken, time: Duration) {
    shutdown.cancelled().await;
    tokio::time::sleep(time).await;
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}
