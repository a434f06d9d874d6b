//! What joins and leaves do over a long time: memory, descriptors and delay, minute by minute.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::{MeasureError, memory_of, on, server_of};
use crate::arguments::{ServerTarget, Weight};
use crate::crowd::Group;
use crate::histogram::Spread;
use crate::load::{BenchError, GRACE, JoinedReceiver, Load};
use crate::point::{LoadPoint, Memory, PointRequest, Printer};
use crate::process::descriptors;
use crate::server::Server;
use crate::signal::{SignalError, Via};

/// A line so often.
const LINE: Duration = Duration::from_secs(60);

/// Those who join stay so long.
const STAY: Duration = Duration::from_secs(3);

/// The first minutes fill the server's pools; the slope is that of the rest.
const WARM_UP: usize = 2;

#[derive(Serialize)]
struct ChurnMeasures {
    mode: &'static str,
    via: Via,
    joins_per_second: u32,
    /// Of the server, by least squares, from the third minute on; `null` when there are fewer than five.
    memory_slope_kb_per_minute: Option<f64>,
    minutes: Vec<Minute>,
}

/// One stretch of the time.
#[derive(Serialize)]
struct Minute {
    server_descriptors: Option<usize>,
    joined: usize,
    joins_failed: usize,
    /// Those who come and go.
    passing_join_ms: Spread,
    passing_loss_percent: f64,
    /// Those who stay.
    standing: LoadPoint,
}

pub(super) fn run(
    runtime: &Runtime,
    target: &ServerTarget,
    weight: &Weight,
    rate: u32,
    mut printer: Printer,
) -> Result<(), MeasureError> {
    let server = server_of(target)?;
    let minutes = on(runtime, churn(&server, weight, rate, &mut printer))?;
    let slope = slope(&minutes);
    if let Some(slope) = slope {
        printer.say(&format!("memory grows by {slope:.1} KB a minute"))?;
    }
    let via = weight.via;
    let measured =
        ChurnMeasures { mode: "churn", via, joins_per_second: rate, memory_slope_kb_per_minute: slope, minutes };
    Ok(printer.finish(&measured)?)
}

async fn churn(
    server: &Server,
    weight: &Weight,
    rate: u32,
    printer: &mut Printer,
) -> Result<Vec<Minute>, MeasureError> {
    let mut load = Load::begin(server, weight.via, weight.senders).await?;
    let before = memory_of(server)?;
    let receivers = weight.receivers.first().copied().unwrap_or(1);
    let listeners = load.join(receivers, weight.joins, Group::Standing).await?;
    load.wait_for(receivers).await?;
    let asked = PointRequest { receivers, senders: weight.senders };
    let mut guests = Guests::new(rate);
    let (mut minutes, end) = (Vec::new(), Instant::now() + weight.time);
    while Instant::now() < end {
        let line = (end - Instant::now()).min(LINE);
        let minute = guests.pass(&mut load, server, asked, before, line).await?;
        printer.row(&format!("minute {}", minutes.len() + 1), &minute.standing)?;
        printer.say(&minute.line())?;
        minutes.push(minute);
    }
    guests.end(&load).await;
    load.end(listeners).await;
    Ok(minutes)
}

/// Those who come and go.
struct Guests {
    pace: Interval,
    /// As many as there are at once.
    room: usize,
    here: VecDeque<JoinHandle<Result<JoinedReceiver, SignalError>>>,
    joined: usize,
    failed: usize,
}

impl Guests {
    fn new(rate: u32) -> Self {
        let mut pace = interval(Duration::from_secs(1) / rate);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let room = (STAY.as_secs() as u32 * rate) as usize;
        Self { pace, room, here: VecDeque::new(), joined: 0, failed: 0 }
    }

    /// Lets them come and go for so long, and measures.
    async fn pass(
        &mut self,
        load: &mut Load,
        server: &Server,
        asked: PointRequest,
        before: Option<u64>,
        time: Duration,
    ) -> Result<Minute, BenchError> {
        (self.joined, self.failed) = (0, 0);
        load.open_window();
        let begin = load.snapshot(server)?;
        self.come_and_go(load, time).await;
        let growth = begin.until(&load.snapshot(server)?);
        load.close_window();
        let receivers = asked.receivers + self.here.len();
        let memory = before.zip(memory_of(server)?).map(|(before, now)| Memory { before, now, receivers });
        // The last packets are on their way; nobody waits for them.
        self.come_and_go(load, GRACE).await;
        let mut crowd = load.crowd.borrow_mut();
        crowd.settle();
        let passing = crowd.meter(Group::Passing);
        let (passing_join_ms, passing_loss_percent) = (passing.join.spread(), passing.loss() * 1e2);
        Ok(Minute {
            server_descriptors: server.pid.map(descriptors).transpose()?,
            joined: self.joined,
            joins_failed: self.failed,
            passing_join_ms,
            passing_loss_percent,
            standing: LoadPoint::new(asked, &mut crowd, Group::Standing, &growth, memory),
        })
    }

    async fn come_and_go(&mut self, load: &mut Load, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.pace.tick().await;
            self.here.push_back(load.join_one(Group::Passing));
            self.joined += 1;
            if self.here.len() > self.room {
                self.let_one_go(load).await;
            }
        }
    }

    async fn let_one_go(&mut self, load: &Load) {
        let Some(oldest) = self.here.pop_front() else { return };
        match oldest.await {
            Ok(Ok(listener)) => drop(load.leave(listener)),
            Ok(Err(_)) | Err(_) => self.failed += 1,
        }
    }

    async fn end(&mut self, load: &Load) {
        while !self.here.is_empty() {
            self.let_one_go(load).await;
        }
    }
}

impl Minute {
    fn line(&self) -> String {
        let Self { joined, joins_failed: failed, passing_join_ms: join, passing_loss_percent: loss, .. } = self;
        let (memory, open) = (self.standing.server_kb.unwrap_or_default(), self.server_descriptors.unwrap_or_default());
        let (p50, p99) = (join.p50, join.p99);
        format!(
            "{:>10} {joined} joined in {p50:.1} / {p99:.1} ms, {failed} failed, loss {loss:.3} %; server: {memory} KB, {open} descriptors",
            ""
        )
    }
}

/// By how many KB a minute memory grows, by least squares.
fn slope(minutes: &[Minute]) -> Option<f64> {
    let sizes: Vec<f64> =
        minutes.iter().skip(WARM_UP).filter_map(|minute| Some(minute.standing.server_kb? as f64)).collect();
    let count = sizes.len() as f64;
    if sizes.len() < 3 {
        return None;
    }
    let (middle, mean) = ((count - 1.0) / 2.0, sizes.iter().sum::<f64>() / count);
    let along = |(index, size): (usize, &f64)| (index as f64 - middle) * (size - mean);
    let rise: f64 = sizes.iter().enumerate().map(along).sum();
    let run: f64 = (0..sizes.len()).map(|index| (index as f64 - middle).powi(2)).sum();
    Some(rise / run)
}
