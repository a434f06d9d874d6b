//! The command line, checked.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};

use super::reach;
use super::signal::Via;

/// The longest that one measurement may take: two hours.
const MAX_SECONDS: u64 = 7_200;

/// More receivers than these have no ports on one machine.
const MAX_RECEIVERS: u64 = 10_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) task: BenchCommand,
    pub(crate) load: Weight,
    /// JSON instead of a table.
    pub(crate) json: bool,
}

/// What to find out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BenchCommand {
    /// What each number of receivers costs.
    Points(ServerTarget),
    /// How many receivers are too many.
    Ramp(ServerTarget),
    /// What so many joins and leaves a second do.
    Churn(ServerTarget, u32),
    /// What so many who join at once do to those who listen.
    Storm(ServerTarget, usize),
    /// What two servers cost, in turn.
    Compare(Box<[Contestant; 2]>),
}

/// Which server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerTarget {
    /// One that runs, and its process.
    Running(SocketAddr, Option<u32>),
    /// One to be started by this command, anew for each point.
    Spawned(String),
}

/// One of two servers that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) command: String,
    pub(crate) via: Via,
}

/// How much load, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weight {
    pub(crate) via: Via,
    pub(crate) senders: usize,
    pub(crate) receivers: Vec<usize>,
    pub(crate) time: Duration,
    pub(crate) repeats: usize,
    /// Receivers that join in a second.
    pub(crate) joins: f64,
}

/// Reads the command line; the error is also help, where that was asked for.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Plan, clap::Error> {
    let matches = command_line().try_get_matches_from(arguments)?;
    let via = via_of(&matches, "via");
    let (task, matches) = match matches.subcommand() {
        Some(("compare", asked)) => (BenchCommand::Compare(Box::new(contestants(asked))), asked.clone()),
        _ => (task(&matches), matches),
    };
    let load = Weight {
        via,
        senders: number(&matches, "senders") as usize,
        receivers: matches.get_many::<u64>("receivers").into_iter().flatten().map(|count| *count as usize).collect(),
        time: Duration::from_secs(number(&matches, "seconds")),
        repeats: number(&matches, "repeats") as usize,
        joins: number(&matches, "joins") as f64,
    };
    Ok(Plan { task, load, json: matches.get_flag("json") })
}

fn task(matches: &ArgMatches) -> BenchCommand {
    let target = match matches.get_one::<String>("spawn") {
        Some(command) => ServerTarget::Spawned(command.clone()),
        None => {
            let pid = matches.get_one::<u64>("pid").map(|pid| *pid as u32);
            ServerTarget::Running(*matches.get_one("server").expect("it or --spawn is required"), pid)
        }
    };
    if matches.get_flag("ramp") {
        return BenchCommand::Ramp(target);
    }
    match (matches.get_one::<u64>("churn"), matches.get_one::<u64>("storm")) {
        (Some(rate), _) => BenchCommand::Churn(target, *rate as u32),
        (None, Some(count)) => BenchCommand::Storm(target, *count as usize),
        (None, None) => BenchCommand::Points(target),
    }
}

fn contestants(matches: &ArgMatches) -> [Contestant; 2] {
    [("ours", "ours-via"), ("other", "other-via")].map(|(name, via)| Contestant {
        name,
        command: matches.get_one::<String>(name).expect("it is required").clone(),
        via: via_of(matches, via),
    })
}

fn via_of(matches: &ArgMatches, name: &str) -> Via {
    if matches.get_one::<String>(name).is_some_and(|via| via == "whip") { Via::Whip } else { Via::Ws }
}

fn number(matches: &ArgMatches, name: &str) -> u64 {
    *matches.get_one(name).expect("it has a default")
}

fn command_line() -> Command {
    Command::new("voice-relay-bench")
        .about("Puts a load of WebRTC senders and receivers on a voice relay, and measures it")
        .args(target())
        .group(ArgGroup::new("target").args(["server", "spawn"]).required(true))
        .args(modes())
        .group(ArgGroup::new("mode").args(["ramp", "churn", "storm"]))
        .arg(via("via"))
        .args(weight())
        .subcommand(compare())
        .subcommand_negates_reqs(true)
        .args_conflicts_with_subcommands(true)
}

