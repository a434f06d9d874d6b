//! What two servers cost, in turn: machines are slow and fast by the minute, so only neighbours are compared.

use serde::Serialize;
use tokio::runtime::Runtime;

use super::points::point;
use super::{MeasureError, on};
use crate::arguments::{Contestant, Weight};
use crate::point::{LoadPoint, Printer};
use crate::server::Server;

#[derive(Serialize)]
struct RoundMeasures {
    mode: &'static str,
    rounds: Vec<Round>,
    ratios: Vec<Ratios>,
}

/// One point of each.
#[derive(Serialize)]
struct Round {
    ours: LoadPoint,
    other: LoadPoint,
}

/// Medians of all valid rounds with so many receivers: ours divided by the other's. `null` where there are none.
#[derive(Serialize)]
struct Ratios {
    receivers: usize,
    rounds: usize,
    us_per_packet: Option<f64>,
    delay_p50: Option<f64>,
    delay_p99: Option<f64>,
    kb_per_receiver: Option<f64>,
    join_p50: Option<f64>,
}

pub(super) fn run(
    runtime: &Runtime,
    two: &[Contestant; 2],
    weight: &Weight,
    mut printer: Printer,
) -> Result<(), MeasureError> {
    let (mut rounds, mut ratios) = (Vec::new(), Vec::new());
    for receivers in &weight.receivers {
        let first = rounds.len();
        for number in 0..weight.repeats {
            rounds.push(round(runtime, two, weight, *receivers, number, &mut printer)?);
        }
        let told = Ratios::of(*receivers, &rounds[first..]);
        printer.say(&told.line())?;
        ratios.push(told);
    }
    Ok(printer.finish(&RoundMeasures { mode: "compare", rounds, ratios })?)
}

/// Each once, the other one first every second time.
fn round(
    runtime: &Runtime,
    two: &[Contestant; 2],
    weight: &Weight,
    receivers: usize,
    number: usize,
    printer: &mut Printer,
) -> Result<Round, MeasureError> {
    let mut measure = |contestant: &Contestant| -> Result<LoadPoint, MeasureError> {
        let server = Server::spawn(&contestant.command)?;
        let point = on(runtime, point(&server, weight, contestant.via, receivers))?;
        printer.row(contestant.name, &point)?;
        Ok(point)
    };
    let [ours, other] = two;
    if number.is_multiple_of(2) {
        Ok(Round { ours: measure(ours)?, other: measure(other)? })
    } else {
        let other = measure(other)?;
        Ok(Round { ours: measure(ours)?, other })
    }
}

impl Ratios {
    fn of(receivers: usize, rounds: &[Round]) -> Self {
        let valid: Vec<_> = rounds.iter().filter(|round| round.ours.counts && round.other.counts).collect();
        let ratio = |value: fn(&LoadPoint) -> Option<f64>| {
            median(valid.iter().filter_map(|round| Some(value(&round.ours)? / value(&round.other)?)).collect())
        };
        Self {
            receivers,
            rounds: valid.len(),
            us_per_packet: ratio(|point| point.server_us_per_packet),
            delay_p50: ratio(|point| Some(point.delay_ms.p50)),
            delay_p99: ratio(|point| Some(point.delay_ms.p99)),
            kb_per_receiver: ratio(|point| point.server_kb_per_receiver),
            join_p50: ratio(|point| Some(point.join_ms.p50)),
        }
    }

    fn line(&self) -> String {
        let told = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
        let [cpu, memory, p50, p99, join] =
            [self.us_per_packet, self.kb_per_receiver, self.delay_p50, self.delay_p99, self.join_p50].map(told);
        let Self { receivers, rounds, .. } = self;
        format!(
            "ours / other, {receivers} receivers, median of {rounds} valid rounds: \
             CPU {cpu}, memory {memory}, delay p50 {p50}, p99 {p99}, join p50 {join}"
        )
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
