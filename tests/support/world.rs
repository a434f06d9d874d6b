//! A house in simulated time: the relay core, clients, and the network between them.
//!
//! Time only moves from one thing that happens to the next, so that hours take seconds. The seed
//! fixes the network; what str0m rolls for itself (keys, SSRCs) does not change the outcome.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use uuid::Uuid;
use voice_relay::core::{
    AnswerError, CONNECT_TIMEOUT, CloseReason, Event, Input, NegotiationError, Output, ParticipantTracks, Relay,
    RelayConfig, Role,
};
use voice_relay::domain::{PeerId, RoomId, StreamId};

use super::client::Client;
use super::network::{Conditions, Datagram, Network};

/// A client's place in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Who(pub usize);

/// A client and all that surrounds it.
pub struct Member {
    pub client: Client,
    pub peer: PeerId,
    pub stream: StreamId,
    pub conditions: Conditions,
    /// Nothing gets through, either way.
    pub cut_off: bool,
    /// It sends no checks (ICE) any more.
    pub checks_nothing: bool,
    /// Its checks lack their priority, and are signed with this password.
    pub without_priority: Option<String>,
    /// The address that the relay sees; differs from the client's own behind a NAT.
    pub seen_as: SocketAddr,
}

/// The simulation.
pub struct World {
    pub now: Instant,
    pub started: Instant,
    pub relay: Relay,
    pub network: Network,
    pub members: Vec<Member>,
    /// Everything that the relay told, with its time.
    pub events: Vec<(Instant, Event)>,
    pub conditions: Conditions,
    by_address: HashMap<SocketAddr, Who>,
    next_port: u16,
}

