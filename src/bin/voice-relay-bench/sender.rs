//! The senders: one thread for all, which sends each packet at its time and notes when that was.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use voice_relay::net::raise_priority;

use super::peer::{ClientPeer, PeerOutput, certificate};
use super::voice::{PTIME, SAMPLES_PER_PACKET, SentLog, payload};

/// A packet that leaves later than this after its time is counted: a quarter of the time between two.
pub(crate) const LATE: Duration = Duration::from_millis(5);

/// The sockets, which carry checks and reports only, are looked at so often.
const TICK: Duration = Duration::from_millis(2);

/// One sender: its peer connection, with a socket of its own.
pub(crate) struct Speaker {
    pub(crate) peer: ClientPeer,
    socket: UdpSocket,
    pub(crate) log: Arc<SentLog>,
    /// When its next packet is due; `None` before it is connected.
    due: Option<Instant>,
    /// Its packets are spread over the time between two of them, by this.
    phase: Duration,
}

/// The thread of all senders; it ends when this is dropped.
pub(crate) struct Speakers {
    speakers: Sender<Speaker>,
}

impl Speaker {
    /// One at a free port of this address, `number` of so many.
    pub(crate) fn new(address: IpAddr, number: usize, of: usize) -> io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(address, 0))?;
        socket.set_nonblocking(true)?;
        let now = Instant::now();
        // Each has a certificate of its own: the same one again would be the same sender anew.
        let peer = ClientPeer::new(socket.local_addr()?, &certificate(), now);
        let log = Arc::new(SentLog::new(number as u8, now));
        let phase = PTIME * number as u32 / of.max(1) as u32;
        Ok(Self { peer, socket, log, due: None, phase })
    }

    /// The number of its port.
    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    /// Does all that is due; gives when something will be next.
    fn work(&mut self, out: &mut PeerOutput) -> Instant {
        self.read(out);
        let now = Instant::now();
        if self.peer.deadline <= now {
            self.peer.advance(now, out);
        }
        if std::mem::take(&mut out.connected) {
            self.due = Some(now + self.phase);
        }
        if let Some(due) = self.due.filter(|due| *due <= now) {
            self.say(due, now, out);
        }
        self.flush(out, None);
        self.due.map_or(self.peer.deadline, |due| due.min(self.peer.deadline))
    }

    fn read(&mut self, out: &mut PeerOutput) {
        let mut buffer = [0; 2_048];
        while let Ok((length, source)) = self.socket.recv_from(&mut buffer) {
            self.peer.receive(source, &buffer[..length], Instant::now(), out);
        }
        // Nobody speaks to senders.
        out.packets.clear();
    }

    fn say(&mut self, due: Instant, now: Instant, out: &mut PeerOutput) {
        self.flush(out, None);
        let number = self.log.sent();
        let timestamp = (number as u32).wrapping_mul(SAMPLES_PER_PACKET);
        self.peer.send(number, timestamp, payload(number, self.log.sender).to_vec(), now, out);
        self.due = Some(due + PTIME);
        if now - due > LATE {
            self.log.late.fetch_add(1, Ordering::Relaxed);
        }
        self.flush(out, Some(number));
    }

    /// Sends what waits; that packet among it is noted just before.
    fn flush(&self, out: &mut PeerOutput, number: Option<u64>) {
        for (destination, datagram) in out.transmits.drain(..) {
            if let Some(number) = number {
                self.log.note(number, Instant::now());
            }
            if self.socket.send_to(&datagram, destination).is_err() {
                self.log.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Speakers {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (speakers, added) = channel();
        thread::Builder::new().name("senders".into()).spawn(move || speak(&added))?;
        Ok(Self { speakers })
    }

    /// Lets one speak, as soon as it is connected.
    pub(crate) fn add(&self, speaker: Speaker) {
        // The thread lives as long as this handle.
        let _ = self.speakers.send(speaker);
    }
}

fn speak(added: &Receiver<Speaker>) {
    // A load that is late measures itself.
    raise_priority();
    let (mut speakers, mut out) = (Vec::new(), PeerOutput::default());
    loop {
        match added.try_recv() {
            Ok(speaker) => speakers.push(speaker),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        let next = speakers.iter_mut().map(|speaker: &mut Speaker| speaker.work(&mut out)).min();
        let now = Instant::now();
        let pause = next.map_or(TICK, |next| next.saturating_duration_since(now).min(TICK));
        thread::sleep(pause);
    }
}
