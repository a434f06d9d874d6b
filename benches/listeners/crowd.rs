//! Many listeners to one live stream, all in one thread, and what they and the server make of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::process::Child;
use tokio::runtime::{Builder, Runtime};

use super::listener::{Listener, UNBROKEN, listen};
use super::process::{cpu_seconds, memory};
use super::report::{Report, Spread};
use super::support::live::PATIENCE;

pub(crate) const LISTENERS: usize = 2_000;

/// Bytes of MP3 at 128 kbit/s.
const BYTES_PER_SECOND: f64 = 16_000.0;

/// Between two connections: with less, icecast's backlog overflows.
const RAMP: Duration = Duration::from_millis(5);

/// While it measures, the crowd sleeps so long between its rounds: a round then serves many sockets, and
/// the server has the machine to itself. The kernel goes on receiving; times are coarse by that much.
const TICK: Duration = Duration::from_millis(5);

/// Bursts are over by then.
const SETTLE: Duration = Duration::from_secs(3);

/// Listeners, connected until this is dropped.
pub(crate) struct Crowd {
    runtime: Runtime,
    listeners: Vec<Arc<Mutex<Listener>>>,
    process: String,
    /// The server's, before the first listener came.
    memory_before: f64,
}

impl Crowd {
    /// Has them connect to a server, and waits for something to hear for each.
    pub(crate) fn gather(server: &Child, address: SocketAddr, path: &str) -> Self {
        let process = server.id().expect("it runs").to_string();
        let memory_before = memory(&process);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listeners = (0..LISTENERS).map(|_| Arc::default()).collect();
        let crowd = Self { runtime, listeners, process, memory_before };
        crowd.runtime.block_on(async {
            for listener in &crowd.listeners {
                tokio::time::sleep(RAMP).await;
                let (listener, path) = (Arc::clone(listener), path.to_owned());
                tokio::spawn(async move { listen(&listener, address, &path).await });
            }
            let limit = Instant::now() + PATIENCE;
            while crowd.each(Listener::is_pending).contains(&true) && Instant::now() < limit {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        crowd.stay(SETTLE);
        crowd
    }

    /// What is heard in so long a time, and what it costs.
    pub(crate) fn measure(&self, time: Duration) -> Report {
        self.listeners.iter().for_each(|listener| listener.lock().expect(UNBROKEN).reset());
        let used = || (cpu_seconds(&self.process), cpu_seconds("thread-self"));
        let (begin, (server_before, own_before)) = (Instant::now(), used());
        self.stay(time);
        let (end, (server_after, own_after)) = (Instant::now(), used());
        let seconds = (end - begin).as_secs_f64();
        let count = LISTENERS as f64;
        Report {
            alive: self.each(|listener| listener.is_alive(end)).into_iter().filter(|alive| *alive).count(),
            pace: Spread::of(self.each(|listener| listener.body as f64 / seconds / BYTES_PER_SECOND)),
            first_byte: Spread::of(self.each(|l| l.first_byte.map_or(f64::INFINITY, |time| time.as_secs_f64()))),
            longest_gap: Spread::of(self.each(|listener| listener.longest_gap(end))).most,
            server_cpu: (server_after - server_before) / seconds / count,
            memory: (memory(&self.process) - self.memory_before) / count,
            reads: self.each(|listener| listener.reads).iter().sum::<usize>() as f64 / seconds / count,
            own_cpu: (own_after - own_before) / seconds,
            ended: self.each(|listener| listener.ended.clone()).into_iter().flatten().next(),
        }
    }

    fn each<T>(&self, ask: impl Fn(&Listener) -> T) -> Vec<T> {
        self.listeners.iter().map(|listener| ask(&listener.lock().expect(UNBROKEN))).collect()
    }

    /// Lets the listeners listen, with a sleep whenever all are served.
    fn stay(&self, time: Duration) {
        let end = Instant::now() + time;
        let pauses = self.runtime.spawn(async move {
            while Instant::now() < end {
                std::thread::sleep(TICK);
                tokio::task::yield_now().await;
            }
        });
        self.runtime.block_on(pauses).expect("no panic");
    }
}