/// Where the relay listens.
pub fn relay_address() -> SocketAddr {
    SocketAddr::from(([192, 168, 1, 2], 8082))
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::with_config(seed, RelayConfig::default())
    }

    pub fn with_config(seed: u64, config: RelayConfig) -> Self {
        let now = Instant::now();
        let config = RelayConfig { addresses: vec![relay_address()], ..config };
        Self {
            now,
            started: now,
            relay: Relay::new(config, now),
            network: Network::new(seed),
            members: Vec::new(),
            events: Vec::new(),
            conditions: Conditions::LAN,
            by_address: HashMap::new(),
            next_port: 10_000,
        }
    }

    /// A sender of a new stream, which talks as soon as it is connected.
    pub fn publisher(&mut self) -> Who {
        let stream = StreamId::of_connection(Uuid::from_u128(self.members.len() as u128));
        self.try_publish(stream).expect("room for a publisher")
    }

    /// A sender that takes this stream over, or begins it.
    pub fn try_publish(&mut self, stream: StreamId) -> Result<Who, NegotiationError> {
        self.try_publish_as(stream, |offer| offer)
    }

    /// The same, with an offer that is changed so.
    pub fn try_publish_as(
        &mut self,
        stream: StreamId,
        change: impl FnOnce(String) -> String,
    ) -> Result<Who, NegotiationError> {
        let mut client = self.client();
        let offer = change(client.offer(false));
        let published = self.relay.accept(self.now, Role::Publish(stream.into()), &offer, false)?;
        client.accept_answer(&published.answer, self.now);
        client.talk(self.now);
        Ok(self.admit(client, published.peer, stream))
    }

    /// A sender of this stream; what it is answered is looked at.
    pub fn try_publish_with_answer(&mut self, stream: StreamId, look: impl FnOnce(&str)) -> Who {
        let mut client = self.client();
        let offer = client.offer(false);
        let published = self.relay.accept(self.now, Role::Publish(stream.into()), &offer, false).expect("a good offer");
        look(&published.answer);
        client.accept_answer(&published.answer, self.now);
        client.talk(self.now);
        self.admit(client, published.peer, stream)
    }

    /// What is sent to this address comes to this one from now on.
    pub fn claim(&mut self, address: SocketAddr, who: Who) {
        self.by_address.insert(address, who);
    }

    /// A receiver of this stream.
    pub fn subscriber(&mut self, stream: StreamId) -> Who {
        self.try_subscribe(Some(stream)).expect("a stream to hear")
    }

    pub fn try_subscribe(&mut self, stream: Option<StreamId>) -> Result<Who, NegotiationError> {
        let mut client = self.client();
        let subscribed = self.relay.subscribe(self.now, stream, false)?;
        let answer = client.accept_offer(&subscribed.offer, self.now);
        let answered: Result<(), AnswerError> = self.relay.answer(self.now, subscribed.peer, &answer);
        answered.expect("an acceptable answer");
        Ok(self.admit(client, subscribed.peer, subscribed.stream))
    }

    /// A participant of a room, with so many slots, that says nothing yet.
    pub fn participant(&mut self, room: RoomId, slots: usize) -> Who {
        let number = self.members.len() as u128;
        let of = |number| StreamId::of_connection(Uuid::from_u128(number));
        let membership = ParticipantTracks { room, voice: of(number), music: of(1_000 + number), only_listens: false };
        self.try_join(membership, slots).expect("room for a participant")
    }

    pub fn try_join(&mut self, membership: ParticipantTracks, slots: usize) -> Result<Who, NegotiationError> {
        let mut client = self.client();
        client.tag = self.members.len() as u8;
        let offer = client.offer_to_join(slots);
        let joined = self.relay.accept(self.now, Role::Participate(membership), &offer, false)?;
        client.accept_answer(&joined.answer, self.now);
        Ok(self.admit(client, joined.peer, membership.voice))
    }

    /// A participant offers anew: with more slots, and new ICE credentials.
    pub fn rejoin(&mut self, who: Who, room: RoomId, more_slots: usize) {
        let (now, voice) = (self.now, self[who].stream);
        let offer = self[who].client.offer_to_join(more_slots);
        let music = StreamId::of_connection(Uuid::from_u128(1_000 + who.0 as u128));
        let joined = self
            .relay
            .accept(
                now,
                Role::Participate(ParticipantTracks { room, voice, music, only_listens: false }),
                &offer,
                false,
            )
            .expect("a renewed offer");
        assert_eq!(joined.peer, self[who].peer, "a renewed connection stays the same peer");
        self[who].client.accept_answer(&joined.answer, now);
        self.flush();
    }

    /// Begins to talk, as loud as this, in dBov.
    pub fn say(&mut self, who: Who, level: i8) {
        let now = self.now;
        self[who].client.audio_level = level;
        self[who].client.talk(now);
    }

    /// A sender that is live, and so many receivers that hear it.
    pub fn talk_with(&mut self, receivers: usize) -> (Who, Vec<Who>) {
        let speaker = self.publisher();
        self.run_until("the stream is available", |world| !world.relay.streams().is_empty());
        let stream = self[speaker].stream;
        let listeners: Vec<_> = (0..receivers).map(|_| self.subscriber(stream)).collect();
        self.run_until("all hear it", |world| {
            listeners.iter().all(|listener| !world[*listener].client.received.is_empty())
        });
        (speaker, listeners)
    }

    /// A host who talks in a room, and so many guests with four slots each that hear it.
    pub fn broadcast_to(&mut self, guests: usize) -> (Who, Vec<Who>) {
        let host = self.participant(RoomId(1), 4);
        let guests: Vec<_> = (0..guests).map(|_| self.participant(RoomId(1), 4)).collect();
        self.run_for(Duration::from_secs(1));
        self.say(host, -20);
        self.run_until("all hear it", |world| guests.iter().all(|guest| !world[*guest].client.received.is_empty()));
        (host, guests)
    }

    /// ICE restart after a change of network: the client gets another address and offers again.
    pub fn restart_ice(&mut self, who: Who) {
        let (now, stream) = (self.now, self[who].stream);
        let offer = self[who].client.offer(true);
        let published = self.relay.accept(now, Role::Publish(stream.into()), &offer, false).expect("a renewed offer");
        assert_eq!(published.peer, self[who].peer, "a renewed connection stays the same peer");
        self[who].client.accept_answer(&published.answer, now);
        self.flush();
    }

    /// A NAT gives the client another outside address, or its Wi-Fi another lease.
    pub fn change_address(&mut self, who: Who) {
        let fresh = self.fresh_address();
        self[who].seen_as = fresh;
        self.by_address.insert(fresh, who);
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.step_to(at);
        }
        self.step_to(end);
    }

    /// Runs until it is so; fails when so much simulated time as a peer may take to connect was not enough: on bad Wi-Fi,
    /// where DTLS waits twice as long after each loss, ten seconds are not.
    pub fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let limit = self.now + CONNECT_TIMEOUT;
        while !done(self) {
            let at = self.next_event().filter(|at| *at <= limit);
            self.step_to(at.unwrap_or_else(|| panic!("not in time: {what}")));
        }
    }

    pub fn available(&self) -> Vec<StreamId> {
        self.told(|event| match event {
            Event::StreamAvailable(stream) => Some(stream.id),
            _ => None,
        })
    }

    pub fn ended(&self) -> Vec<StreamId> {
        self.told(|event| match event {
            Event::StreamEnded(stream) => Some(stream.id),
            _ => None,
        })
    }

    pub fn close_reason(&self, who: Who) -> Option<CloseReason> {
        let wanted = self[who].peer;
        let reasons = self.told(|event| match event {
            Event::PeerClosed(peer, reason) if *peer == wanted => Some(*reason),
            _ => None,
        });
        assert!(reasons.len() < 2, "a peer closes once");
        reasons.first().copied()
    }

    /// When the relay told of the first such event.
    pub fn time_of(&self, wanted: impl Fn(&Event) -> bool) -> Option<Instant> {
        self.events.iter().find(|(_, event)| wanted(event)).map(|(at, _)| *at)
    }

    fn told<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(|(_, event)| pick(event)).collect()
    }

    fn client(&mut self) -> Client {
        let address = self.fresh_address();
        Client::new(address, self.now)
    }

    fn fresh_address(&mut self) -> SocketAddr {
        self.next_port += 1;
        SocketAddr::from(([192, 168, 1, 50], self.next_port))
    }

    fn admit(&mut self, client: Client, peer: PeerId, stream: StreamId) -> Who {
        let who = Who(self.members.len());
        let seen_as = client.address;
        self.by_address.insert(seen_as, who);
        let conditions = self.conditions;
        self.members.push(Member {
            client,
            peer,
            stream,
            conditions,
            cut_off: false,
            checks_nothing: false,
            without_priority: None,
            seen_as,
        });
        self.flush();
        who
    }

    fn next_event(&self) -> Option<Instant> {
        let clients = self.members.iter().filter(|member| !member.cut_off).map(|member| member.client.deadline());
        clients.chain([self.relay.deadline()]).chain(self.network.next_arrival()).min().map(|at| at.max(self.now))
    }

    /// Moves to this time and does all that is due then.
    fn step_to(&mut self, at: Instant) {
        self.now = at;
        while let Some(datagram) = self.network.arrive(at) {
            self.deliver(&datagram);
            self.flush();
        }
        for member in &mut self.members {
            if !member.cut_off && member.client.deadline() <= at {
                member.client.advance(at);
            }
        }
        if self.relay.deadline() <= at {
            self.relay.handle(at, Input::Timeout);
        }
        self.flush();
    }

    fn deliver(&mut self, datagram: &Datagram) {
        if datagram.destination == relay_address() {
            let Datagram { source, destination, payload } = datagram;
            let input = Input::Datagram { source: *source, destination: *destination, payload };
            self.relay.handle(self.now, input);
        } else if let Some(who) = self.by_address.get(&datagram.destination) {
            let member = &mut self.members[who.0];
            if !member.cut_off && member.seen_as == datagram.destination {
                member.client.receive(datagram.source, &datagram.payload, self.now);
            }
        }
    }

    /// Puts all that anybody wants to send on its way.
    pub fn flush(&mut self) {
        while let Some(output) = self.relay.poll() {
            match output {
                Output::Event(event) => self.events.push((self.now, event)),
                Output::Transmit(transmit) => {
                    let conditions = self.conditions_of(transmit.destination);
                    let datagram = Datagram {
                        source: transmit.source,
                        destination: transmit.destination,
                        payload: transmit.payload,
                    };
                    self.network.send(self.now, datagram, conditions);
                }
            }
        }
        for member in &mut self.members {
            while let Some((destination, payload)) = member.client.poll() {
                // By the first byte (RFC 7983).
                let is_check = payload.first().is_some_and(|byte| *byte < 4);
                let is_lost = member.cut_off || (member.checks_nothing && is_check);
                let payload = match &member.without_priority {
                    Some(password) if is_check => without_priority(payload, password),
                    _ => payload,
                };
                if !is_lost {
                    let datagram = Datagram { source: member.seen_as, destination, payload };
                    self.network.send(self.now, datagram, member.conditions);
                }
            }
        }
    }

    fn conditions_of(&self, address: SocketAddr) -> Conditions {
        self.by_address.get(&address).map_or(Conditions::LAN, |who| self[*who].conditions)
    }
}

