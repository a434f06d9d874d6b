//! The child's part: reads the file that is its standard input, and says what it found on its standard output.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeWriter, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;

use super::super::decoding::Decoding;
use super::super::facts::{self, NoAudio};
use super::message::{Fault, Message};
use super::{ROLE, Task, confine};

/// Reads audio for the daemon and gives the status to exit with, if these arguments ask for that. To be called before
/// anything else is done.
pub fn run_if_asked(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let arguments: Vec<_> = arguments.into_iter().skip(1).collect();
    let [role, name, kind] = &arguments[..] else { return None };
    let task = (role == ROLE).then(|| Task::of_arguments(name.to_str()?, kind.to_str()?)).flatten()?;
    let run = || {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = PipeWriter::from(io::stdout().as_fd().try_clone_to_owned()?);
        confine::confine(task)?;
        read(task, file, output)
    };
    Some(if run().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Does what is asked for; the error says that nobody listens any more.
pub(super) fn read(task: Task, file: File, mut output: PipeWriter) -> io::Result<()> {
    let message = match task {
        Task::Describe(kind) => facts::describe(file, kind).map(Message::Described),
        Task::Cover(kind) => {
            facts::cover(file, kind).map(|cover| Message::Picture(cover.map_or(vec![], |it| it.bytes)))
        }
        Task::Probe => probe(file).map(Message::Begins),
        Task::Play => play(file, &mut output)?.map(|()| Message::Ends),
    };
    message.unwrap_or_else(|error| Message::Fails(Fault::from(&error))).write(&mut output)
}

/// Decodes the first packet, since many a file fails there.
fn probe(file: File) -> Result<Option<f64>, NoAudio> {
    let mut decoding = Decoding::begin(&Arc::new(file))?;
    decoding.next(&mut Vec::new())?.ok_or(NoAudio::NoTrack)?;
    Ok(decoding.seconds())
}

fn play(file: File, output: &mut impl Write) -> io::Result<Result<(), NoAudio>> {
    let mut decoding = match Decoding::begin(&Arc::new(file)) {
        Ok(decoding) => decoding,
        Err(error) => return Ok(Err(error)),
    };
    loop {
        let mut samples = Vec::new();
        match decoding.next(&mut samples) {
            Ok(Some(rate)) => Message::Samples(rate, samples).write(output)?,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        }
    }
}
