//! The media thread: one UDP socket, one relay core, nothing else.
//!
//! Datagrams come in and go out in batches; between them the core is told the time. HTTP, encoding
//! and disk live on other threads and reach this one only through the relay handle. What a packet
//! means is the core's business.

mod admission;
mod interfaces;
mod priority;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

use crate::core::{Input, Output};
use crate::critical::{Critical, CriticalGuard};
use crate::engine::{Command, Commands, Media};

pub use admission::Admission;
pub use interfaces::{host_addresses, keep_addresses_fresh};
pub use priority::raise as raise_priority;
pub use socket::{Batch, MediaSocket, Outgoing, Received};

/// Reads of the socket before commands and timers have their turn again.
const MAX_READS: usize = 4;

/// Pause after the socket could not be read, so that a lasting error costs no processor.
const RECEIVE_PAUSE: Duration = Duration::from_millis(20);

/// Commands run before datagrams have their turn again.
const MAX_COMMANDS: usize = 32;

/// A timer that goes off later than this after its time is late: the runtime's own are exact to a millisecond.
const LATE: Duration = Duration::from_millis(2);

/// What a media thread is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// Somebody waits for each packet: it goes before others.
    Voices,
    /// As much as the network takes: it must not hold voices up.
    Files,
    /// What is looked at: voices go before it, and little else.
    Video,
}

impl Carries {
    fn thread(self) -> &'static str {
        match self {
            Self::Voices => "media",
            Self::Files => "files",
            Self::Video => "video",
        }
    }

    /// How long a timer may wait for something else to wake the thread. Of voices nothing that is timed is in a hurry: it is
    /// reports, silence and goodbyes, and with hundreds who listen a wake-up of its own for each would be a fifth of all.
    /// What carries files paces itself by timers, and so does what carries video: a probe of what a way bears that is sent late
    /// measures our own slowness.
    const fn timer_slack(self) -> Duration {
        match self {
            Self::Voices => Duration::from_millis(5),
            Self::Files | Self::Video => Duration::ZERO,
        }
    }
}

/// A running media thread.
pub struct MediaThread {
    thread: thread::JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl MediaThread {
    fn start(
        carries: Carries,
        socket: MediaSocket,
        media: Media,
        commands: Commands,
        admission: Arc<Admission>,
        critical: &Critical,
    ) -> io::Result<Self> {
        let guard = critical.guard(carries.thread());
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name(carries.thread().into()).spawn(move || {
            match carries {
                Carries::Voices => priority::raise(),
                Carries::Files => priority::lower(),
                Carries::Video => {}
            }
            let timer_slack = carries.timer_slack();
            let media_loop = MediaLoop { socket, media, outgoing: Outgoing::default(), admission, timer_slack };
            runtime.block_on(media_loop.run(commands, stopped, guard));
        })?;
        Ok(Self { thread, stop })
    }

    /// Starts one on each socket: they are as many as those who [work](crate::engine::connect) as one relay.
    ///
    /// # Errors
    /// When the operating system gives no thread or no event queue; those that run stop then.
    pub fn start_all(
        carries: Carries,
        sockets: Vec<MediaSocket>,
        relays: Vec<(Media, Commands)>,
        admission: &Arc<Admission>,
        critical: &Critical,
    ) -> io::Result<Vec<Self>> {
        let start = |(socket, (media, commands))| {
            Self::start(carries, socket, media, commands, Arc::clone(admission), critical)
        };
        sockets.into_iter().zip(relays).map(start).collect()
    }

    /// Stops it once everything the core wants to send is sent.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the media thread had panicked");
        }
    }
}

struct MediaLoop {
    socket: MediaSocket,
    media: Media,
    outgoing: Outgoing,
    admission: Arc<Admission>,
    timer_slack: Duration,
}

