//! A browser's part in tests of video: one connection that shows a camera in three sizes, and sees others in slots; and a
//! room of such, whose ways from the relay may be narrow.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, RtpPacket, RtpWrite, Vp8Descriptor};
use str0m::{Candidate, Event as RtcEvent, Input as RtcInput, Output as RtcOutput, Rtc};
use uuid::Uuid;
use voice_relay::core::{Event, Input, Output, Relay, RelayConfig, Role, VideoMembership, View, ViewState};
use voice_relay::domain::{PeerId, RoomId, StreamId};

use super::world::relay_address;

/// The room of all of them.
pub const ROOM: RoomId = RoomId(1);

/// Thirty frames a second.
const FRAME: Duration = Duration::from_micros(33_333);

/// Layers of a camera: name, lines, bits a second.
const LAYERS: [(&str, u16, u64); 3] = [("q", 180, 150_000), ("h", 360, 500_000), ("f", 720, 1_500_000)];

/// Payload of one packet at most.
const PACKET: usize = 1_100;

/// A keyframe has so many times the bytes of another frame.
const KEYFRAME: usize = 6;

/// What a narrow way keeps, before it drops.
const QUEUE: Duration = Duration::from_millis(300);

/// Packets of a voice beside the video, and their bytes.
const VOICE_EVERY: Duration = Duration::from_millis(20);
const VOICE: usize = 120;

/// One frame as it was seen: with all of its packets, and nothing missing since the keyframe.
#[derive(Debug, Clone, Copy)]
pub struct SeenFrame {
    pub at: Instant,
    pub lines: u16,
    pub timestamp: u32,
}

/// What came in one slot, as a decoder would take it.
#[derive(Default)]
pub struct SeenSlot {
    pub frames: Vec<SeenFrame>,
    pub packets: usize,
    next: Option<u64>,
    waiting: std::collections::BTreeMap<u64, (bool, bool, Option<u16>, u32)>,
    lines: Option<u16>,
}

impl SeenSlot {
    /// Takes packets in order; after a hole it waits for what is sent again, or for a keyframe.
    fn take(&mut self, packet: &RtpPacket, at: Instant) {
        self.packets += 1;
        let Ok(descriptor) = Vp8Descriptor::parse(&packet.payload) else { return };
        let key = descriptor.starts_keyframe(&packet.payload);
        let lines = key.then(|| u16::from_le_bytes([packet.payload[14], packet.payload[15]]));
        self.waiting.insert(*packet.seq_no, (key, packet.header.marker, lines, packet.header.timestamp));
        if key && self.next.is_none_or(|next| next <= *packet.seq_no) {
            self.next = Some(*packet.seq_no);
        }
        while let Some(next) = self.next
            && let Some((_, marker, lines, timestamp)) = self.waiting.remove(&next)
        {
            self.next = Some(next + 1);
            self.lines = lines.or(self.lines);
            if marker {
                self.frames.push(SeenFrame { at, lines: self.lines.unwrap_or(0), timestamp });
            }
        }
        while self.waiting.len() > 500 {
            self.waiting.pop_first();
        }
    }
}

/// Way from the relay to one viewer: so many bits a second, and a queue.
pub struct Link {
    pub bits: u64,
    queue: VecDeque<(Instant, SocketAddr, Vec<u8>)>,
    free_at: Instant,
    pub dropped: usize,
    pub voice_dropped: usize,
    pub voice_late: Duration,
}

impl Link {
    fn new(now: Instant) -> Self {
        let (queue, voice_late) = (VecDeque::new(), Duration::ZERO);
        Self { bits: u64::MAX, queue, free_at: now, dropped: 0, voice_dropped: 0, voice_late }
    }

    fn time_of(&self, bytes: usize) -> Duration {
        // With the headers of IP and UDP.
        Duration::from_secs_f64((bytes + 28) as f64 * 8.0 / self.bits as f64)
    }

    fn send(&mut self, now: Instant, source: SocketAddr, datagram: Vec<u8>) {
        let begins = self.free_at.max(now);
        if begins - now > QUEUE {
            self.dropped += 1;
            return;
        }
        self.free_at = begins + self.time_of(datagram.len());
        self.queue.push_back((self.free_at, source, datagram));
    }

