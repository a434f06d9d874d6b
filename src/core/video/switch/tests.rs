use std::time::Duration;

use super::*;
use crate::core::packet::{Keyframe, PictureId};
use crate::core::video::tests::packet;

/// A slot, and the senders whose layers it is made from.
struct Stage {
    switch: LayerSwitch,
    now: Instant,
    sent: Vec<VideoPlace>,
}

/// Layer that sends frames of this many packets, numbered from here.
struct Sending {
    source: LayerSource,
    sequence: u64,
    timestamp: u32,
    picture: u16,
    is_wide: bool,
}

fn source(track: u128, ssrc: u32) -> LayerSource {
    LayerSource { track: StreamId::of_connection(uuid::Uuid::from_u128(track)), ssrc }
}

fn sending(ssrc: u32, sequence: u64, timestamp: u32, picture: u16) -> Sending {
    Sending { source: source(1, ssrc), sequence, timestamp, picture, is_wide: true }
}

impl Stage {
    fn new() -> Self {
        Self { switch: LayerSwitch::default(), now: Instant::now(), sent: Vec::new() }
    }

    fn want(&mut self, layer: &Sending) {
        self.switch.set_target(Some(layer.source));
    }

    /// Sends a frame of this many packets; gives how many were forwarded.
    fn frame(&mut self, layer: &mut Sending, packets: u64, key: bool, wall: Option<u32>) -> usize {
        let before = self.sent.len();
        for number in 0..packets {
            self.send(layer, number == 0 && key, number + 1 == packets, wall);
        }
        layer.timestamp = layer.timestamp.wrapping_add(3_000);
        layer.picture += 1;
        self.sent.len() - before
    }

    fn send(&mut self, layer: &mut Sending, key: bool, marker: bool, wall: Option<u32>) {
        let mut one = packet(layer.source.ssrc, layer.sequence, layer.timestamp);
        one.marker = marker;
        one.keyframe = key.then_some(Keyframe { height: None });
        let modulus = PictureId { value: 0, is_wide: layer.is_wide }.modulus();
        one.vp8 = Some(Vp8Numbers {
            picture_id: Some(PictureId { value: layer.picture % modulus, is_wide: layer.is_wide }),
            tl0_index: Some(layer.picture as u8),
        });
        self.sent.extend(self.switch.place(layer.source, &one, |_| wall, self.now));
        layer.sequence += 1;
    }

    /// Steps between what was sent: of sequence, timestamp, picture id and index.
    fn steps(&self) -> Vec<(i64, i32, u16, u8)> {
        let step = |pair: &[VideoPlace]| {
            let picture = |place: &VideoPlace| place.picture_id.expect("a number");
            let index = |place: &VideoPlace| place.tl0_index.expect("an index");
            (
                pair[1].sequence as i64 - pair[0].sequence as i64,
                pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32,
                picture(&pair[1]).wrapping_sub(picture(&pair[0])) & 0x7fff,
                index(&pair[1]).wrapping_sub(index(&pair[0])),
            )
        };
        self.sent.windows(2).map(step).collect()
    }
}

const NEXT_FRAME: (i64, i32, u16, u8) = (1, 3_000, 1, 1);

#[test]
fn nothing_is_forwarded_before_a_keyframe() {
    let mut stage = Stage::new();
    let mut low = sending(1, 5_000, 77, 900);
    stage.want(&low);
    assert_eq!(stage.frame(&mut low, 3, false, None), 0);
    assert!(stage.switch.is_waiting());
    assert_eq!(stage.frame(&mut low, 1, true, None), 1);
    assert_eq!(stage.frame(&mut low, 1, false, None), 1);
    assert!(!stage.switch.is_waiting());
    assert_eq!(stage.steps(), [NEXT_FRAME]);
    assert!(stage.sent[0].sequence < 65_536, "of the first run (RFC 3711 3.3.1)");
}

#[test]
fn a_switch_goes_on_with_all_numbers_where_the_sender_has_reported_of_both_clocks() {
    let mut stage = Stage::new();
    let (mut low, mut high) = (sending(1, 100, 1_000, 20), sending(2, 60_000, 4_000_000_000, 32_760));
    stage.want(&low);
    stage.frame(&mut low, 1, true, None);
    stage.want(&high);
    assert_eq!(stage.frame(&mut low, 1, false, None), 1, "until the keyframe the former layer goes on");
    assert_eq!(stage.frame(&mut high, 1, false, None), 0);
    // On the low layer's clock it is the frame after the last one.
    assert_eq!(stage.frame(&mut high, 1, true, Some(low.timestamp)), 1);
    assert_eq!(stage.frame(&mut low, 1, false, None), 0, "and is dropped from then on");
    assert_eq!(stage.frame(&mut high, 1, false, None), 1);
    assert_eq!(stage.steps(), [NEXT_FRAME; 3]);
}

