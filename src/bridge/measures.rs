//! How well those in rooms hear: what is made of the relay's measures and of what clients report of themselves. Pure
//! functions, but for the one that remembers what was sent before.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::core::MemberStats;
use crate::domain::StreamId;
use crate::rooms::Quality;

/// An Opus packet is sent when it is complete: so long after its first sample was said.
const PACKETIZING: Duration = Duration::from_millis(20);

/// The longest delay that is believed of a client.
const MAX_DELAY_MS: f64 = 60_000.0;

/// Losses and round trips above which a connection is no longer good, and above which it is poor.
const FAIR: (f32, Duration) = (0.02, Duration::from_millis(150));
const POOR: (f32, Duration) = (0.08, Duration::from_millis(400));

/// What a participant says of how it hears.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HearingReport {
    pub(super) delay_ms: Option<f64>,
    concealed: Option<f64>,
}

impl HearingReport {
    /// As far as it can be believed: `delay_ms` from a packet's arrival to the ear, `concealed` a share of 1.
    pub fn new(delay_ms: Option<f64>, concealed: Option<f64>) -> Self {
        Self {
            delay_ms: delay_ms.filter(|delay| (0.0..MAX_DELAY_MS).contains(delay)),
            concealed: concealed.filter(|share| (0.0..=1.0).contains(share)),
        }
    }
}

/// How much participants had sent when that was looked at last.
#[derive(Debug, Default)]
pub(super) struct SentBytes(HashMap<StreamId, (Instant, u64)>);

impl SentBytes {
    /// Bits a second that all of these sent since; `None` at the first look.
    pub(super) fn bitrate(&mut self, members: &[&MemberStats]) -> Option<u64> {
        let now = Instant::now();
        let rates = members.iter().filter_map(|member| {
            let (at, bytes) = self.0.insert(member.voice, (now, member.bytes_in))?;
            let seconds = now.saturating_duration_since(at).as_secs_f64();
            (seconds > 0.0).then(|| (member.bytes_in.saturating_sub(bytes) * 8) as f64 / seconds)
        });
        let rates: Vec<_> = rates.collect();
        (!rates.is_empty()).then(|| rates.iter().sum::<f64>() as u64)
    }

    pub(super) fn forget_all_but(&mut self, members: &[MemberStats]) {
        self.0.retain(|voice, _| members.iter().any(|member| member.voice == *voice));
    }
}

/// From mouth to ear, as far as is known: making the packet, half the round trip, and what the hearer says of its own
/// buffers. The way from the mouth to us, some milliseconds on Wi-Fi, is not known and not in it.
pub(super) fn delay(member: &MemberStats, report: HearingReport) -> Option<f64> {
    Some(millis(PACKETIZING) + millis(member.round_trip? / 2) + report.delay_ms?)
}

/// How well somebody hears; `None` before anything is known.
pub(super) fn quality(member: &MemberStats, report: HearingReport) -> Option<Quality> {
    let loss = [member.loss, report.concealed.map(|share| share as f32)].into_iter().flatten().reduce(f32::max);
    let exceeds = |bound: (f32, Duration)| {
        loss.is_some_and(|loss| loss > bound.0) || member.round_trip.is_some_and(|trip| trip > bound.1)
    };
    loss.is_some().then(|| match (exceeds(POOR), exceeds(FAIR)) {
        (true, _) => Quality::Poor,
        (_, true) => Quality::Fair,
        _ => Quality::Good,
    })
}

pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::RoomId;

    fn member(loss: Option<f32>, round_trip: u64) -> MemberStats {
        MemberStats {
            voice: StreamId::of_connection(Uuid::from_u128(1)),
            room: RoomId::HOME,
            bytes_in: 0,
            bytes_out: 0,
            loss,
            round_trip: Some(Duration::from_millis(round_trip)),
            jitter: None,
            bearable: 128_000,
        }
    }

    #[test]
    fn what_a_client_says_of_itself_is_believed_within_reason() {
        let absurd = HearingReport::new(Some(-1.0), Some(f64::NAN));
        assert_eq!(absurd, HearingReport::default());
        assert_eq!(HearingReport::new(Some(f64::INFINITY), Some(1.5)), HearingReport::default());
        assert_eq!(HearingReport::new(Some(80.0), Some(0.5)).delay_ms, Some(80.0));
    }

    #[test]
    fn a_connection_is_as_good_as_the_worst_that_is_known_of_it() {
        let none = HearingReport::default();
        assert_eq!(quality(&member(None, 900), none), None);
        assert_eq!(quality(&member(Some(0.0), 5), none), Some(Quality::Good));
        assert_eq!(quality(&member(Some(0.05), 5), none), Some(Quality::Fair));
        assert_eq!(quality(&member(Some(0.0), 500), none), Some(Quality::Poor));
        assert_eq!(quality(&member(Some(0.0), 5), HearingReport::new(None, Some(0.2))), Some(Quality::Poor));
    }

    #[test]
    fn the_way_to_the_ear_is_known_only_where_all_of_it_is() {
        let hears = HearingReport::new(Some(60.0), None);
        assert_eq!(delay(&member(Some(0.0), 4), hears), Some(82.0));
        assert_eq!(delay(&member(Some(0.0), 4), HearingReport::default()), None);
    }

    #[test]
    fn the_middle_of_none_is_none() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(mean([1.0, 2.0].into_iter()), Some(1.5));
    }
}
