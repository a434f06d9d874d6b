//! See [`core::fuzzing`](crate::core::fuzzing).

use std::collections::HashSet;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::switch::{LayerSource, LayerSwitch};
use super::{PathReport, VideoMembership, VideoRouter, View};
use crate::core::context::Context;
use crate::core::packet::{Keyframe, PictureId, SenderSequence, VideoCodec, VideoPacket, VideoSlot, Vp8Numbers};
use crate::domain::{PeerId, RoomId, StreamId};

/// Bytes of one step.
const STEP: usize = 6;

fn stream(number: u8) -> StreamId {
    StreamId::of_connection(Uuid::from_u128(number.into()))
}

fn packet(step: &[u8], sequence: u64, now: Instant) -> VideoPacket {
    let numbers = Vp8Numbers {
        picture_id: (step[3] & 1 != 0).then(|| {
            let is_wide = step[3] & 2 != 0;
            let value = u16::from_be_bytes([step[4], step[5]]);
            PictureId { value: value % if is_wide { 1 << 15 } else { 1 << 7 }, is_wide }
        }),
        tl0_index: (step[3] & 4 != 0).then_some(step[4]),
    };
    VideoPacket {
        mid: if step[3] & 8 != 0 { "1".into() } else { "0".into() },
        rid: (step[1] & 3 != 3).then(|| ["q", "h", "f"][usize::from(step[1] & 3)].into()),
        codec: if step[3] & 16 != 0 { VideoCodec::H264 } else { VideoCodec::Vp8 },
        sequence: SenderSequence {
            ssrc: (step[1] & 15).into(),
            sequence,
            timestamp: u64::from(step[2]) * 3_000 + u64::from(step[5]),
        },
        marker: step[3] & 32 != 0,
        keyframe: (step[3] & 64 != 0)
            .then(|| Keyframe { height: (step[3] & 128 != 0).then_some(u16::from(step[5]) * 8) }),
        vp8: Some(numbers),
        report: None,
        rotation: None,
        payload: vec![0; usize::from(step[4])].into(),
        arrived: now,
    }
}

pub(in crate::core) fn switches(bytes: &[u8], mut now: Instant) {
    let mut switch = LayerSwitch::default();
    let mut taken = HashSet::new();
    for step in bytes.chunks_exact(STEP) {
        let source = LayerSource { track: stream(step[1] & 16), ssrc: (step[1] & 15).into() };
        now += Duration::from_millis(u64::from(step[0] >> 2));
        match step[0] & 3 {
            0 => switch.set_target(Some(source)),
            1 if step[5] < 16 => switch.set_target(None),
            _ => {
                let sequence = u64::from(step[2]) << (step[5] & 7) | u64::from(step[4] & 1);
                // Sessions give no packet twice.
                if !taken.insert((source, sequence)) {
                    continue;
                }
                let before = switch.current();
                let one = packet(step, sequence, now);
                if let Some(place) =
                    switch.place(source, &one, |_| Some(u32::from_be_bytes([step[1], step[2], step[4], step[5]])), now)
                {
                    assert_eq!(switch.current(), Some(source));
                    assert!(before == Some(source) || one.keyframe.is_some(), "only a keyframe begins a layer");
                    let narrow = one.vp8.and_then(|numbers| numbers.picture_id).is_some_and(|id| !id.is_wide);
                    assert!(!narrow || place.picture_id.is_some_and(|id| id < 128));
                    assert!(place.sequence > 0);
                }
            }
        }
    }
}

pub(in crate::core) fn people(bytes: &[u8], now: Instant) {
    let mut cx = Context::new(now);
    let mut router = VideoRouter::new(6, 1_000_000);
    let mut sequence = 0;
    for step in bytes.chunks_exact(STEP) {
        let who = step[1] & 7;
        let peer = PeerId(who.into());
        match step[0] & 15 {
            0 if router.peer_of(stream(who * 4)).is_none() => {
                let membership = VideoMembership {
                    room: RoomId(u32::from(step[2] & 1)),
                    who: stream(who * 4),
                    camera: stream(who * 4 + 1),
                    screen: stream(who * 4 + 2),
                    only_watches: step[2] & 2 != 0,
                    is_hidden: step[2] & 4 != 0,
                };
                router.attach(&cx, peer, membership);
                let codecs = || vec![VideoCodec::Vp8, VideoCodec::H264];
                let slot = |number: u8| VideoSlot { mid: number.to_string().as_str().into(), codecs: codecs() };
                router.set_lines(peer, &["0".into(), "1".into()], (2..2 + (step[3] & 7)).map(slot).collect());
                router.set_connected(&mut cx, peer);
            }
            1 => router.detach(&mut cx, peer),
            2 | 3 => {
                let view = |at: usize| View {
                    slot: (2 + (step[at] & 7)).to_string(),
                    track: stream((step[at] >> 3) & 31),
                    height: u16::from(step[2]) * 8,
                };
                router.set_views(&mut cx, stream(who * 4), &[view(3), view(4), view(5)]);
            }
            4 => router.set_hidden(&mut cx, stream(who * 4), step[2] & 1 != 0),
            5 => router.end(&mut cx, stream(step[2] & 31)),
            6 => router.note_queue(&mut cx, peer, Duration::from_millis(u64::from(step[2]) * 2)),
            7 => {
                let report = PathReport {
                    estimate: Some(u64::from(step[2]) << (step[3] & 31)),
                    loss: Some(f32::from(step[4]) / 255.0),
                    round_trip: Some(Duration::from_millis(step[5].into())),
                };
                router.note_path(&mut cx, peer, report);
            }
            8 => router.note_keyframe_request(&mut cx, peer, (step[2] & 7).to_string().as_str().into()),
            9 => {
                cx.now += Duration::from_millis(u64::from(step[2]) << (step[3] & 7));
                router.wake(&mut cx);
            }
            _ => {
                sequence += 1;
                let one = packet(step, sequence, cx.now);
                router.ingest(&mut cx, peer, one);
            }
        }
        while let Some(mut fanout) = router.next_fanout() {
            while let Some(slot) = fanout.next_slot() {
                router.copy_for(&cx, slot, &fanout);
            }
            router.put_back(&mut cx, fanout);
        }
        for (peer, _) in router.due_looks(cx.now) {
            while let Some(held) = router.next_held(peer) {
                router.copy_of_held(&cx, peer, &held);
            }
        }
        while router.next_order().is_some() {}
        cx.outbox.clear();
        let is_due = router.deadline(cx.now).is_some_and(|at| at < cx.now);
        assert!(!is_due || step[0] & 15 != 9, "what was due is done once time was told");
    }
}