#[test]
fn the_same_picture_in_another_size_gets_a_time_of_its_own() {
    let mut stage = Stage::new();
    let (mut low, mut high) = (sending(1, 100, 100_000, 20), sending(2, 7, 9, 9));
    stage.want(&low);
    stage.frame(&mut low, 1, true, None);
    stage.want(&high);
    // What was sent last is a frame ago, and here it is the same one again, or one before it.
    for ago in [3_000, 33_000] {
        stage.frame(&mut high, 1, true, Some(low.timestamp - ago));
        assert_eq!(stage.steps().last().map(|step| step.1), Some(900), "never back");
        stage.want(&low);
        stage.frame(&mut low, 1, true, Some(high.timestamp));
        assert_eq!(stage.steps().last().map(|step| step.1), Some(3_000));
        stage.want(&high);
    }
}

#[test]
fn a_frame_that_was_cut_short_leaves_a_hole_and_a_whole_one_does_not() {
    let mut stage = Stage::new();
    let (mut low, mut high) = (sending(1, 100, 1_000, 20), sending(2, 7, 9, 9));
    stage.want(&low);
    stage.frame(&mut low, 2, true, None);
    stage.send(&mut low, false, false, None);
    stage.want(&high);
    stage.frame(&mut high, 1, true, Some(8_000));
    assert_eq!(stage.steps().iter().map(|step| step.0).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn what_was_reordered_before_the_keyframe_is_dropped_and_what_comes_late_after_it_is_not() {
    let mut stage = Stage::new();
    let mut low = sending(1, 100, 1_000, 20);
    stage.want(&low);
    stage.frame(&mut low, 1, true, None);
    low.sequence = 99;
    assert_eq!(stage.frame(&mut low, 1, false, None), 0);
    low.sequence = 102;
    stage.frame(&mut low, 1, false, None);
    low.sequence = 101;
    stage.frame(&mut low, 1, false, None);
    assert_eq!(stage.sent.iter().map(|place| place.sequence).collect::<Vec<_>>(), [1, 3, 2]);
    low.sequence = 103;
    stage.frame(&mut low, 1, false, None);
    assert_eq!(stage.sent.last().map(|place| place.sequence), Some(4));
}

#[test]
fn another_sender_goes_on_by_our_own_clock() {
    let mut stage = Stage::new();
    let (mut anna, mut ben) = (sending(1, 100, 1_000, 20), sending(2, 7, 9, 9));
    ben.source = source(2, 2);
    stage.want(&anna);
    stage.frame(&mut anna, 1, true, None);
    stage.switch.set_target(None);
    assert_eq!(stage.frame(&mut anna, 1, true, None), 0, "a tile that was hidden costs nothing");
    stage.want(&ben);
    stage.now += Duration::from_secs(2);
    stage.frame(&mut ben, 1, true, Some(5));
    assert_eq!(stage.steps(), [(1, 180_000, 1, 1)]);
}

#[test]
fn numbers_of_seven_bits_stay_so_and_go_on() {
    let mut stage = Stage::new();
    let (mut low, mut high) = (sending(1, 100, 1_000, 120), sending(2, 7, 9, 3));
    (low.is_wide, high.is_wide) = (false, false);
    stage.want(&low);
    stage.frame(&mut low, 1, true, None);
    for _ in 0..20 {
        stage.frame(&mut low, 1, false, None);
    }
    stage.want(&high);
    stage.frame(&mut high, 1, true, Some(low.timestamp));
    stage.frame(&mut high, 1, false, None);
    let ids: Vec<_> = stage.sent.iter().map(|place| place.picture_id.expect("a number")).collect();
    assert!(ids.iter().all(|id| *id < 128), "{ids:?}");
    assert!(ids.windows(2).all(|pair| (pair[0] + 1) % 128 == pair[1]), "{ids:?}");
}

#[test]
fn hundreds_of_switches_over_every_rollover_never_repeat_a_number_or_go_back() {
    let mut stage = Stage::new();
    let mut layers =
        [sending(1, 65_500, u32::MAX - 20_000, 32_700), sending(2, 1, 5, 5), sending(3, 1 << 40, 1 << 31, 0)];
    let mut left = 0;
    for round in 0..900_usize {
        let index = round * 7 % 3;
        stage.want(&layers[index]);
        let wall = layers[left].timestamp;
        for other in [0, 1, 2].map(|step| (index + step) % 3) {
            layers[other].picture %= 32_768;
            stage.frame(&mut layers[other], 1, other == index, Some(wall));
        }
        left = index;
    }
    assert_eq!(stage.steps(), [NEXT_FRAME; 899]);
}
