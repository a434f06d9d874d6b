//! A real icecast2, fed with an MP3 as fast as it is spoken.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::support::live::PATIENCE;

/// It refuses to be root; anybody will do (`nobody`).
const NOBODY: u32 = 65_534;

/// Its burst on connection is full by then: 64 KB, its default.
const FILL: Duration = Duration::from_secs(6);

/// An MP3 of frames and nothing else, as a live one is.
const PLAIN: &str = "-write_xing 0 -id3v2_version 0";

/// Its own defaults, but for the number of clients.
const CONFIG: &str = "<icecast>
  <limits><clients>5000</clients></limits>
  <authentication><source-password>password</source-password></authentication>
  <listen-socket><port>PORT</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <fileserve>0</fileserve>
  <paths><basedir>HOME</basedir><logdir>HOME</logdir><webroot>HOME</webroot><adminroot>HOME</adminroot></paths>
</icecast>";

/// Where its stream is.
pub(crate) const PATH: &str = "/live.mp3";

/// Server and source, killed when this is dropped.
pub(crate) struct Icecast {
    pub(crate) server: Child,
    pub(crate) address: SocketAddr,
    _source: Child,
    /// Goes after those who write there.
    _home: TempDir,
}

impl Icecast {
    /// `None`: it is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let home = tempfile::tempdir().expect("a directory");
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).expect("a port").port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = spawn(home.path(), port)?;
        let limit = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < limit, "icecast2 does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let sound = "-f lavfi -i anoisesrc=color=pink:sample_rate=48000:duration=60 -ac 1 -b:a 128k";
        let made = ffmpeg(home.path(), &format!("{sound} {PLAIN} sound.mp3")).status().await;
        assert!(made.expect("ffmpeg is installed").success());
        let to = format!("-content_type audio/mpeg -f mp3 icecast://source:password@{address}{PATH}");
        let source = ffmpeg(home.path(), &format!("-re -stream_loop -1 -i sound.mp3 -c copy {PLAIN} {to}")).spawn();
        tokio::time::sleep(FILL).await;
        Some(Self { server, _source: source.expect("ffmpeg is installed"), address, _home: home })
    }
}

fn spawn(home: &Path, port: u16) -> Option<Child> {
    let config = home.join("icecast.xml");
    let text = CONFIG.replace("PORT", &port.to_string()).replace("HOME", &home.to_string_lossy());
    fs::write(&config, text).expect("written");
    let mut command = Command::new("icecast2");
    command.arg("-c").arg(config).kill_on_drop(true).stdout(Stdio::null()).stderr(Stdio::null());
    if fs::metadata(home).expect("ours").uid() == 0 {
        chown(home, Some(NOBODY), Some(NOBODY)).expect("allowed to root");
        command.uid(NOBODY).gid(NOBODY);
    }
    match command.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        server => Some(server.expect("icecast2 starts")),
    }
}

fn ffmpeg(home: &Path, arguments: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error"]).args(arguments.split(' ')).current_dir(home).kill_on_drop(true);
    command
}
