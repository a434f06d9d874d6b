//! Audio from outside is read by a process of its own: the daemon's program in another role, with little memory and
//! time, without files, network or anything else of the machine. A file can be made to cost any reader a gigabyte, or
//! its life; here it costs a child, and an error that says so.
//!
//! `child` is what that process does, `confine` what is taken from it, `message` how it answers.

mod child;
mod confine;
mod message;

use std::fs::File;
use std::io::{self, PipeReader};
use std::path::PathBuf;
use std::process::Child;
#[cfg(not(test))]
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::facts::{Cover, FileDescription, FileKind, NoAudio, picture_kind};

pub use child::run_if_asked;
use message::Message;

/// The first argument of the child.
const ROLE: &str = "read-audio";

/// How long a child may take to describe a file: where all of a large one has to be read, a slow disk takes seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long for what is read of its beginning, for which somebody waits.
const QUICK_PATIENCE: Duration = Duration::from_secs(5);

/// How long until the next sound, while it is played.
const PLAYING_PATIENCE: Duration = Duration::from_secs(5);

/// Children at once, besides those that play: the others wait.
const AT_ONCE: usize = 2;

/// What a child is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Says what a file says of itself.
    Describe(FileKind),
    /// Gives its picture.
    Cover(FileKind),
    /// Says whether it can be played, and how long it is.
    Probe,
    /// Gives its samples.
    Play,
}

impl Task {
    /// As arguments of the child, after its role.
    #[cfg(not(test))]
    fn arguments(self) -> [&'static str; 2] {
        match self {
            Self::Describe(kind) => ["describe", kind.extension()],
            Self::Cover(kind) => ["cover", kind.extension()],
            Self::Probe => ["probe", ""],
            Self::Play => ["play", ""],
        }
    }

    fn of_arguments(name: &str, kind: &str) -> Option<Self> {
        let kind = || FileKind::ALL.into_iter().find(|known| known.extension() == kind);
        match name {
            "describe" => kind().map(Self::Describe),
            "cover" => kind().map(Self::Cover),
            "probe" => Some(Self::Probe),
            "play" => Some(Self::Play),
            _ => None,
        }
    }
}

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Has audio read by this program, which calls [`run_if_asked`] first of all. To be called once, before any is.
pub fn read_by(program: PathBuf) {
    // Whoever was first is no other program.
    let _ = PROGRAM.set(program);
}

/// What a file of this kind says of itself. Blocks.
pub(super) fn describe(file: &File, kind: FileKind) -> Result<FileDescription, NoAudio> {
    let _turn = ChildSlot::take();
    match Reading::start(Task::Describe(kind), file)?.next(PATIENCE)? {
        Message::Described(description) => Ok(description),
        other => Err(other.unexpected()),
    }
}

/// The picture in a file, if there is one that browsers can show. Blocks.
pub(super) fn cover(file: &File, kind: FileKind) -> Result<Option<Cover>, NoAudio> {
    let _turn = ChildSlot::take();
    match Reading::start(Task::Cover(kind), file)?.next(QUICK_PATIENCE)? {
        // What the child says of it is not believed.
        Message::Picture(bytes) => Ok(picture_kind(&bytes).map(|mime| Cover { mime, bytes })),
        other => Err(other.unexpected()),
    }
}

/// How long a recording is, where it says so, if it can be played. Blocks.
pub(super) fn probe(file: &File) -> Result<Option<f64>, NoAudio> {
    let _turn = ChildSlot::take();
    match Reading::start(Task::Probe, file)?.next(QUICK_PATIENCE)? {
        Message::Begins(seconds) => Ok(seconds),
        other => Err(other.unexpected()),
    }
}

/// A recording while it is played. Dropping it ends its child.
pub struct Playback(Reading);

impl Playback {
    pub(super) fn start(file: &File) -> Result<Self, NoAudio> {
        Reading::start(Task::Play, file).map(Self)
    }

    /// Appends the samples of the next packet, of one channel, as parts of full scale; gives their rate. `None` at the
    /// end. What is damaged in the midst of a file is left out.
    ///
    /// # Errors
    /// When nothing more can be read of it, though there should be more.
    pub fn next(&mut self, samples: &mut Vec<f32>) -> Result<Option<u32>, NoAudio> {
        match self.0.next(PLAYING_PATIENCE)? {
            Message::Samples(rate, more) => {
                samples.extend(more);
                Ok(Some(rate))
            }
            Message::Ends => Ok(None),
            other => Err(other.unexpected()),
        }
    }
}

/// A child at work.
struct Reading {
    output: PipeReader,
    /// In tests of this very library it is a thread.
    child: Option<Child>,
}

impl Reading {
    #[cfg(not(test))]
    fn start(task: Task, file: &File) -> Result<Self, NoAudio> {
        let spawn = || {
            let no_program = || io::Error::other("the program that reads audio is not known");
            let (output, input) = io::pipe()?;
            let mut command = Command::new(PROGRAM.get().ok_or_else(no_program)?);
            // The environment holds secrets, and nothing that a reader needs but where libraries are.
            command.arg(ROLE).args(task.arguments()).env_clear();
            command.envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)));
            command.stdin(file.try_clone()?).stdout(input).stderr(Stdio::null());
            Ok(Self { output, child: Some(command.spawn()?) })
        };
        spawn().map_err(NoAudio::Unreadable)
    }

    #[cfg(test)]
    fn start(task: Task, file: &File) -> Result<Self, NoAudio> {
        let (output, input) = io::pipe().map_err(NoAudio::Unreadable)?;
        let file = file.try_clone().map_err(NoAudio::Unreadable)?;
        std::thread::spawn(move || child::read(task, file, input));
        Ok(Self { output, child: None })
    }

    /// What the child says next.
    fn next(&mut self, timeout: Duration) -> Result<Message, NoAudio> {
        let mut output = Patient { output: &mut self.output, until: Instant::now() + timeout };
        match Message::read(&mut output) {
            Ok(message) => message.checked(),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                Err(NoAudio::Damaged("reading it takes longer than any audio does".into()))
            }
            // It reached one of its limits, or crashed.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(NoAudio::Damaged("reading it takes more memory or time than any audio does".into()))
            }
            Err(error) => Err(NoAudio::Unreadable(error)),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Where it is gone already, there is nothing to end.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads what comes in time.
struct Patient<'a> {
    output: &'a mut PipeReader,
    until: Instant,
}

impl io::Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let left = self.until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&*self.output, PollFlags::IN)], Some(&timeout))? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => self.output.read(buffer),
        }
    }
}

/// One's turn to have a child.
struct ChildSlot;

static TURNS: (Mutex<usize>, Condvar) = (Mutex::new(AT_ONCE), Condvar::new());

impl ChildSlot {
    /// Waits for it: each of those before takes [`PATIENCE`] at most.
    fn take() -> Self {
        let (free, freed) = &TURNS;
        let free = free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Self
    }
}

impl Drop for ChildSlot {
    fn drop(&mut self) {
        let (free, freed) = &TURNS;
        *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        freed.notify_one();
    }
}
