//! What many who join at once do to those who listen.

use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Runtime;

use super::{Contender, MeasureError, measure, memory_of, on, server_of};
use crate::arguments::{ServerTarget, Weight};
use crate::crowd::Group;
use crate::load::{JoinedReceiver, Load};
use crate::point::{LoadPoint, Memory, PointRequest, Printer};
use crate::server::Server;
use crate::signal::Via;

/// All join within this time.
const STORM: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct StormMeasures {
    mode: &'static str,
    via: Via,
    joining: usize,
    /// Those who listen, before the storm.
    before: LoadPoint,
    /// The same, from the first who asks to join to the last who hears something.
    during: LoadPoint,
    /// Those who join.
    newcomers: LoadPoint,
}

pub(super) fn run(
    runtime: &Runtime,
    target: &ServerTarget,
    weight: &Weight,
    joining: usize,
    mut printer: Printer,
) -> Result<(), MeasureError> {
    let server = server_of(target)?;
    let [before, during, newcomers] = on(runtime, storm(&server, weight, joining))?;
    for (name, point) in [("before", &before), ("during", &during), ("newcomers", &newcomers)] {
        printer.row(name, point)?;
    }
    Ok(printer.finish(&StormMeasures { mode: "storm", via: weight.via, joining, before, during, newcomers })?)
}

async fn storm(server: &Server, weight: &Weight, joining: usize) -> Result<[LoadPoint; 3], MeasureError> {
    let standing = weight.receivers.last().copied().unwrap_or(1);
    let mut load = Load::begin(server, weight.via, weight.senders).await?;
    let memory = memory_of(server)?;
    let mut listeners = load.join(standing, weight.joins, Group::Standing).await?;
    load.wait_for(standing).await?;
    let asked = PointRequest { receivers: standing, senders: weight.senders };
    let before = measure(&load, server, asked, memory, weight.time, Contender::More).await?;
    let (newcomers, during) = rush(&mut load, server, asked, joining).await?;
    listeners.extend(newcomers);
    let [during, newcomers] = during;
    load.end(listeners).await;
    Ok([before, during, newcomers])
}

/// Lets them all in, and measures both groups while they come.
async fn rush(
    load: &mut Load,
    server: &Server,
    asked: PointRequest,
    joining: usize,
) -> Result<(Vec<JoinedReceiver>, [LoadPoint; 2]), MeasureError> {
    let memory_before = memory_of(server)?;
    load.open_window();
    let begin = load.snapshot(server)?;
    let newcomers = load.join(joining, joining as f64 / STORM.as_secs_f64(), Group::Passing).await?;
    load.wait_for(asked.receivers + joining).await?;
    let growth = begin.until(&load.snapshot(server)?);
    load.close_window();
    let memory = memory_before.zip(memory_of(server)?).map(|(before, now)| Memory { before, now, receivers: joining });
    load.settle_at_last().await;
    let mut crowd = load.crowd.borrow_mut();
    let during = LoadPoint::new(asked, &mut crowd, Group::Standing, &growth, None);
    let asked = PointRequest { receivers: joining, ..asked };
    let told = LoadPoint::new(asked, &mut crowd, Group::Passing, &growth, memory);
    Ok((newcomers, [during, told]))
}
