//! One device that takes whatever it can get, by every way at once, beside a family that talks.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::process::{Child, Command};
use voice_relay::app::Ports;

use crate::bystanders::Call;
use crate::greedy::Greedy;
use crate::support::http::{get, post_json, request};
use crate::support::listener::listen;
use crate::support::live::{metric, named_sender, participant, ports_of, program, tone};
use crate::support::sound::{decoded, share_at};

/// For how long it tries.
const TIME: Duration = Duration::from_secs(60);

/// What the daemon may have of the machine's memory, for data of any kind, whether it is used or not; the stacks of its
/// threads count.
const MEMORY: u64 = 512 << 20;

/// What the family's voice is.
const VOICE: f64 = 440.0;

/// As quick as it may be: a hundred times what one address may usually ask for, so that the places have to hold.
const QUICK: [&str; 3] = ["--limits-requests=10000", "--limits-messages=10000", "--limits-joins=60000"];

/// The program that people have, with that much memory: what it asks for beyond that ends it.
async fn start_with_little_memory(flags: &[&str]) -> (Child, Ports) {
    let inner = program();
    let mut command = Command::new("prlimit");
    command.arg(format!("--data={MEMORY}")).arg(std::env::var_os("VOICE_RELAY").expect("a release build"));
    command.envs(inner.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["--http-port=0", "--mp3-port=0", "--media-port=0", "--http-tls-port=0", "--log-level=error"]);
    let mut child = command.args(QUICK).args(flags).kill_on_drop(true).stdout(Stdio::piped()).spawn().expect("prlimit");
    let ports = ports_of(&mut child).await;
    (child, ports)
}

/// A number that the kernel keeps of a process, in kilobytes.
fn kilobytes(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with(field)).expect("a field");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "of a release build, whose path is in VOICE_RELAY: `make unit` runs it. Unoptimised, two processors are not enough"]
async fn one_address_that_takes_all_it_can_get_leaves_the_others_their_calls_and_their_music() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let (child, ports) = start_with_little_memory(&[&data, "--files-folders=auto", "--tls-mode=own"]).await;
    let pid = child.id().expect("running");
    let mut call = Call::begin(ports).await;
    let singer = named_sender(ports, "Anna", Some(tone(VOICE))).await;
    let file = format!("{}.mp3?bitrate=128", singer.stream);
    let singer = tokio::spawn(singer.stay());
    let music = tokio::spawn(async move { listen(ports.mp3, &file, TIME).await });
    let opened = post_json(ports.http, "/api/rooms", &json!({ "roomName": "Secret", "pin": "471147" })).await;
    let secret = opened.json()["roomId"].as_str().expect("a room").to_owned();
    let until = Instant::now() + TIME;
    // On a thread of its own: what it does must not hold up the family's own devices.
    let greedy = Greedy { ports, secret, file: "ding-dong.wav".into(), until };
    let greedy = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(greedy.take_everything());
    });
    tokio::time::sleep(TIME / 2).await;
    // Others come, in the midst of it: to talk, to listen, to look.
    call.goes_on().await;
    let mut third = participant(ports, json!({ "type": "join", "room": "home", "name": "Third" })).await;
    third.talk().await;
    let more = listen(ports.mp3, "all.mp3", Duration::from_secs(2)).await;
    assert!(more.body.len() > 10_000, "{} bytes", more.body.len());
    let opened = request(ports.http, "GET /api/rooms HTTP/1.1", &["Connection: close"], Duration::from_secs(5)).await;
    assert_eq!(opened.status, 200);
    greedy.await.expect("no panic");
    call.goes_on().await;
    singer.abort();
    let heard = decoded(&music.await.expect("it goes on").body).await;
    let tenths = heard.chunks_exact(4_800).map(|tenth| share_at(VOICE, tenth));
    let without: Vec<_> = tenths.enumerate().filter(|(_, share)| *share < 0.5).collect();
    let seconds = heard.len() as f64 / 48_000.0;
    let (resident, data) = (kilobytes(pid, "VmHWM:"), kilobytes(pid, "VmData:"));
    let metrics = get(ports.http, "/metrics").await.text();
    let refused = metrics.lines().filter(|line| !line.starts_with('#') && line.contains("share_refused"));
    let kinds: Vec<_> = refused.filter(|line| !line.ends_with(" 0")).collect();
    println!("one greedy address, {TIME:?}: {resident} kB resident, {data} kB of data; {kinds:#?}");
    println!("{seconds:.2} s of music, without the voice in these tenths: {without:?}");
    // On a quiet machine all of it is heard, but for the first tenth, in which it begins. On one whose two processors
    // have still more to do, what is late is made up for.
    assert!(seconds > 0.9 * TIME.as_secs_f64() && without.len() <= 30, "{seconds} s");
    // How far it gets with the rest within a minute is a matter of the machine's speed.
    for kind in ["handshakes", "peers"] {
        assert!(
            kinds.iter().any(|line| line.contains(kind)),
            "{kind}, of which one address had enough, is counted: {metrics}"
        );
    }
    for counter in ["rooms_refused", "room_pins_too_fast", "announcements_refused"] {
        assert!(metric(ports, counter).await > 0, "{counter}");
    }
}