    fn send_voice(&mut self, now: Instant) {
        let begins = self.free_at.max(now);
        if begins - now > QUEUE {
            self.voice_dropped += 1;
            return;
        }
        self.free_at = begins + self.time_of(VOICE);
        self.voice_late = self.voice_late.max(self.free_at - now);
    }
}

/// One of them.
pub struct Person {
    pub rtc: Rtc,
    pub peer: PeerId,
    pub who: StreamId,
    pub camera: StreamId,
    pub slots: Vec<String>,
    pub seen: Vec<(Mid, SeenSlot)>,
    pub link: Link,
    /// Layers that it sends, of the three.
    pub layers: usize,
    pub keyframes: usize,
    pub views: Vec<ViewState>,
    pub wanted: Option<u16>,
    address: SocketAddr,
    connected: bool,
    mid: Mid,
    shows_at: Option<Instant>,
    voice_at: Option<Instant>,
    wants_keyframe: bool,
    numbers: [(u64, u32, u16, u8); 3],
    deadline: Instant,
    outbox: VecDeque<(SocketAddr, Vec<u8>)>,
}

/// The room.
pub struct Company {
    pub now: Instant,
    pub relay: Relay,
    pub people: Vec<Person>,
    pub events: Vec<Event>,
}

impl Company {
    pub fn new(people: usize, slots: usize) -> Self {
        let now = Instant::now();
        let config = RelayConfig { addresses: vec![relay_address()], ..RelayConfig::default() };
        let relay = Relay::new(config, now);
        let mut company = Self { now, relay, people: Vec::new(), events: Vec::new() };
        for _ in 0..people {
            company.join(slots);
        }
        company.run(Duration::from_secs(1));
        assert!(company.people.iter().all(|person| person.connected));
        company
    }

    fn join(&mut self, slots: usize) {
        let number = self.people.len() as u128;
        let [who, camera, screen] = [0, 1, 2].map(|kind| StreamId::of_connection(Uuid::from_u128(10 * number + kind)));
        let address = SocketAddr::from(([192, 168, 1, 50], 20_000 + number as u16));
        let mut rtc = client(address, self.now);
        let (offer, pending, mid) = offer(&mut rtc, slots);
        let membership = VideoMembership { room: ROOM, who, camera, screen, only_watches: false, is_hidden: false };
        let accepted = self.relay.accept(self.now, Role::Video(membership), &offer, false).expect("an offer of video");
        let answer = SdpAnswer::from_sdp_string(&accepted.answer).expect("an answer");
        rtc.sdp_api().accept_answer(pending, answer).expect("an answer to our offer");
        let seen = accepted.slots.iter().map(|slot| (Mid::from(&**slot), SeenSlot::default())).collect();
        self.people.push(Person {
            rtc,
            peer: accepted.peer,
            who,
            camera,
            slots: accepted.slots,
            seen,
            link: Link::new(self.now),
            layers: 3,
            keyframes: 0,
            views: Vec::new(),
            wanted: None,
            address,
            connected: false,
            mid,
            shows_at: None,
            voice_at: None,
            wants_keyframe: true,
            numbers: [(100, 1_000, 20, 5), (60_000, 4_000_000_000, 32_000, 200), (7, 77, 7, 7)],
            deadline: self.now,
            outbox: VecDeque::new(),
        });
        self.flush();
    }

    /// Shows its camera from now on.
    pub fn show(&mut self, person: usize) {
        self.people[person].shows_at = Some(self.now);
    }

    /// A voice goes the same way to somebody as the video.
    pub fn speak_to(&mut self, person: usize) {
        self.people[person].voice_at = Some(self.now);
    }

    /// Sees these cameras, each in a tile of this height, the first wanted most.
    pub fn watch(&mut self, person: usize, cameras: &[(usize, u16)]) {
        let slots = &self.people[person].slots;
        let view = |(index, (camera, height)): (usize, &(usize, u16))| View {
            slot: slots[index].clone(),
            track: self.people[*camera].camera,
            height: *height,
        };
        let views: Vec<_> = cameras.iter().enumerate().map(view).collect();
        self.relay.set_views(self.now, self.people[person].who, &views);
        self.flush();
    }