fn target() -> [Arg; 3] {
    [
        Arg::new("server").long("server").value_name("ADDRESS").value_parser(reach::server).help(
            "Server that runs, such as http://127.0.0.1:8080. Only this machine and private networks: no load goes elsewhere",
        ),
        Arg::new("pid").long("pid").value_parser(value_parser!(u64).range(1..=1 << 22)).conflicts_with("spawn").help(
            "Its process, for CPU and memory",
        ),
        Arg::new("spawn").long("spawn").value_name("COMMAND").help(
            "Start a server for each point, and kill it after; it has to print http=<port>. Words with blanks between, no shell",
        ),
    ]
}

fn modes() -> [Arg; 3] {
    [
        Arg::new("ramp").long("ramp").action(ArgAction::SetTrue).help(
            "Find how many receivers there may be before p99 passes 5 ms or loss 0.1 %, from the first number of --receivers on",
        ),
        whole("churn", 1..=200).value_name("RATE").help(
            "Let so many join and leave each second while the first number of --receivers listens; a line a minute",
        ),
        whole("storm", 1..=MAX_RECEIVERS).value_name("COUNT").help(
            "Let so many join within 5 s while the last number of --receivers listens; tells what those had of it",
        ),
    ]
}

fn compare() -> Command {
    Command::new("compare")
        .about("Measures two servers in turn, point by point, and prints their ratios")
        .arg(Arg::new("ours").long("ours").value_name("COMMAND").required(true).help("Starts the one; as --spawn"))
        .arg(Arg::new("other").long("other").value_name("COMMAND").required(true).help("Starts the other"))
        .args([via("ours-via"), via("other-via")])
        .args(weight())
}

fn weight() -> [Arg; 6] {
    [
        whole("senders", 1..=200).default_value("1").help("Senders, fifty packets a second each"),
        whole("receivers", 1..=MAX_RECEIVERS)
            .value_delimiter(',')
            .default_value("1,10,50,100,200")
            .help("Receivers, one point after the other; those that listen meanwhile, in other modes"),
        whole("seconds", 1..=MAX_SECONDS).default_value("10").help("How long each point is measured"),
        whole("repeats", 1..=100).default_value("1").help("How often each point is measured"),
        whole("joins", 1..=1_000).default_value("50").help("Receivers that join in a second, before a point"),
        Arg::new("json").long("json").action(ArgAction::SetTrue).help("JSON instead of a table"),
    ]
}

fn via(name: &'static str) -> Arg {
    let ways = ["ws", "whip"];
    Arg::new(name).long(name).value_parser(ways).default_value("ws").help("The WebSocket protocol, or WHIP and WHEP")
}

fn whole(name: &'static str, range: std::ops::RangeInclusive<u64>) -> Arg {
    let parser: ValueParser = value_parser!(u64).range(range).into();
    Arg::new(name).long(name).value_name("N").value_parser(parser)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &str) -> Result<Plan, clap::Error> {
        read(["voice-relay-bench"].into_iter().chain(arguments.split_ascii_whitespace()).map(Into::into))
    }

    #[test]
    fn a_plan_is_read() {
        let asked = plan("--server http://127.0.0.1:8080 --pid 7 --receivers 1,500 --via whip --json").expect("a plan");
        let server = "127.0.0.1:8080".parse().expect("an address");
        assert_eq!(asked.task, BenchCommand::Points(ServerTarget::Running(server, Some(7))));
        assert_eq!((asked.load.via, asked.load.receivers, asked.json), (Via::Whip, vec![1, 500], true));
        let asked = plan("--spawn server --churn 10 --seconds 1200").expect("a plan");
        assert_eq!(asked.task, BenchCommand::Churn(ServerTarget::Spawned("server".into()), 10));
        let asked = plan("compare --ours a --other b --other-via whip --repeats 3").expect("a plan");
        let BenchCommand::Compare(two) = asked.task else { panic!("{asked:?}") };
        assert_eq!((two[0].via, two[1].via, asked.load.repeats), (Via::Ws, Via::Whip, 3));
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for wrong in [
            "",
            "--server 8.8.8.8:80",
            "--server localhost:80",
            "--server 127.0.0.1:80 --spawn x",
            "--spawn x --pid 7",
            "--spawn x --ramp --storm 5",
            "--spawn x --receivers 0",
            "--spawn x --seconds 7201",
            "--spawn x --via carrier-pigeon",
            "compare --ours a",
        ] {
            assert!(plan(wrong).is_err(), "{wrong}");
        }
    }
}
