//! What the load is put on for: points, a ramp, churn, a storm of joins, or a comparison.

mod churn;
mod compare;
mod points;
mod ramp;
mod storm;

use std::io;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::arguments::{BenchCommand, Plan, ServerTarget};
use super::crowd::Group;
use super::load::{BenchError, Load};
use super::point::{LoadPoint, Memory, PointRequest, Printer};
use super::process::memory;
use super::server::{Server, ServerError};

/// What joining has stirred up is over by then.
const CALM: Duration = Duration::from_millis(500);

/// A measurement could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeasureError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Load(#[from] BenchError),
    #[error("cannot look at the server, or write what was measured: {0}")]
    Io(#[from] io::Error),
    #[error("it was interrupted")]
    Interrupted,
}

/// Measures what was asked for, and prints it.
pub(crate) fn run(plan: &Plan) -> Result<(), MeasureError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let printer = Printer::new(plan.json);
    match &plan.task {
        BenchCommand::Points(target) => points::run(&runtime, target, &plan.load, printer),
        BenchCommand::Ramp(target) => ramp::run(&runtime, target, &plan.load, printer),
        BenchCommand::Churn(target, rate) => churn::run(&runtime, target, &plan.load, *rate, printer),
        BenchCommand::Storm(target, count) => storm::run(&runtime, target, &plan.load, *count, printer),
        BenchCommand::Compare(two) => compare::run(&runtime, two, &plan.load, printer),
    }
}

/// Does something on this thread; all tasks that it began end with it, also when somebody wants it to stop.
fn on<T>(runtime: &Runtime, act: impl Future<Output = Result<T, MeasureError>>) -> Result<T, MeasureError> {
    LocalSet::new().block_on(runtime, async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            result = act => result,
            _ = interrupt.recv() => Err(MeasureError::Interrupted),
            _ = terminate.recv() => Err(MeasureError::Interrupted),
        }
    })
}

/// The server that is to be measured, started where it has to be.
fn server_of(target: &ServerTarget) -> Result<Server, ServerError> {
    match target {
        ServerTarget::Running(address, pid) => Ok(Server::running(*address, *pid)),
        ServerTarget::Spawned(command) => Server::spawn(command),
    }
}

/// The server's memory in KB, where its process is known.
fn memory_of(server: &Server) -> Result<Option<u64>, BenchError> {
    Ok(server.pid.map(memory).transpose()?)
}

/// Measures those who stand, for so long.
async fn measure(
    load: &Load,
    server: &Server,
    asked: PointRequest,
    before: Option<u64>,
    time: Duration,
    turn: Contender,
) -> Result<LoadPoint, BenchError> {
    sleep(CALM).await;
    load.open_window();
    let begin = load.snapshot(server)?;
    sleep(time).await;
    let growth = begin.until(&load.snapshot(server)?);
    load.close_window();
    let memory = before.zip(memory_of(server)?).map(|(before, now)| Memory { before, now, receivers: asked.receivers });
    match turn {
        Contender::More => load.settle().await,
        Contender::Last => load.settle_at_last().await,
    }
    Ok(LoadPoint::new(asked, &mut load.crowd.borrow_mut(), Group::Standing, &growth, memory))
}

/// Whether the same load is measured again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    More,
    Last,
}