/// A check as FFmpeg 8 sends it: without PRIORITY, and signed with the relay's password (RFC 8489 14.5).
fn without_priority(check: Vec<u8>, password: &str) -> Vec<u8> {
    let (mut kept, mut at) = (check[..20].to_vec(), 20);
    // A request of the method Binding.
    if check[..2] != [0, 1] {
        return check;
    }
    while at + 4 <= check.len() {
        let kind = u16::from_be_bytes([check[at], check[at + 1]]);
        let size = usize::from(u16::from_be_bytes([check[at + 2], check[at + 3]])).next_multiple_of(4);
        if kind == 0x0008 {
            break;
        }
        if kind != 0x0024 {
            kept.extend(&check[at..at + 4 + size]);
        }
        at += 4 + size;
    }
    let length = (kept.len() - 20 + 24) as u16;
    kept[2..4].copy_from_slice(&length.to_be_bytes());
    let hmac = str0m::crypto::from_feature_flags().sha1_hmac_provider;
    let integrity = hmac.sha1_hmac(password.as_bytes(), &[&kept]);
    kept.extend([0, 8, 0, 20]);
    kept.extend(integrity);
    kept
}

impl std::ops::Index<Who> for World {
    type Output = Member;
    fn index(&self, who: Who) -> &Member {
        &self.members[who.0]
    }
}

impl std::ops::IndexMut<Who> for World {
    fn index_mut(&mut self, who: Who) -> &mut Member {
        &mut self.members[who.0]
    }
}
