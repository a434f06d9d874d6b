//! Threads and tasks without which the daemon only looks alive. When one of them ends and nobody asked it to, whether it
//! returned, failed or panicked, the process is to end with an error: whoever started it starts it again.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Ends that wait to be noticed. The first one is enough.
const QUEUE: usize = 4;

/// Where all of them are registered. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Critical {
    ended: mpsc::Sender<&'static str>,
    /// From then on they are asked to end.
    shutdown: CancellationToken,
    tasks: Arc<Mutex<Vec<(&'static str, AbortHandle)>>>,
}

/// Names of those that ended unasked.
pub type Ended = mpsc::Receiver<&'static str>;

/// Held by a thread or task for as long as it works.
#[derive(Debug)]
pub struct CriticalGuard {
    name: &'static str,
    critical: Critical,
}

impl Critical {
    /// None yet.
    pub fn new(shutdown: CancellationToken) -> (Self, Ended) {
        let (ended, receiver) = mpsc::channel(QUEUE);
        (Self { ended, shutdown, tasks: Arc::default() }, receiver)
    }

    /// For a thread of this name, which keeps it until it ends.
    pub fn guard(&self, name: &'static str) -> CriticalGuard {
        CriticalGuard { name, critical: self.clone() }
    }

    /// Runs a task of this name until the shutdown.
    pub fn spawn(&self, tracker: &TaskTracker, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let (guard, shutdown) = (self.guard(name), self.shutdown.clone());
        let task = tracker.spawn(async move {
            let mut task = std::pin::pin!(task);
            // Dropped before the task is: with what that holds others may end, and the first is the one to be named.
            let guard = guard;
            shutdown.run_until_cancelled(task.as_mut()).await;
            drop(guard);
        });
        self.tasks().push((name, task.abort_handle()));
    }

    /// Runs a task of this name which ends by itself after the shutdown, when it has done what is left to do.
    pub fn spawn_to_its_end(
        &self,
        tracker: &TaskTracker,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let guard = self.guard(name);
        let task = tracker.spawn(async move {
            task.await;
            drop(guard);
        });
        self.tasks().push((name, task.abort_handle()));
    }

    /// Ends a task as a fault would: for tests. False: there is none of this name.
    #[doc(hidden)]
    pub fn abort(&self, name: &str) -> bool {
        let tasks = self.tasks();
        let found = tasks.iter().find(|(own, _)| *own == name);
        found.map(|(_, task)| task.abort()).is_some()
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<(&'static str, AbortHandle)>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CriticalGuard {
    fn drop(&mut self) {
        if !self.critical.shutdown.is_cancelled() {
            // A full queue says already what this would.
            let _ = self.critical.ended.try_send(self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_returns_panics_or_is_aborted_is_named_and_whoever_was_asked_to_end_is_not() {
        let (shutdown, tracker) = (CancellationToken::new(), TaskTracker::new());
        let (critical, mut ended) = Critical::new(shutdown.clone());
        critical.spawn(&tracker, "returns", async {});
        assert_eq!(ended.recv().await, Some("returns"));
        critical.spawn(&tracker, "panics", async { panic!("on purpose") });
        assert_eq!(ended.recv().await, Some("panics"));
        critical.spawn(&tracker, "aborted", std::future::pending());
        assert!(critical.abort("aborted") && !critical.abort("unknown"));
        assert_eq!(ended.recv().await, Some("aborted"));
        let guard = critical.guard("a thread");
        std::thread::spawn(move || drop(guard)).join().expect("joined");
        assert_eq!(ended.recv().await, Some("a thread"));
        critical.spawn(&tracker, "asked", std::future::pending());
        shutdown.cancel();
        tracker.close();
        tracker.wait().await;
        assert!(ended.try_recv().is_err());
    }
}
