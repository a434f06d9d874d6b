//! Times, counted by the class: a minute of a thousand receivers is three million of them.

use std::time::Duration;

use serde::Serialize;

/// Below this, in microseconds, a class is one microsecond wide; above, a sixty-fourth of its power of two.
const EXACT: u64 = 128;

/// Classes of each power of two.
const PARTS: u64 = 64;

/// Whatever takes longer (134 s) counts as this.
const LONGEST: u64 = (1 << 27) - 1;

/// How often something took how long. A quantile is at most 1.6 % above the truth.
#[derive(Debug, Clone, Default)]
pub(crate) struct DelayHistogram {
    classes: Vec<u64>,
    count: u64,
    longest: u64,
}

/// What is told of many times, in milliseconds; zeros where there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl DelayHistogram {
    /// Counts one.
    pub(crate) fn note(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(LONGEST).min(LONGEST);
        let class = class_of(micros);
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        self.classes[class] += 1;
        self.count += 1;
        self.longest = self.longest.max(micros);
    }

    /// Median, 99th percentile and maximum.
    pub(crate) fn spread(&self) -> Spread {
        let milliseconds = |micros: u64| micros as f64 / 1e3;
        Spread {
            p50: milliseconds(self.quantile(0.5)),
            p99: milliseconds(self.quantile(0.99)),
            max: milliseconds(self.longest),
        }
    }

    /// The least time, in microseconds, that this share of all did not exceed.
    fn quantile(&self, share: f64) -> u64 {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        let class = self.classes.iter().position(|count| {
            below += count;
            below >= wanted
        });
        class.map_or(0, end_of).min(self.longest)
    }
}

fn class_of(micros: u64) -> usize {
    let class = if micros < EXACT {
        micros
    } else {
        let power = u64::from(micros.ilog2());
        EXACT
            + (power - u64::from(EXACT.ilog2())) * PARTS
            + ((micros >> (power - u64::from(PARTS.ilog2()))) & (PARTS - 1))
    };
    class as usize
}

/// The longest time of a class.
fn end_of(class: usize) -> u64 {
    let class = class as u64;
    if class < EXACT {
        return class;
    }
    let (power, part) = ((class - EXACT) / PARTS, (class - EXACT) % PARTS);
    ((PARTS + part + 1) << (power + 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_never_below_the_truth_and_hardly_above_it() {
        let mut histogram = DelayHistogram::default();
        for micros in 1..=100_000 {
            histogram.note(Duration::from_micros(micros));
        }
        let spread = histogram.spread();
        for (told, truth) in [(spread.p50, 50.0), (spread.p99, 99.0), (spread.max, 100.0)] {
            assert!((truth..=truth * 1.016).contains(&told), "{told} for {truth}");
        }
    }

    #[test]
    fn every_time_is_within_its_class() {
        for micros in (0..1_000).chain((0..27).map(|power| 1 << power)).chain([LONGEST]) {
            let class = class_of(micros);
            assert!(micros <= end_of(class), "{micros}");
            assert!(class == 0 || micros > end_of(class - 1), "{micros}");
        }
    }

    #[test]
    fn nothing_counted_is_nothing_told() {
        assert_eq!(DelayHistogram::default().spread(), Spread::default());
    }
}
