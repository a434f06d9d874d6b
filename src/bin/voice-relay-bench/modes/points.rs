//! What each number of receivers costs.

use serde::Serialize;
use tokio::runtime::Runtime;

use super::{Contender, MeasureError, measure, memory_of, on, server_of};
use crate::arguments::{ServerTarget, Weight};
use crate::crowd::Group;
use crate::load::Load;
use crate::point::{LoadPoint, PointRequest, Printer};
use crate::server::Server;
use crate::signal::Via;

#[derive(Serialize)]
struct PointMeasures {
    mode: &'static str,
    via: Via,
    points: Vec<LoadPoint>,
}

pub(super) fn run(
    runtime: &Runtime,
    target: &ServerTarget,
    weight: &Weight,
    mut printer: Printer,
) -> Result<(), MeasureError> {
    let mut points = Vec::new();
    for _ in 0..weight.repeats {
        for receivers in &weight.receivers {
            let server = server_of(target)?;
            let point = on(runtime, point(&server, weight, weight.via, *receivers))?;
            printer.row("", &point)?;
            points.push(point);
        }
    }
    Ok(printer.finish(&PointMeasures { mode: "points", via: weight.via, points })?)
}

/// One point, with a load of its own.
pub(super) async fn point(
    server: &Server,
    weight: &Weight,
    via: Via,
    receivers: usize,
) -> Result<LoadPoint, MeasureError> {
    let mut load = Load::begin(server, via, weight.senders).await?;
    let before = memory_of(server)?;
    let listeners = load.join(receivers, weight.joins, Group::Standing).await?;
    load.wait_for(receivers).await?;
    let join_ms = load.crowd.borrow_mut().meter(Group::Standing).join.spread();
    let asked = PointRequest { receivers, senders: weight.senders };
    let point = measure(&load, server, asked, before, weight.time, Contender::Last).await?;
    load.end(listeners).await;
    Ok(LoadPoint { join_ms, ..point })
}
