//! A browser's part in tests: one peer connection that sends or receives one audio stream.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// How often a talking client sends.
pub const PTIME: Duration = Duration::from_millis(20);
const SAMPLES_PER_PACKET: u64 = 960;

/// One packet as a receiver got it.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub ssrc: u32,
    /// Extended sequence number.
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub audio_level: Option<i8>,
    pub payload: Vec<u8>,
    pub at: Instant,
}

impl Received {
    /// The sender's own count of its packets, which [`Client`] writes into each payload.
    pub fn number(&self) -> u64 {
        u64::from_be_bytes(self.payload[..8].try_into().expect("payloads begin with eight bytes of count"))
    }

    /// Who sent it.
    pub fn tag(&self) -> u8 {
        self.payload[8]
    }
}

/// The numbers that a sender puts on its next packet.
#[derive(Debug, Clone, Copy)]
pub struct Numbering {
    pub sequence: u64,
    pub timestamp: u64,
}

/// Opus packets, one for each number from 0.
pub type Voice = Box<dyn FnMut(u64) -> Vec<u8> + Send>;

/// A peer connection without a socket.
pub struct Client {
    pub rtc: Rtc,
    pub address: SocketAddr,
    pub connected: bool,
    /// The other side closed the connection, or it failed.
    pub closed: bool,
    pub received: Vec<Received>,
    /// Packets sent so far.
    pub sent: u64,
    pub next: Numbering,
    /// In dBov, written on each packet.
    pub audio_level: i8,
    /// Makes the payload of each packet from its number; without it, the number itself.
    pub voice: Option<Voice>,
    /// Of the sender, written into each payload.
    pub tag: u8,
    /// Asks for what it lost again (RFC 4585), as browsers do where that was agreed.
    pub asks_again: bool,
    /// Where the last datagram came from.
    pub heard_from: Option<SocketAddr>,
    mid: Option<Mid>,
    music: Option<Mid>,
    plays_music: bool,
    pending: Option<SdpPendingOffer>,
    talks_at: Option<Instant>,
    deadline: Instant,
    outbox: VecDeque<(SocketAddr, Vec<u8>)>,
}

impl Client {
    pub fn new(address: SocketAddr, now: Instant) -> Self {
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .clear_extension_map()
            .set_extension(1, Extension::AudioLevel)
            .set_extension(4, Extension::RtpMid)
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").expect("a real address"));
        Self {
            rtc,
            address,
            connected: false,
            closed: false,
            received: Vec::new(),
            sent: 0,
            next: Numbering { sequence: 100, timestamp: 0 },
            audio_level: -30,
            voice: None,
            tag: 0,
            asks_again: false,
            heard_from: None,
            mid: None,
            music: None,
            plays_music: false,
            pending: None,
            talks_at: None,
            deadline: now,
            outbox: VecDeque::new(),
        }
    }