    /// Frames that somebody saw in a slot since then.
    pub fn frames(&self, person: usize, slot: usize, since: Instant) -> Vec<SeenFrame> {
        self.people[person].seen[slot].1.frames.iter().copied().filter(|frame| frame.at >= since).collect()
    }

    /// The longest time without a frame in a slot, from then on.
    pub fn longest_gap(&self, person: usize, slot: usize, since: Instant) -> Duration {
        let frames = self.frames(person, slot, since);
        let times = [since].into_iter().chain(frames.iter().map(|frame| frame.at)).chain([self.now]);
        let times: Vec<_> = times.collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.step_to(at);
        }
        self.step_to(end);
    }

    fn next_event(&self) -> Option<Instant> {
        let people = self.people.iter().flat_map(|person| {
            let arrival = person.link.queue.front().map(|(at, ..)| *at);
            [Some(person.deadline), person.shows_at, person.voice_at, arrival].into_iter().flatten()
        });
        // A timer of the runtime goes off at the next millisecond.
        people.chain([self.relay.deadline() + Duration::from_millis(1)]).min().map(|at| at.max(self.now))
    }

    fn step_to(&mut self, at: Instant) {
        self.now = at;
        for person in &mut self.people {
            while person.link.queue.front().is_some_and(|(due, ..)| *due <= at) {
                let (_, source, datagram) = person.link.queue.pop_front().expect("seen");
                person.receive(source, &datagram, at);
            }
            person.advance(at);
        }
        if self.relay.deadline() <= at {
            self.relay.handle(at, Input::Timeout);
        }
        self.flush();
    }

    fn flush(&mut self) {
        loop {
            self.drain_relay();
            let mut sent = Vec::new();
            for person in &mut self.people {
                sent.extend(person.outbox.drain(..).map(|(_, datagram)| (person.address, datagram)));
            }
            if sent.is_empty() {
                return;
            }
            for (source, payload) in sent {
                let destination = relay_address();
                self.relay.handle(self.now, Input::Datagram { source, destination, payload: &payload });
                self.drain_relay();
            }
        }
    }

    fn drain_relay(&mut self) {
        while let Some(output) = self.relay.poll() {
            match output {
                Output::Event(event) => self.note(event),
                Output::Transmit(transmit) => {
                    let to = self.people.iter_mut().find(|person| person.address == transmit.destination);
                    if let Some(person) = to {
                        person.link.send(self.now, transmit.source, transmit.payload);
                    }
                }
            }
        }
    }

    fn note(&mut self, event: Event) {
        match &event {
            Event::Views(who, states) => {
                if let Some(person) = self.people.iter_mut().find(|person| person.who == *who) {
                    person.views = states.iter().map(|(.., state)| *state).collect();
                }
            }
            Event::VideoWanted(track, height) => {
                if let Some(person) = self.people.iter_mut().find(|person| person.camera == track.id) {
                    person.wanted = Some(*height);
                }
            }
            _ => {}
        }
        self.events.push(event);
    }
}

impl Person {
    fn receive(&mut self, source: SocketAddr, datagram: &[u8], now: Instant) {
        if let Ok(receive) = Receive::new(Protocol::Udp, source, self.address, datagram) {
            let input = RtcInput::Receive(now, receive);
            if self.rtc.accepts(&input) {
                self.rtc.handle_input(input).expect("a good datagram");
            }
            self.drain(now);
        }
    }

    fn advance(&mut self, now: Instant) {
        while self.voice_at.is_some_and(|at| at <= now) {
            self.voice_at = self.voice_at.map(|at| at + VOICE_EVERY);
            self.link.send_voice(now);
        }
        while self.shows_at.is_some_and(|at| at <= now) {
            self.shows_at = self.shows_at.map(|at| at + FRAME);
            if self.connected && self.wanted != Some(0) {
                self.send_frame(now);
            }
        }
        if self.deadline <= now {
            self.rtc.handle_input(RtcInput::Timeout(now)).expect("time passes");
            self.drain(now);
        }
    }

