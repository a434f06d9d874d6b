//! The receivers: all of them on one thread, each a peer connection that hears one sender.
//!
//! Most look at headers only once their first packet was decrypted: decrypting everything here would take the
//! processor from the server that is measured. Every fiftieth decrypts all it gets, and any may be asked to prove one.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::Interest;
use voice_relay::net::Batch;

use super::ground::{Ground, SharedSocket};
use super::hearing::RtpHeader;
use super::meter::Meter;
use super::receiver::{LoadReceiver, ReceiverOutput};
use super::voice::SentLog;

/// Sessions are told the time so often, when they want it.
const TICK: Duration = Duration::from_millis(1);

/// A seat is used again only when so many others were since: the server may still send to the one who left.
const RESTING: usize = 256;

/// Where a receiver sits: the number of its socket, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CrowdSlot {
    port: usize,
    place: usize,
}

/// Receivers are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Those who were there before.
    Standing,
    /// Those who come, or come and go, while others listen.
    Passing,
}

/// All receivers, as the tasks of the thread share them.
pub(crate) type SharedCrowd = Rc<RefCell<Crowd>>;

/// All receivers, and what they measured.
pub(crate) struct Crowd {
    ground: Ground,
    ports: Vec<Rc<SharedSocket>>,
    /// By socket and place.
    seated: Vec<Vec<Option<Box<LoadReceiver>>>>,
    free: VecDeque<CrowdSlot>,
    deadlines: BTreeSet<(Instant, CrowdSlot)>,
    standing: Meter,
    passing: Meter,
    arrived: u64,
    effect: ReceiverOutput,
}

impl Crowd {
    /// None yet, for a server at this address.
    pub(crate) fn gather(server: IpAddr) -> io::Result<SharedCrowd> {
        let crowd = Self {
            ground: Ground::near(server)?,
            ports: Vec::new(),
            seated: Vec::new(),
            free: VecDeque::new(),
            deadlines: BTreeSet::new(),
            standing: Meter::default(),
            passing: Meter::default(),
            arrived: 0,
            effect: ReceiverOutput::default(),
        };
        let shared = Rc::new(RefCell::new(crowd));
        tokio::task::spawn_local(keep_time(Rc::clone(&shared)));
        Ok(shared)
    }

    /// The address that senders are to have.
    pub(crate) fn address(&self) -> IpAddr {
        self.ground.address()
    }

