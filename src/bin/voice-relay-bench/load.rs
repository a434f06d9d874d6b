//! The load as a whole: senders that speak, receivers that come and go, and what a stretch of time of it measured.

use std::collections::BTreeMap;
use std::io;
use std::process;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use str0m::config::DtlsCert;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, sleep_until};

use super::crowd::{Crowd, CrowdSlot, Group, SharedCrowd, find_seat};
use super::peer::{ClientPeer, certificate};
use super::process::{CpuTime, receive_drops};
use super::receiver::LoadReceiver;
use super::sender::{Speaker, Speakers};
use super::server::Server;
use super::signal::{Call, SignalError, Signalling, Via};
use super::voice::SentLog;

/// Of so many receivers one decrypts all that it gets.
const SAMPLE: usize = 50;

/// Everybody has heard something by then, or never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// Packets that take longer are lost.
pub(crate) const GRACE: Duration = Duration::from_millis(400);

/// Time for everybody to prove what they hear.
const PROOF: Duration = Duration::from_millis(500);

/// The load cannot be put on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("sender {number}: {source}")]
    Sender { number: usize, source: SignalError },
    #[error("a receiver: {0}")]
    Receiver(#[from] SignalError),
    #[error("{hearing} of {wanted} receivers hear anything that can be decrypted and was said{}", why(.endings))]
    Silence { hearing: usize, wanted: usize, endings: Vec<String> },
    #[error("the server's process cannot be looked at: {0}")]
    Process(#[from] io::Error),
}

/// The first reason, where there is one.
fn why(endings: &[String]) -> String {
    endings.first().map_or_else(String::new, |ending| format!(": {ending}"))
}

/// A receiver that has joined.
pub(crate) struct JoinedReceiver {
    slot: CrowdSlot,
    call: Call,
}

/// Somebody who speaks.
struct Stream {
    name: String,
    log: Arc<SentLog>,
    call: Call,
}

/// Senders and receivers of one server.
pub(crate) struct Load {
    signalling: Signalling,
    speakers: Speakers,
    streams: Vec<Stream>,
    sender_ports: Vec<u16>,
    certificate: Rc<DtlsCert>,
    pub(crate) crowd: SharedCrowd,
    /// Receivers so far.
    made: usize,
}

/// Counters that only grow, at one moment.
pub(crate) struct Snapshot {
    at: Instant,
    server: Option<CpuTime>,
    own: CpuTime,
    arrived: u64,
    late: u64,
    refused: u64,
    dropped: u64,
}

/// What grew between two moments.
pub(crate) struct Growth {
    pub(crate) time: Duration,
    /// By the names of its threads.
    pub(crate) server_cpu: Option<BTreeMap<String, Duration>>,
    /// Which share of that was the kernel's.
    pub(crate) server_kernel: Option<f64>,
    pub(crate) own_cpu: Duration,
    /// RTP packets that came to receivers.
    pub(crate) arrived: u64,
    pub(crate) late: u64,
    pub(crate) refused: u64,
    pub(crate) dropped: u64,
}

impl Load {
    /// Lets so many senders speak, and waits until they can be heard.
    pub(crate) async fn begin(server: &Server, via: Via, senders: usize) -> Result<Self, BenchError> {
        let mut load = Self {
            signalling: Signalling::new(server.address, via)?,
            speakers: Speakers::start()?,
            streams: Vec::new(),
            sender_ports: Vec::new(),
            certificate: Rc::new(certificate()),
            crowd: Crowd::gather(server.address.ip())?,
            made: 0,
        };
        for number in 0..senders {
            let stream = load.speak(number, senders).await;
            load.streams.push(stream.map_err(|source| BenchError::Sender { number, source })?);
        }
        Ok(load)
    }

    async fn speak(&mut self, number: usize, of: usize) -> Result<Stream, SignalError> {
        let mut speaker = Speaker::new(self.crowd.borrow().address(), number, of)?;
        self.sender_ports.push(speaker.port()?);
        let log = Arc::clone(&speaker.log);
        let name = format!("bench-{}-{number}", process::id());
        let (name, mut call) = self.signalling.publish(&name, &mut speaker).await?;
        self.speakers.add(speaker);
        self.signalling.wait_for(&name, &log, &mut call).await?;
        Ok(Stream { name, log, call })
    }

    /// Lets receivers join, so many a second, and waits until all hear something.
    pub(crate) async fn join(
        &mut self,
        count: usize,
        rate: f64,
        group: Group,
    ) -> Result<Vec<JoinedReceiver>, BenchError> {
        let begun = tokio::time::Instant::now();
        let mut joining = Vec::with_capacity(count);
        for number in 0..count {
            sleep_until(begun + Duration::from_secs_f64(number as f64 / rate)).await;
            joining.push(self.join_one(group));
        }
        let mut listeners = Vec::with_capacity(count);
        for task in joining {
            listeners.push(task.await.map_err(|_| SignalError::Closed)??);
        }
        Ok(listeners)
    }

    /// Begins to let one join.
    pub(crate) fn join_one(&mut self, group: Group) -> JoinHandle<Result<JoinedReceiver, SignalError>> {
        let stream = &self.streams[self.made % self.streams.len()];
        let arrival = Arrival {
            crowd: Rc::clone(&self.crowd),
            signalling: self.signalling.clone(),
            certificate: Rc::clone(&self.certificate),
            stream: stream.name.clone(),
            log: Arc::clone(&stream.log),
            group,
            decrypts_all: self.made.is_multiple_of(SAMPLE),
        };
        self.made += 1;
        spawn_local(arrival.join())
    }

    /// Waits until so many hear something.
    pub(crate) async fn wait_for(&self, wanted: usize) -> Result<(), BenchError> {
        let limit = Instant::now() + PATIENCE;
        loop {
            let hearing = self.crowd.borrow().hearing();
            if hearing >= wanted {
                return Ok(());
            }
            if Instant::now() > limit {
                return Err(BenchError::Silence { hearing, wanted, endings: self.crowd.borrow().endings() });
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Begins to count anew.
    pub(crate) fn open_window(&self) {
        self.crowd.borrow_mut().open_window(self.logs());
    }

    /// Counts no further packets.
    pub(crate) fn close_window(&self) {
        self.logs().for_each(SentLog::close_window);
    }

    /// Lets the last packets come, and adds up.
    pub(crate) async fn settle(&self) {
        sleep(GRACE).await;
        self.crowd.borrow_mut().settle();
    }

    /// The same, when nothing will be measured after it: everybody proves one packet. Their sessions then report all
    /// between it and their first as lost, and a relay may do something about that.
    pub(crate) async fn settle_at_last(&self) {
        sleep(GRACE).await;
        self.crowd.borrow_mut().ask_for_proof();
        sleep(PROOF).await;
        self.crowd.borrow_mut().settle();
    }

    fn logs(&self) -> impl Iterator<Item = &SentLog> {
        self.streams.iter().map(|stream| &*stream.log)
    }

    /// All counters, now.
    pub(crate) fn snapshot(&self, server: &Server) -> io::Result<Snapshot> {
        let ports = [self.crowd.borrow().ports(), self.sender_ports.clone()].concat();
        let sum = |count: fn(&SentLog) -> u64| self.logs().map(count).sum();
        Ok(Snapshot {
            at: Instant::now(),
            server: server.pid.map(CpuTime::of).transpose()?,
            own: CpuTime::of(process::id())?,
            arrived: self.crowd.borrow().arrived(),
            late: sum(|log| log.late.load(Ordering::Relaxed)),
            refused: sum(|log| log.refused.load(Ordering::Relaxed)),
            dropped: receive_drops(&ports)?,
        })
    }

    /// Lets one go; nobody waits for the server to take note.
    pub(crate) fn leave(&self, listener: JoinedReceiver) -> JoinHandle<()> {
        self.crowd.borrow_mut().leave(listener.slot);
        // A server that does not want to hear of it has been measured all the same.
        spawn_local(async { drop(listener.call.hang_up().await) })
    }

    /// Ends it all, politely: the server may be measured again.
    pub(crate) async fn end(self, listeners: Vec<JoinedReceiver>) {
        let leaving: Vec<_> = listeners.into_iter().map(|listener| self.leave(listener)).collect();
        for goodbye in leaving {
            let _ = goodbye.await;
        }
        for stream in self.streams {
            let _ = stream.call.hang_up().await;
        }
    }
}

/// What somebody who joins needs.
struct Arrival {
    crowd: SharedCrowd,
    signalling: Signalling,
    certificate: Rc<DtlsCert>,
    stream: String,
    log: Arc<SentLog>,
    group: Group,
    decrypts_all: bool,
}

impl Arrival {
    async fn join(self) -> Result<JoinedReceiver, SignalError> {
        let (slot, address) = find_seat(&self.crowd)?;
        let asked = Instant::now();
        let mut peer = ClientPeer::new(address, &self.certificate, asked);
        match self.signalling.hear(&self.stream, &mut peer).await {
            Ok(call) => {
                let receiver = LoadReceiver::new(peer, self.log, self.group, asked, self.decrypts_all);
                self.crowd.borrow_mut().slot(slot, receiver);
                Ok(JoinedReceiver { slot, call })
            }
            Err(error) => {
                self.crowd.borrow_mut().give_back(slot);
                Err(error)
            }
        }
    }
}

impl Snapshot {
    /// What grew from then to now.
    pub(crate) fn until(&self, now: &Self) -> Growth {
        let server = self.server.as_ref().zip(now.server.as_ref());
        Growth {
            time: now.at - self.at,
            server_cpu: server.map(|(before, after)| after.since(before)),
            server_kernel: server.and_then(|(before, after)| after.kernel_share(before)),
            own_cpu: now.own.since(&self.own).values().sum(),
            arrived: now.arrived - self.arrived,
            late: now.late - self.late,
            refused: now.refused - self.refused,
            dropped: now.dropped - self.dropped,
        }
    }
}