impl MediaLoop {
    /// Works until it is stopped. The guard is the first that goes, also by a panic: with the core others may end, and the
    /// first is the one to be named.
    async fn run(mut self, mut commands: Commands, stopped: oneshot::Receiver<()>, guard: CriticalGuard) {
        if let Err(error) = self.work(&mut commands, stopped).await {
            tracing::error!(%error, "a media thread stopped");
        }
        drop(guard);
    }

    async fn work(&mut self, commands: &mut Commands, mut stopped: oneshot::Receiver<()>) -> io::Result<()> {
        let socket = self.socket.register()?;
        let mut batch = Batch::default();
        loop {
            let deadline = self.media.relay.deadline();
            // What is due already is due now.
            let slack = if deadline > Instant::now() { self.timer_slack } else { Duration::ZERO };
            tokio::select! {
                biased;
                _ = &mut stopped => return Ok(()),
                readable = socket.readable() => {
                    readable?;
                    if let Err(error) = self.read_all(&socket, &mut batch) {
                        // A network that goes down comes back; the calls of those on others go on.
                        tracing::warn!(%error, "cannot receive from the media socket");
                        tokio::time::sleep(RECEIVE_PAUSE).await;
                    }
                }
                command = commands.next() => match command {
                    Some(command) => self.obey(command),
                    None => return Ok(()),
                },
                () = self.media.streams_changed() => self.media.note_streams(Instant::now()),
                () = tokio::time::sleep_until((deadline + slack).into()) => self.note_wakeup(deadline),
            }
            // A flood of datagrams must not keep everybody else waiting.
            for command in std::iter::from_fn(|| commands.next_waiting()).take(MAX_COMMANDS) {
                self.obey(command);
            }
            let now = Instant::now();
            if now >= self.media.relay.deadline() {
                self.media.relay.handle(now, Input::Timeout);
            }
            self.drain(now);
        }
    }

    /// A timer went off. Where everything is paced by timers, it is counted when one was late.
    fn note_wakeup(&mut self, deadline: Instant) {
        let is_late = self.timer_slack.is_zero() && deadline.elapsed() > LATE;
        self.media.socket.late_wakeups += u64::from(is_late);
    }

    fn obey(&mut self, command: Command) {
        if let Some(arrived) = self.media.run(command, Instant::now()) {
            self.drain(arrived);
        }
    }

    /// Takes what waits, as far as it may before others have their turn.
    fn read_all(&mut self, socket: &UdpSocket, batch: &mut Batch) -> io::Result<()> {
        for _ in 0..MAX_READS {
            match socket.try_io(Interest::READABLE, || self.socket.receive(batch)) {
                Ok(()) => self.take(batch),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Hands every datagram of a batch to the core, and sends what that leads to.
    fn take(&mut self, batch: &Batch) {
        self.media.socket.receive_calls += 1;
        let now = Instant::now();
        for datagram in batch.iter(now) {
            if datagram.truncated {
                self.media.socket.oversized += 1;
                continue;
            }
            if !self.admission.admits(datagram.source.ip()) {
                self.media.socket.foreign += 1;
                continue;
            }
            let destination = SocketAddr::new(datagram.destination, self.socket.port());
            let input = Input::Datagram { source: datagram.source, destination, payload: datagram.payload };
            self.media.relay.handle(now, input);
            self.drain(datagram.arrived);
        }
    }

    /// Sends and publishes all that the core has; `arrived` is when what led to it came.
    fn drain(&mut self, arrived: Instant) {
        while let Some(output) = self.media.relay.poll() {
            match output {
                Output::Event(event) => self.media.publish(event, arrived),
                Output::Transmit(transmit) => {
                    self.outgoing.push(transmit, arrived);
                    if self.outgoing.is_full() {
                        self.flush();
                    }
                }
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        if !self.outgoing.is_empty() {
            self.socket.send(&mut self.outgoing, &mut self.media.socket);
            self.outgoing.spent().for_each(|payload| self.media.relay.recycle(payload));
        }
    }
}
