//! One measured point: so many receivers for so long, as a row of the table and as JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::crowd::{Crowd, Group};
use super::histogram::Spread;
use super::load::Growth;

/// What was measured with so many receivers. Times are milliseconds; CPU is percent of one processor.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LoadPoint {
    pub(crate) receivers: usize,
    pub(crate) senders: usize,
    pub(crate) seconds: f64,
    /// Whether it is valid; `why_not` says what the load did wrong.
    pub(crate) counts: bool,
    pub(crate) why_not: Option<String>,
    pub(crate) join_ms: Spread,
    pub(crate) delay_ms: Spread,
    pub(crate) loss_percent: f64,
    pub(crate) packets: u64,
    pub(crate) packets_lost: u64,
    pub(crate) packets_twice: u64,
    /// Decrypted and compared with what was said.
    pub(crate) packets_proved: u64,
    pub(crate) packets_corrupt: u64,
    pub(crate) connections_ended: u64,
    /// Of the server; `null` where its process is not known.
    pub(crate) server_cpu_percent: Option<f64>,
    pub(crate) server_us_per_packet: Option<f64>,
    /// How much of its CPU the kernel used for it, in hundredths.
    pub(crate) server_kernel_percent: Option<f64>,
    /// Percent by the names of threads.
    pub(crate) server_threads: Option<BTreeMap<String, f64>>,
    pub(crate) server_kb: Option<u64>,
    pub(crate) server_kb_per_receiver: Option<f64>,
    pub(crate) own: OwnCost,
}

/// What the load itself did.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OwnCost {
    pub(crate) cpu_percent: f64,
    pub(crate) late_sends: u64,
    pub(crate) refused_sends: u64,
    pub(crate) receive_drops: u64,
}

/// The server's memory in KB, before the receivers came and while they listen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) before: u64,
    pub(crate) now: u64,
    /// How many receivers those are.
    pub(crate) receivers: usize,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PointRequest {
    pub(crate) receivers: usize,
    pub(crate) senders: usize,
}

impl LoadPoint {
    /// From what one group of the crowd measured while all this grew.
    pub(crate) fn new(
        asked: PointRequest,
        crowd: &mut Crowd,
        group: Group,
        growth: &Growth,
        memory: Option<Memory>,
    ) -> Self {
        let meter = crowd.meter(group);
        let own = OwnCost::new(growth, meter.unsent);
        let why_not = own.fault();
        let cpu: Option<Duration> = growth.server_cpu.as_ref().map(|threads| threads.values().sum());
        Self {
            receivers: asked.receivers,
            senders: asked.senders,
            seconds: growth.time.as_secs_f64(),
            counts: why_not.is_none(),
            why_not,
            join_ms: meter.join.spread(),
            delay_ms: meter.delay.spread(),
            loss_percent: meter.loss() * 1e2,
            packets: meter.heard,
            packets_lost: meter.expected.saturating_sub(meter.heard),
            packets_twice: meter.again,
            packets_proved: meter.proved,
            packets_corrupt: meter.corrupt,
            connections_ended: meter.ended,
            server_cpu_percent: cpu.map(|cpu| percent(cpu, growth.time)),
            server_us_per_packet: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / growth.arrived.max(1) as f64),
            server_kernel_percent: growth.server_kernel.map(|share| share * 1e2),
            server_threads: growth.server_cpu.as_ref().map(|threads| percents(threads, growth.time)),
            server_kb: memory.map(|memory| memory.now),
            server_kb_per_receiver: memory.map(Memory::each),
            own,
        }
    }
}

impl OwnCost {
    fn new(growth: &Growth, unsent: u64) -> Self {
        Self {
            cpu_percent: percent(growth.own_cpu, growth.time),
            late_sends: growth.late,
            refused_sends: growth.refused + unsent,
            receive_drops: growth.dropped,
        }
    }

    /// Why what was measured then is of no worth.
    fn fault(&self) -> Option<String> {
        let Self { late_sends: late, refused_sends: refused, receive_drops: dropped, .. } = self;
        (late + refused + dropped > 0)
            .then(|| format!("the load itself sent {late} packets late, {refused} not at all, and missed {dropped}"))
    }
}

impl Memory {
    /// Growth for each of them.
    fn each(self) -> f64 {
        (self.now as f64 - self.before as f64) / self.receivers.max(1) as f64
    }
}

fn percent(cpu: Duration, time: Duration) -> f64 {
    cpu.as_secs_f64() / time.as_secs_f64() * 1e2
}

fn percents(threads: &BTreeMap<String, Duration>, time: Duration) -> BTreeMap<String, f64> {
    threads.iter().map(|(name, cpu)| (name.clone(), percent(*cpu, time))).collect()
}

/// What stands above the rows.
const HEADER: &str =
    "receivers    CPU   µs/packet  KB each   delay p50/p99/max ms     join p50/p99 ms   loss      own CPU";

/// Prints rows of a table as they come; where JSON is wanted, that at the end, and the rows beside it.
pub(crate) struct Printer {
    json: bool,
    begun: bool,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, begun: false }
    }

    /// One more row, with a name before it.
    pub(crate) fn row(&mut self, name: &str, point: &LoadPoint) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            self.say(&format!("{:<10} {HEADER}", ""))?;
        }
        self.say(&format!("{name:<10} {}", row(point)))
    }

    /// A line between the rows.
    pub(crate) fn say(&self, line: &str) -> io::Result<()> {
        if self.json { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") }
    }

    /// All that was measured, at the end.
    pub(crate) fn finish(&self, measured: &impl Serialize) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(measured)?;
        writeln!(io::stdout(), "{text}")
    }
}

fn row(point: &LoadPoint) -> String {
    let LoadPoint { receivers, delay_ms: delay, join_ms: join, loss_percent: loss, own, .. } = point;
    let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.1}"));
    let (cpu, each, memory) =
        (number(point.server_cpu_percent), number(point.server_us_per_packet), number(point.server_kb_per_receiver));
    let delays = format!("{:.2} / {:.2} / {:.2}", delay.p50, delay.p99, delay.max);
    let joins = if join.max > 0.0 { format!("{:.1} / {:.1}", join.p50, join.p99) } else { "-".into() };
    let note = remarks(point);
    let own_cpu = own.cpu_percent;
    format!(
        "{receivers:>9} {cpu:>5} % {each:>10} {memory:>8}   {delays:<22} {joins:>16}   {loss:.3} %  {own_cpu:>5.1} %{note}"
    )
}

fn remarks(point: &LoadPoint) -> String {
    let counted = [
        (point.packets_corrupt, "corrupt"),
        (point.packets_twice, "twice"),
        (point.connections_ended, "connections ended"),
    ];
    let told = counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let all: Vec<_> = told.chain(point.why_not.iter().map(|why| format!("does not count: {why}"))).collect();
    if all.is_empty() { String::new() } else { format!("   ({})", all.join("; ")) }
}
