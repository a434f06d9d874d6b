//! The router of video, without sessions: what is forwarded, and what its senders are asked for.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::*;
use crate::core::packet::{Keyframe, SenderSequence, VideoCodec};

/// A packet that closes its frame.
pub(super) fn packet(ssrc: u32, sequence: u64, timestamp: u32) -> VideoPacket {
    VideoPacket {
        mid: "0".into(),
        rid: None,
        codec: VideoCodec::Vp8,
        sequence: SenderSequence { ssrc, sequence, timestamp: timestamp.into() },
        marker: true,
        keyframe: None,
        vp8: None,
        report: None,
        rotation: None,
        payload: vec![0; 1_000].into(),
        arrived: Instant::now(),
    }
}

/// A packet of the first, second or third of three layers: of 180, 360 and 720 lines.
pub(super) fn layered(layer: u32, is_keyframe: bool) -> VideoPacket {
    let mut packet = packet(layer, 1, 0);
    packet.rid = Some(["q", "h", "f"][layer as usize - 1].into());
    packet.keyframe = is_keyframe.then_some(Keyframe { height: Some(90 << layer) });
    packet
}

pub(super) fn track_of(number: u128, now: Instant) -> VideoTrack {
    let id = StreamId::of_connection(Uuid::from_u128(number));
    VideoTrack::new(Track { id, kind: TrackKind::Camera, room: RoomId(1) }, PeerId(1), "0".into(), now)
}

fn stream(number: u128) -> StreamId {
    StreamId::of_connection(Uuid::from_u128(number))
}

/// People who show and see, by their numbers: their peers have the same.
struct Company {
    router: VideoRouter,
    cx: Context,
    sequences: FxHashMap<u32, u64>,
    copies: Vec<(PeerId, Mid, VideoPacket)>,
}

impl Company {
    fn new(people: u64) -> Self {
        let now = Instant::now();
        let mut company = Self {
            router: VideoRouter::new(20, 10_000_000),
            cx: Context::new(now),
            sequences: FxHashMap::default(),
            copies: Vec::new(),
        };
        for who in 1..=people {
            company.come(who, RoomId(1));
        }
        company
    }

    fn come(&mut self, who: u64, room: RoomId) {
        let [voice, camera, screen] = [0, 1, 2].map(|kind| stream(u128::from(who) * 10 + kind));
        let membership = VideoMembership { room, who: voice, camera, screen, only_watches: false, is_hidden: false };
        self.router.attach(&self.cx, PeerId(who), membership);
        let slot = |number: usize| VideoSlot { mid: number.to_string().as_str().into(), codecs: vec![VideoCodec::Vp8] };
        self.router.set_lines(PeerId(who), &["0".into(), "1".into()], (2..7).map(slot).collect());
        self.router.set_connected(&mut self.cx, PeerId(who));
    }

    /// Sees these cameras in the slots from the first on, in tiles of this height.
    fn watch(&mut self, who: u64, cameras: &[u64], height: u16) {
        let view = |(index, camera): (usize, &u64)| View {
            slot: (index + 2).to_string(),
            track: stream(u128::from(*camera) * 10 + 1),
            height,
        };
        let views: Vec<_> = cameras.iter().enumerate().map(view).collect();
        self.router.set_views(&mut self.cx, stream(u128::from(who) * 10), &views);
    }

    /// A frame of each of the three layers of somebody's camera.
    fn frame(&mut self, who: u64, is_keyframe: bool) {
        for layer in 1..=3_u32 {
            let ssrc = who as u32 * 10 + layer;
            let sequence = self.sequences.entry(ssrc).or_insert(100);
            *sequence += 1;
            let mut packet = layered(layer, is_keyframe);
            packet.sequence = SenderSequence { ssrc, sequence: *sequence, timestamp: *sequence * 3_000 };
            packet.arrived = self.cx.now;
            packet.payload = vec![0; 500 << (2 * layer - 2)].into();
            self.router.ingest(&mut self.cx, PeerId(who), packet);
            self.deliver();
        }
    }

    fn deliver(&mut self) {
        while let Some(mut fanout) = self.router.next_fanout() {
            while let Some(slot) = fanout.next_slot() {
                let copy = self.router.copy_for(&self.cx, slot, &fanout);
                self.copies.extend(copy.map(|(peer, copy)| (peer, copy.mid, copy.packet.clone())));
            }
            self.router.put_back(&mut self.cx, fanout);
        }
    }

    /// These people show for a while, thirty frames a second; every one with a keyframe where it was asked for.
    fn show(&mut self, people: &[u64], duration: Duration) {
        let until = self.cx.now + duration;
        while self.cx.now < until {
            let asked = self.take_requests();
            for who in people {
                self.frame(*who, asked.contains(who));
            }
            self.cx.now += Duration::from_millis(33);
            self.router.wake(&mut self.cx);
        }
    }

    fn estimate(&mut self, who: u64, bits: u64) {
        let report = PathReport { estimate: Some(bits), ..PathReport::default() };
        self.router.note_path(&mut self.cx, PeerId(who), report);
    }

