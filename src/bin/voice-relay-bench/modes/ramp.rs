//! How many receivers are too many: a quarter more each time, until those who listen notice.

use serde::Serialize;
use tokio::runtime::Runtime;

use super::{Contender, MeasureError, measure, memory_of, on, server_of};
use crate::arguments::{ServerTarget, Weight};
use crate::crowd::Group;
use crate::load::Load;
use crate::point::{LoadPoint, PointRequest, Printer};
use crate::server::Server;
use crate::signal::Via;

/// What may not be passed: p99 of the delay in milliseconds, and loss in percent.
const MOST_DELAY: f64 = 5.0;
const MOST_LOSS: f64 = 0.1;

/// A machine may be busy with something else for once, or twice.
const TRIES: usize = 3;

/// Further than this nobody can tell on one machine.
const MOST_RECEIVERS: usize = 10_000;

#[derive(Serialize)]
struct RampMeasures {
    mode: &'static str,
    via: Via,
    /// The most receivers that were served well; `null`: none.
    receivers: Option<usize>,
    ended_by: String,
    points: Vec<LoadPoint>,
}

pub(super) fn run(
    runtime: &Runtime,
    target: &ServerTarget,
    weight: &Weight,
    mut printer: Printer,
) -> Result<(), MeasureError> {
    let server = server_of(target)?;
    let (points, ended_by) = on(runtime, climb(&server, weight, &mut printer))?;
    let receivers = points.iter().rev().find(|point| trouble(point).is_none()).map(|point| point.receivers);
    let best = receivers.map_or_else(|| "none".into(), |count| count.to_string());
    printer.say(&format!("served well: {best} receivers; then {ended_by}"))?;
    Ok(printer.finish(&RampMeasures { mode: "ramp", via: weight.via, receivers, ended_by, points })?)
}

async fn climb(
    server: &Server,
    weight: &Weight,
    printer: &mut Printer,
) -> Result<(Vec<LoadPoint>, String), MeasureError> {
    let mut load = Load::begin(server, weight.via, weight.senders).await?;
    let before = memory_of(server)?;
    let (mut listeners, mut points) = (Vec::new(), Vec::new());
    let mut wanted = weight.receivers.first().copied().unwrap_or(1);
    let ended_by = loop {
        listeners.extend(load.join(wanted - listeners.len(), weight.joins, Group::Standing).await?);
        load.wait_for(wanted).await?;
        let asked = PointRequest { receivers: wanted, senders: weight.senders };
        let (tried, trouble) = attempt(&load, server, asked, before, weight, printer).await?;
        points.extend(tried);
        if let Some(trouble) = trouble {
            break trouble;
        }
        if wanted >= MOST_RECEIVERS {
            break "there are no more".into();
        }
        wanted = (wanted + wanted.div_ceil(4)).min(MOST_RECEIVERS);
    };
    load.end(listeners).await;
    Ok((points, ended_by))
}

/// Measures until they are served well, or were not so often that it was no accident; tells the last trouble then.
async fn attempt(
    load: &Load,
    server: &Server,
    asked: PointRequest,
    before: Option<u64>,
    weight: &Weight,
    printer: &mut Printer,
) -> Result<(Vec<LoadPoint>, Option<String>), MeasureError> {
    let mut tried = Vec::new();
    loop {
        let join_ms = load.crowd.borrow_mut().meter(Group::Standing).join.spread();
        let point = measure(load, server, asked, before, weight.time, Contender::More).await?;
        let point = LoadPoint { join_ms, ..point };
        printer.row("", &point)?;
        let trouble = trouble(&point);
        tried.push(point);
        if trouble.is_none() || tried.len() >= TRIES {
            return Ok((tried, trouble));
        }
    }
}

/// Why a point is not served well.
fn trouble(point: &LoadPoint) -> Option<String> {
    let (p99, loss) = (point.delay_ms.p99, point.loss_percent);
    let limits = [
        (p99 > MOST_DELAY, format!("p99 of the delay is {p99:.2} ms")),
        (loss > MOST_LOSS, format!("loss is {loss:.3} %")),
        (!point.counts, point.why_not.clone().unwrap_or_default()),
    ];
    limits.into_iter().find_map(|(is_passed, why)| is_passed.then_some(why))
}