    /// The port numbers of all sockets.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.ports.iter().map(|port| port.media.port()).collect()
    }

    /// RTP packets that ever came, to whomever.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// What one group measured.
    pub(crate) fn meter(&mut self, group: Group) -> &mut Meter {
        match group {
            Group::Standing => &mut self.standing,
            Group::Passing => &mut self.passing,
        }
    }

    /// Begins to count anew.
    pub(crate) fn open_window<'a>(&mut self, logs: impl Iterator<Item = &'a SentLog>) {
        logs.for_each(SentLog::open_window);
        (self.standing, self.passing) = (Meter::default(), Meter::default());
        self.receivers().for_each(LoadReceiver::count_anew);
    }

    /// Adds up what all were to hear, once the window is closed and its last packets have come.
    pub(crate) fn settle(&mut self) {
        for row in &self.seated {
            for receiver in row.iter().flatten() {
                let meter = if receiver.group == Group::Standing { &mut self.standing } else { &mut self.passing };
                receiver.settle(meter);
            }
        }
    }

    /// Has everybody decrypt the next packet.
    pub(crate) fn ask_for_proof(&mut self) {
        self.receivers().for_each(|receiver| receiver.decrypts_next = true);
    }

    /// Seats a receiver; what it has to say leaves at once.
    pub(crate) fn slot(&mut self, slot: CrowdSlot, receiver: LoadReceiver) {
        self.deadlines.insert((receiver.deadline(), slot));
        self.seated[slot.port][slot.place] = Some(Box::new(receiver));
        self.with(slot, |receiver, effect| receiver.advance(Instant::now(), effect));
    }

    /// Nobody came to sit there.
    pub(crate) fn give_back(&mut self, slot: CrowdSlot) {
        self.free.push_back(slot);
    }

    /// Takes one away, who says goodbye.
    pub(crate) fn leave(&mut self, slot: CrowdSlot) {
        self.with(slot, LoadReceiver::close);
        if let Some(receiver) = self.seated[slot.port][slot.place].take() {
            self.deadlines.remove(&(receiver.deadline(), slot));
            self.free.push_back(slot);
            let meter = if receiver.group == Group::Standing { &mut self.standing } else { &mut self.passing };
            receiver.settle_early(meter);
        }
    }

    /// How many listen, and have heard something.
    pub(crate) fn hearing(&self) -> usize {
        self.seated.iter().flatten().flatten().filter(|receiver| receiver.hears()).count()
    }

    /// Why receivers that sit here will hear nothing more.
    pub(crate) fn endings(&self) -> Vec<String> {
        self.seated.iter().flatten().flatten().filter_map(|receiver| receiver.over.clone()).collect()
    }

    fn receivers(&mut self) -> impl Iterator<Item = &mut LoadReceiver> {
        self.seated.iter_mut().flatten().flatten().map(|receiver| &mut **receiver)
    }

    /// Does something with a receiver, then what follows from it.
    fn with(&mut self, slot: CrowdSlot, act: impl FnOnce(&mut LoadReceiver, &mut ReceiverOutput)) {
        let Some(receiver) = &mut self.seated[slot.port][slot.place] else { return };
        let before = receiver.deadline();
        let meter = if receiver.group == Group::Standing { &mut self.standing } else { &mut self.passing };
        act(receiver, &mut self.effect);
        receiver.account(&mut self.effect, meter);
        if receiver.deadline() != before {
            self.deadlines.remove(&(before, slot));
            self.deadlines.insert((receiver.deadline(), slot));
        }
        for (destination, datagram) in self.effect.outcome.transmits.drain(..) {
            if self.ports[slot.port].send(slot.place, destination, &datagram).is_err() {
                meter.unsent += 1;
            }
        }
    }

    /// Tells those the time who want to know.
    fn advance(&mut self, now: Instant) {
        while let Some((at, slot)) = self.deadlines.first().copied()
            && at <= now
        {
            // One that wants it again at the same moment gets its turn with the next tick.
            self.deadlines.pop_first();
            self.with(slot, |receiver, effect| receiver.advance(now, effect));
            if let Some(receiver) = &self.seated[slot.port][slot.place] {
                self.deadlines.insert((receiver.deadline().max(now + TICK), slot));
            }
        }
    }

    fn take(&mut self, port: usize, batch: &Batch) {
        let now = Instant::now();
        for datagram in batch.iter(now).filter(|datagram| !datagram.truncated) {
            if let Some(place) = self.ports[port].place_of(datagram.destination)
                && place < self.seated[port].len()
            {
                let slot = CrowdSlot { port, place };
                let (source, payload, arrived) = (datagram.source, datagram.payload, datagram.arrived);
                self.hand(slot, source, payload, arrived, now);
            }
        }
    }

    /// Hands a datagram to its receiver: by the short way, where its header is enough.
    fn hand(&mut self, slot: CrowdSlot, source: SocketAddr, payload: &[u8], arrived: Instant, now: Instant) {
        let Some(receiver) = &mut self.seated[slot.port][slot.place] else { return };
        let header = RtpHeader::read(payload);
        self.arrived += u64::from(header.is_some());
        let meter = if receiver.group == Group::Standing { &mut self.standing } else { &mut self.passing };
        let is_enough = header.is_some_and(|header| receiver.hear(header, arrived, meter));
        if !is_enough {
            self.with(slot, |receiver, effect| receiver.receive(source, payload, header, arrived, now, effect));
        }
    }
}

/// A seat that nobody has used for long, and its address.
pub(crate) fn find_seat(crowd: &SharedCrowd) -> io::Result<(CrowdSlot, SocketAddr)> {
    let mut this = crowd.borrow_mut();
    if this.free.len() <= RESTING {
        let port = Rc::new(this.ground.open()?);
        let number = this.ports.len();
        this.free.extend((0..port.places()).map(|place| CrowdSlot { port: number, place }));
        this.seated.push((0..port.places()).map(|_| None).collect());
        this.ports.push(Rc::clone(&port));
        tokio::task::spawn_local(listen(Rc::clone(crowd), port, number));
    }
    let slot = this.free.pop_front().ok_or_else(|| io::Error::other("a socket without places"))?;
    let address = this.ports[slot.port].address_of(slot.place);
    Ok((slot, address))
}

/// Reads one socket, for as long as the thread runs.
async fn listen(crowd: SharedCrowd, port: Rc<SharedSocket>, number: usize) -> io::Result<()> {
    let mut batch = Batch::default();
    loop {
        port.socket.readable().await?;
        while port.socket.try_io(Interest::READABLE, || port.media.receive(&mut batch)).is_ok() {
            crowd.borrow_mut().take(number, &batch);
        }
    }
}

async fn keep_time(crowd: SharedCrowd) {
    loop {
        tokio::time::sleep(TICK).await;
        crowd.borrow_mut().advance(Instant::now());
    }
}