    /// Offers to send audio, first or anew; `restart` asks for new ICE credentials.
    pub fn offer(&mut self, restart: bool) -> String {
        let mut changes = self.rtc.sdp_api();
        if self.mid.is_none() {
            self.mid = Some(changes.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None));
        }
        if restart {
            changes.ice_restart(true);
        }
        let (offer, pending) = changes.apply().expect("something to offer");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// Offers to take part in a room: a voice, music, and so many slots to hear others in; more of them when there
    /// are some already, with new ICE credentials where there was an offer before.
    pub fn offer_to_join(&mut self, slots: usize) -> String {
        let mut changes = self.rtc.sdp_api();
        let audio = |changes: &mut str0m::change::SdpApi<'_>, direction| {
            changes.add_media(MediaKind::Audio, direction, None, None, None)
        };
        if self.mid.is_none() {
            self.mid = Some(audio(&mut changes, Direction::SendOnly));
            self.music = Some(audio(&mut changes, Direction::SendOnly));
        } else {
            changes.ice_restart(true);
        }
        for _ in 0..slots {
            audio(&mut changes, Direction::RecvOnly);
        }
        let (offer, pending) = changes.apply().expect("something to offer");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// Offers to hear on so many m-lines.
    pub fn offer_to_hear(&mut self, lines: usize) -> String {
        let mut changes = self.rtc.sdp_api();
        for _ in 0..lines {
            changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        }
        let (offer, pending) = changes.apply().expect("something to offer");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// Starts ICE anew, with other credentials; gives the whole offer.
    pub fn offer_restart(&mut self) -> String {
        let mut changes = self.rtc.sdp_api();
        changes.ice_restart(true);
        let (offer, pending) = changes.apply().expect("something to offer");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// Talks on the m-line for music from now on.
    pub fn play_music(&mut self, now: Instant) {
        self.plays_music = true;
        self.talk(now);
    }

    pub fn accept_answer(&mut self, answer: &str, now: Instant) {
        let pending = self.pending.take().expect("an offer to answer");
        let answer = SdpAnswer::from_sdp_string(answer).expect("a well-formed answer");
        self.rtc.sdp_api().accept_answer(pending, answer).expect("an answer to our offer");
        self.advance(now);
    }

    /// Takes an offer to receive audio; gives the answer.
    pub fn accept_offer(&mut self, offer: &str, now: Instant) -> String {
        let offer = SdpOffer::from_sdp_string(offer).expect("a well-formed offer");
        let answer = self.rtc.sdp_api().accept_offer(offer).expect("an acceptable offer");
        self.advance(now);
        answer.to_sdp_string()
    }

    /// Sends a packet every 20 ms from now on.
    pub fn talk(&mut self, now: Instant) {
        self.talks_at = Some(now);
    }

    /// Sends none any more, as when a track is removed; the connection stays.
    pub fn pause(&mut self) {
        self.talks_at = None;
    }

    /// Jumps ahead in the sender's numbers, as DTX (timestamp only) or loss before us (both) do.
    pub fn skip(&mut self, packets: u64, samples: u64) {
        self.next.sequence += packets;
        self.next.timestamp += samples;
    }

    /// Sends from another source (SSRC) from now on.
    pub fn change_source(&mut self, ssrc: u32) {
        let mid = self.mid.expect("a sender");
        self.rtc.direct_api().reset_stream_tx(mid, None, ssrc.into(), None).expect("another source than before");
    }

    /// Says goodbye as `RTCPeerConnection.close()` does.
    pub fn close(&mut self) {
        let _ = self.rtc.close();
        self.drain();
    }

    pub fn receive(&mut self, source: SocketAddr, payload: &[u8], now: Instant) {
        self.heard_from = Some(source);
        if let Ok(datagram) = Receive::new(Protocol::Udp, source, self.address, payload) {
            let input = Input::Receive(now, datagram);
            if self.rtc.accepts(&input) && self.rtc.handle_input(input).is_err() {
                self.closed = true;
            }
            self.drain();
        }
    }

    pub fn advance(&mut self, now: Instant) {
        while self.talks_at.is_some_and(|at| at <= now) {
            self.talks_at = self.talks_at.map(|at| at + PTIME);
            if self.connected {
                self.send_one(now);
            }
        }
        if self.rtc.handle_input(Input::Timeout(now)).is_err() {
            self.closed = true;
        }
        self.drain();
    }

    /// When to call [`advance`](Self::advance).
    pub fn deadline(&self) -> Instant {
        self.talks_at.map_or(self.deadline, |at| at.min(self.deadline))
    }

    /// The next datagram to send, and to whom.
    pub fn poll(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.outbox.pop_front()
    }

    fn send_one(&mut self, now: Instant) {
        let Some(mid) = self.mid.filter(|_| !self.plays_music).or(self.music) else { return };
        let payload = match &mut self.voice {
            Some(voice) => voice(self.sent),
            None => numbered_payload(self.sent, self.tag),
        };
        self.send_payload(mid, payload, now);
    }

    fn send_payload(&mut self, mid: Mid, payload: Vec<u8>, now: Instant) {
        let payload_type = self.rtc.media(mid).expect("our own m-line").remote_pts()[0];
        let extensions = ExtensionValues {
            audio_level: Some(self.audio_level),
            voice_activity: Some(true),
            ..ExtensionValues::default()
        };
        let write = RtpWrite::new(payload_type, self.next.sequence.into(), self.next.timestamp as u32, now, payload)
            .ext_vals(extensions);
        self.rtc.direct_api().stream_tx_by_mid(mid, None).expect("our own stream").write_rtp(write);
        self.drain();
        self.sent += 1;
        self.skip(1, SAMPLES_PER_PACKET);
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.deadline = at;
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    self.outbox.push_back((transmit.destination, transmit.contents.into()));
                }
                Ok(Output::Event(event)) => self.note(event),
                Err(_) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::Closed => self.closed = true,
            Event::RtpPacket(packet) => self.take(packet),
            _ => {}
        }
    }

    fn take(&mut self, packet: RtpPacket) {
        if let Some(stream) = self.rtc.direct_api().stream_rx(&packet.header.ssrc) {
            stream.suppress_nack(!self.asks_again);
        }
        self.received.push(Received {
            ssrc: *packet.header.ssrc,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            audio_level: packet.header.ext_vals.audio_level,
            payload: packet.payload.to_vec(),
            at: packet.timestamp,
        });
    }
}

/// 160 bytes that begin with the packet's number, and who sent it.
fn numbered_payload(number: u64, tag: u8) -> Vec<u8> {
    let mut payload = vec![0xfc; 160];
    payload[..8].copy_from_slice(&number.to_be_bytes());
    payload[8] = tag;
    payload
}
