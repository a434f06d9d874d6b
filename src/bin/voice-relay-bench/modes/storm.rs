//! What many who join at once do to those who listen.

use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Runtime;

use super::{MeasureError, Turn, measure, memory_of, on, server_of};
use crate::arguments::{Target, Weight};
use crate::crowd::Group;
use crate::load::{Listener, Load};
use crate::point::{Asked, Memory, Point, Printer};
use crate::server::Server;
use crate::signal::Via;

/// All join within this time.
const STORM: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Measured {
    mode: &'static str,
    via: Via,
    joining: usize,
    /// Those who listen, before the storm.
    before: Point,
    /// The same, from the first who asks to join to the last who hears something.
    during: Point,
    /// Those who join.
    newcomers: Point,
}

pub(super) fn run(
    runtime: &Runtime,
    target: &Target,
    weight: &Weight,
    joining: usize,
    mut printer: Printer,
) -> Result<(), MeasureError> {
    let server = server_of(target)?;
    let [before, during, newcomers] = on(runtime, storm(&server, weight, joining))?;
    for (name, point) in [("before", &before), ("during", &during), ("newcomers", &newcomers)] {
        printer.row(name, point)?;
    }
    Ok(printer.finish(&Measured { mode: "storm", via: weight.via, joining, before, during, newcomers })?)
}

async fn storm(server: &Server, weight: &Weight, joining: usize) -> Result<[Point; 3], MeasureError> {
    let standing = weight.receivers.last().copied().unwrap_or(1);
    let mut load = Load::begin(server, weight.via, weight.senders).await?;
    let memory = memory_of(server)?;
    let mut listeners = load.join(standing, weight.joins, Group::Standing).await?;
    load.wait_for(standing).await?;
    let asked = Asked { receivers: standing, senders: weight.senders };
    let before = measure(&load, server, asked, memory, weight.time, Turn::More).await?;
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
    asked: Asked,
    joining: usize,
) -> Result<(Vec<Listener>, [Point; 2]), MeasureError> {
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
    let during = Point::new(asked, &mut crowd, Group::Standing, &growth, None);
    let asked = Asked { receivers: joining, ..asked };
    let told = Point::new(asked, &mut crowd, Group::Passing, &growth, memory);
    Ok((newcomers, [during, told]))
}