    /// A keyframe for one layer is one for all, as in browsers.
    fn send_frame(&mut self, now: Instant) {
        let key = std::mem::take(&mut self.wants_keyframe);
        self.keyframes += usize::from(key);
        for (index, (rid, lines, bits)) in LAYERS.into_iter().enumerate().take(self.layers) {
            let bytes = (bits / 8) as usize / 30 * if key { KEYFRAME } else { 1 };
            let packets = bytes.div_ceil(PACKET);
            for number in 0..packets {
                let (sequence, timestamp, picture, tl0) = self.numbers[index];
                let payload = vp8(key, number == 0, lines, picture, tl0, bytes / packets);
                let payload_type = self.rtc.media(self.mid).expect("our own").remote_pts()[0];
                let write = RtpWrite::new(payload_type, sequence.into(), timestamp, now, payload)
                    .marker(number + 1 == packets)
                    .nackable(true);
                let mut api = self.rtc.direct_api();
                let stream = api.stream_tx_by_mid(self.mid, Some(Rid::from(rid))).expect("a layer");
                stream.write_rtp(write);
                self.numbers[index].0 += 1;
                self.drain(now);
                self.rtc.handle_input(RtcInput::Timeout(now)).expect("time passes");
                self.drain(now);
            }
            let (_, timestamp, picture, tl0) = &mut self.numbers[index];
            *timestamp = timestamp.wrapping_add(3_000);
            *picture = (*picture + 1) & 0x7fff;
            *tl0 = tl0.wrapping_add(1);
        }
    }

    fn drain(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output().expect("a session") {
                RtcOutput::Timeout(at) => {
                    self.deadline = at;
                    return;
                }
                RtcOutput::Transmit(transmit) => {
                    self.outbox.push_back((transmit.destination, transmit.contents.into()));
                }
                RtcOutput::Event(RtcEvent::Connected) => self.connected = true,
                RtcOutput::Event(RtcEvent::KeyframeRequest(_)) => self.wants_keyframe = true,
                RtcOutput::Event(RtcEvent::RtpPacket(packet)) => {
                    let mid = self.rtc.direct_api().stream_rx(&packet.header.ssrc).map(|stream| stream.mid());
                    if let Some((_, slot)) = self.seen.iter_mut().find(|(slot, _)| Some(*slot) == mid) {
                        slot.take(&packet, now);
                    }
                }
                RtcOutput::Event(_) => {}
            }
        }
    }
}

fn client(address: SocketAddr, now: Instant) -> Rtc {
    let mut rtc = Rtc::builder()
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_vp8(true)
        .clear_extension_map()
        .set_extension(3, Extension::TransportSequenceNumber)
        .set_extension(4, Extension::RtpMid)
        .set_extension(10, Extension::RtpStreamId)
        .set_extension(11, Extension::RepairedRtpStreamId)
        .build(now);
    rtc.add_local_candidate(Candidate::host(address, "udp").expect("a real address"));
    rtc
}

/// A camera in three sizes, and so many slots.
fn offer(rtc: &mut Rtc, slots: usize) -> (String, SdpPendingOffer, Mid) {
    let layer = |(rid, ..): (&str, u16, u64)| SimulcastLayer { rid: Rid::from(rid), attributes: None };
    let mut simulcast = Simulcast::new();
    LAYERS.map(layer).into_iter().for_each(|layer| simulcast.add_send_layer(layer));
    let mut changes = rtc.sdp_api();
    let mid = changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, Some(simulcast));
    for _ in 0..slots {
        changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
    }
    let (offer, pending) = changes.apply().expect("something to offer");
    (offer.to_sdp_string(), pending, mid)
}

/// Payload of VP8 with all numbers (RFC 7741 4.2), and the header of a keyframe where one begins (RFC 6386 9.1).
fn vp8(key: bool, begins: bool, lines: u16, picture: u16, tl0: u8, bytes: usize) -> Vec<u8> {
    let first = if begins { 0x90 } else { 0x80 };
    let [high, low] = picture.to_be_bytes();
    let mut payload = vec![first, 0xe0, 0x80 | high, low, tl0, 0];
    if begins {
        let [width_low, width_high] = (lines / 9 * 16).to_le_bytes();
        let [lines_low, lines_high] = lines.to_le_bytes();
        payload.extend([0x10 | u8::from(!key), 2, 0]);
        if key {
            payload.extend([0x9d, 0x01, 0x2a, width_low, width_high, lines_low, lines_high]);
        }
    }
    payload.resize(bytes.max(payload.len()), 0x55);
    payload
}