    fn lose(&mut self, who: u64, lost: f32) {
        let report = PathReport { loss: Some(lost), ..PathReport::default() };
        self.router.note_path(&mut self.cx, PeerId(who), report);
    }

    /// Those who were asked for a keyframe; others stay asked.
    fn take_requests(&mut self) -> Vec<u64> {
        let mut asked = Vec::new();
        while let Some(order) = self.router.next_order() {
            if let VideoOrder::RequestKeyframe { peer, .. } = order {
                asked.push(peer.0);
            }
        }
        asked
    }

    fn told(&mut self) -> Vec<Event> {
        let outbox = std::mem::take(&mut self.cx.outbox);
        outbox
            .into_iter()
            .filter_map(|output| match output {
                crate::core::Output::Event(event) => Some(event),
                crate::core::Output::Transmit(_) => None,
            })
            .collect()
    }

    /// Lines of what came to somebody lately, by slot.
    fn seen_by(&mut self, who: u64) -> Vec<(String, u32)> {
        let copies = std::mem::take(&mut self.copies);
        let of_them = copies.into_iter().filter(|(peer, ..)| *peer == PeerId(who));
        let mut seen: Vec<_> =
            of_them.map(|(_, mid, packet)| (mid.to_string(), 90 << (packet.sequence.ssrc % 10))).collect();
        seen.dedup();
        seen.sort();
        seen.dedup();
        seen
    }
}

#[test]
fn a_camera_is_seen_by_those_who_look_and_costs_the_others_nothing() {
    let mut company = Company::new(3);
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.seen_by(2), [("2".into(), 180)]);
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.seen_by(3), []);
}

#[test]
fn what_is_in_another_room_is_never_seen() {
    let mut company = Company::new(1);
    company.come(2, RoomId(2));
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(1));
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.seen_by(2), [], "whether it was there when they asked, or came later");
}

#[test]
fn a_large_tile_gets_the_large_picture_and_a_small_one_the_small() {
    let mut company = Company::new(3);
    company.show(&[1], Duration::from_secs(2));
    company.watch(2, &[1], 700);
    company.watch(3, &[1], 100);
    company.show(&[1], Duration::from_secs(2));
    company.copies.clear();
    company.show(&[1], Duration::from_secs(1));
    let copies = company.copies.clone();
    assert_eq!(company.seen_by(2), [("2".into(), 720)]);
    company.copies = copies;
    assert_eq!(company.seen_by(3), [("2".into(), 180)]);
}

#[test]
fn a_tile_that_is_hidden_gets_no_packet_from_then_on() {
    let mut company = Company::new(2);
    company.watch(2, &[1], 360);
    company.show(&[1], Duration::from_secs(1));
    assert!(!company.seen_by(2).is_empty());
    for hidden in [&[1][..], &[]] {
        company.watch(2, hidden, 0);
        company.show(&[1], Duration::from_secs(1));
        assert_eq!(company.seen_by(2), []);
    }
}

#[test]
fn a_sender_is_told_what_the_largest_tile_shows_and_when_nobody_looks() {
    let mut company = Company::new(3);
    let wanted = |company: &mut Company| {
        let told = company.told().into_iter().filter_map(|event| match event {
            Event::VideoWanted(_, height) => Some(height),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(wanted(&mut company), [0]);
    company.watch(2, &[1], 180);
    company.watch(3, &[1], 720);
    assert_eq!(wanted(&mut company), [180, 720]);
    company.watch(3, &[], 0);
    company.show(&[1], Duration::from_secs(4));
    assert!(wanted(&mut company).is_empty(), "it may be wanted again in a moment");
    company.show(&[1], Duration::from_secs(2));
    assert_eq!(wanted(&mut company), [180]);
}

#[test]
fn twenty_who_come_at_once_cost_a_sender_few_keyframes() {
    let mut company = Company::new(21);
    company.show(&[1], Duration::from_secs(1));
    company.take_requests();
    for who in 2..=21 {
        company.watch(who, &[1], 180);
    }
    let before = company.cx.stats.keyframes_requested;
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.cx.stats.keyframes_requested - before, 0, "asked already, once for all");
    assert_eq!(before, 1);
    for who in 2..=21 {
        let copies = company.copies.clone();
        assert!(!company.seen_by(who).is_empty());
        company.copies = copies;
    }
}

#[test]
fn a_layer_that_stops_is_replaced_by_one_that_comes() {
    let mut company = Company::new(2);
    company.watch(2, &[1], 720);
    company.show(&[1], Duration::from_secs(2));
    company.copies.clear();
    // Its sender has no room for more than the smallest.
    for frame in 0..60 {
        let asked = company.take_requests().contains(&1);
        let mut small = layered(1, asked);
        let sequence = 1_000 + frame;
        small.sequence = SenderSequence { ssrc: 11, sequence, timestamp: sequence * 3_000 };
        company.router.ingest(&mut company.cx, PeerId(1), small);
        company.deliver();
        company.cx.now += Duration::from_millis(33);
        company.router.wake(&mut company.cx);
    }
    assert_eq!(company.seen_by(2), [("2".into(), 180)]);
}

#[test]
fn whoever_only_watches_shows_nothing() {
    let mut company = Company::new(2);
    company.router.endpoints.get_mut(&PeerId(1)).expect("there").membership.only_watches = true;
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.seen_by(2), []);
    assert_eq!(company.router.live().count(), 0);
}

#[test]
fn what_somebody_may_not_show_any_more_ends_at_once_and_may_come_again() {
    let mut company = Company::new(2);
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(1));
    company.router.set_hidden(&mut company.cx, stream(10), true);
    company.seen_by(2);
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.seen_by(2), []);
    assert_eq!(company.router.live().count(), 0);
    company.router.set_hidden(&mut company.cx, stream(10), false);
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.seen_by(2), [("2".into(), 180)]);
}

