//! The thread of a loudspeaker or microphone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Without callbacks, a thread looks after its stream this often.
const TURN: Duration = Duration::from_millis(100);

/// A thread that takes a turn whenever it is unparked, until this is dropped.
pub(super) struct Worker {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// `turn` must not block for long: dropping waits for the turn that is under way.
    pub(super) fn start(name: &str, mut turn: impl FnMut() + Send + 'static) -> io::Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let run = move || {
            while !stop.load(Ordering::Relaxed) {
                turn();
                thread::park_timeout(TURN);
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { stopped, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A turn that panicked has been reported by its panic.
            let _ = thread.join();
        }
    }
}
