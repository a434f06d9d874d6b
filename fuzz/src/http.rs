//! Bytes on a connection to the main port of the whole daemon, answered by all that is behind it.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use voice_relay::app::App;
use voice_relay::config;
use voice_relay::hass::Home;

/// What comes of one connection is read for so long: a stream of audio never ends.
const PATIENCE: Duration = Duration::from_millis(50);

/// A panic in a task of the daemon costs its connection only, and would not be seen.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// The daemon, for all inputs.
struct Daemon {
    runtime: Runtime,
    port: SocketAddr,
    _app: App,
}

static DAEMON: OnceLock<Daemon> = OnceLock::new();

/// The bytes, and the end of what is sent. Whatever they are, nothing panics, and what answers does so in HTTP.
pub fn http(data: &[u8]) {
    let daemon = DAEMON.get_or_init(start);
    let answer = daemon.runtime.block_on(exchange(daemon.port, data));
    assert!(!PANICKED.load(Ordering::Relaxed), "something panicked over this request");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "an answer that is none");
}

async fn exchange(port: SocketAddr, data: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(port).await.expect("the daemon listens");
    let mut answer = Vec::new();
    // The daemon may close it before all is written.
    let _ = stream.write_all(data).await;
    let _ = stream.shutdown().await;
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    answer
}

fn start() -> Daemon {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICKED.store(true, Ordering::Relaxed);
        before(panic);
    }));
    let flags = [
        "voice-relay",
        "--data-dir=/dev/null/data",
        "--bind=127.0.0.1",
        "--http-port=0",
        "--mp3-port=0",
        "--media-port=0",
        "--files-port=0",
        "--video-port=0",
        "--files-folders=off",
        "--tls-mode=off",
        "--limits-requests=1000000",
        "--limits-messages=1000000",
        "--limits-joins=1000000",
    ];
    let config = config::load(flags.map(Into::into), []).expect("a valid configuration").config;
    let runtime = Runtime::new().expect("a runtime");
    let app = runtime.block_on(async { App::start(&config, &Home::default()) }).expect("free ports");
    Daemon { runtime, port: app.ports.http, _app: app }
}