#[test]
fn a_track_that_ended_begins_anew_for_those_who_still_look() {
    let mut company = Company::new(2);
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(1));
    company.router.end(&mut company.cx, stream(11));
    company.seen_by(2);
    assert!(company.told().iter().any(|event| matches!(event, Event::StreamEnded(_))));
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.seen_by(2), [("2".into(), 180)]);
}

#[test]
fn a_viewer_is_told_what_it_sees_and_only_when_that_changes() {
    let mut company = Company::new(2);
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(2));
    let told = company.told().into_iter().filter_map(|event| match event {
        Event::Views(_, states) => Some(states.into_iter().map(|(.., state)| state).collect::<Vec<_>>()),
        _ => None,
    });
    let told = told.collect::<Vec<_>>();
    assert_eq!(told, [vec![ViewState::Waiting], vec![ViewState::Playing(Some(180))]]);
}

#[test]
fn a_browser_that_does_not_know_the_codec_is_told_so() {
    let mut company = Company::new(2);
    let slot = VideoSlot { mid: "2".into(), codecs: vec![VideoCodec::H264] };
    company.router.set_lines(PeerId(2), &["0".into()], vec![slot]);
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(1));
    assert_eq!(company.seen_by(2), []);
    let state = company.told().into_iter().rev().find_map(|event| match event {
        Event::Views(_, states) => states.first().map(|(.., state)| *state),
        _ => None,
    });
    assert_eq!(state, Some(ViewState::CannotDecode));
}

#[test]
fn on_a_narrow_way_the_most_wanted_is_seen_alone_and_all_come_back() {
    let mut company = Company::new(6);
    company.watch(6, &[1, 2, 3, 4, 5], 720);
    company.show(&[1, 2, 3, 4, 5], Duration::from_secs(2));
    // Smallest layers take 120 kbit/s each.
    company.lose(6, 0.5);
    company.estimate(6, 200_000);
    company.show(&[1, 2, 3, 4, 5], Duration::from_secs(2));
    company.estimate(6, 200_000);
    company.show(&[1, 2, 3, 4, 5], Duration::from_secs(2));
    company.copies.clear();
    company.show(&[1, 2, 3, 4, 5], Duration::from_secs(1));
    assert_eq!(company.seen_by(6), [("2".into(), 180)]);
    company.estimate(6, 20_000_000);
    company.show(&[1, 2, 3, 4, 5], Duration::from_secs(12));
    company.copies.clear();
    company.show(&[1, 2, 3, 4, 5], Duration::from_secs(1));
    assert_eq!(company.seen_by(6).len(), 5);
}

#[test]
fn what_a_session_has_no_room_for_waits_and_is_sent_in_order() {
    let mut company = Company::new(2);
    company.watch(2, &[1], 180);
    company.show(&[1], Duration::from_secs(1));
    company.router.note_queue(&mut company.cx, PeerId(2), Duration::from_millis(40));
    company.copies.clear();
    company.show(&[1], Duration::from_millis(100));
    assert_eq!(company.copies.len(), 0);
    assert!(company.router.next_held(PeerId(2)).is_none(), "not before there is room");
    company.router.note_queue(&mut company.cx, PeerId(2), Duration::ZERO);
    let mut sequences = Vec::new();
    while let Some(held) = company.router.next_held(PeerId(2)) {
        let copy = company.router.copy_of_held(&company.cx, PeerId(2), &held);
        sequences.extend(copy.map(|copy| copy.place.sequence));
    }
    assert!(sequences.len() >= 3 && sequences.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{sequences:?}");
}

#[test]
fn a_queue_that_grows_old_leaves_one_picture_at_once() {
    let mut company = Company::new(6);
    company.watch(6, &[1, 2, 3, 4, 5], 720);
    company.show(&[1, 2, 3, 4, 5], Duration::from_secs(2));
    company.router.note_queue(&mut company.cx, PeerId(6), Duration::from_millis(300));
    company.router.note_queue(&mut company.cx, PeerId(6), Duration::ZERO);
    company.show(&[1, 2, 3, 4, 5], Duration::from_millis(300));
    company.copies.clear();
    company.show(&[1, 2, 3, 4, 5], Duration::from_millis(800));
    assert_eq!(company.seen_by(6), [("2".into(), 180)]);
    assert_eq!(company.cx.stats.video_brakes, 1);
}
