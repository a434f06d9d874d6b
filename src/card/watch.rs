//! Whether a device is there. PulseAudio moves the streams of a device that is unplugged to another
//! one, without a word and for good: only looking at the list reveals it.

use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cpal::HostId;

use super::backend::{self, Target};
use super::{DEFAULT, Device, Direction};

/// How often the list is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// A look this old says nothing: the server hangs.
const STALE: Duration = Duration::from_secs(3);

/// A server that was there is perhaps being restarted: for so long, its card is not taken from it.
const RESTART: Duration = Duration::from_secs(10);

/// What was seen of the device.
#[derive(Debug, Clone)]
pub(super) enum Sight {
    /// Nothing yet.
    Looking,
    /// It is there.
    There(Arc<Target>),
    /// It is not, and why.
    Gone(Arc<str>),
    /// The server does not answer.
    Hung,
}

/// Looks for one device, on a thread of its own that may hang with the server.
pub(super) struct Watch {
    latest: Arc<Mutex<(Instant, Sight)>>,
    /// Its end ends the thread.
    _alive: Sender<Infallible>,
}

impl Watch {
    /// Begins to look for a device, by `default`, its id or its name.
    pub(super) fn start(wish: &str, direction: Direction) -> io::Result<Self> {
        let latest = Arc::new(Mutex::new((Instant::now(), Sight::Looking)));
        let (alive, stop) = mpsc::channel();
        let lookout = Lookout { wish: wish.to_owned(), direction, server_seen: None };
        let seen = Arc::clone(&latest);
        thread::Builder::new().name("card-watch".into()).spawn(move || lookout.run(&seen, &stop))?;
        Ok(Self { latest, _alive: alive })
    }

    /// What the latest look has shown.
    pub(super) fn sight(&self, now: Instant) -> Sight {
        let (at, sight) = &*self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(*at) > STALE { Sight::Hung } else { sight.clone() }
    }
}

/// The thread's side.
struct Lookout {
    wish: String,
    direction: Direction,
    /// When PulseAudio answered.
    server_seen: Option<Instant>,
}

impl Lookout {
    fn run(mut self, latest: &Mutex<(Instant, Sight)>, stop: &Receiver<Infallible>) {
        loop {
            let sight = self.look();
            *latest.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), sight);
            if stop.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    fn look(&mut self) -> Sight {
        match self.devices() {
            Ok((backend, devices)) => match choose(&devices, &self.wish, self.direction) {
                Some(device) => Sight::There(Arc::new(Target { backend, id: device.id.clone() })),
                None => Sight::Gone(format!("{backend} has no such device").into()),
            },
            Err(error) => Sight::Gone(error.to_string().into()),
        }
    }

    fn devices(&mut self) -> Result<(HostId, Vec<Device>), cpal::Error> {
        match backend::pulse_devices() {
            Ok(devices) => {
                self.server_seen = Some(Instant::now());
                Ok((HostId::PulseAudio, devices))
            }
            Err(error) if self.server_seen.is_some_and(|seen| seen.elapsed() < RESTART) => Err(error),
            Err(_) => Ok((HostId::Alsa, backend::alsa_devices()?)),
        }
    }
}

/// The device that people mean: the default one, or by id, or by name.
fn choose<'a>(devices: &'a [Device], wish: &str, direction: Direction) -> Option<&'a Device> {
    let mut devices = devices.iter().filter(|device| device.direction == direction);
    if wish == DEFAULT {
        return devices.find(|device| device.is_default);
    }
    devices.clone().find(|device| device.id == wish).or_else(|| devices.find(|device| device.name == wish))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, name: &str, direction: Direction, is_default: bool) -> Device {
        Device { id: id.into(), name: name.into(), direction, backend: "pulseaudio".into(), is_default }
    }

    #[test]
    fn a_device_is_meant_by_default_or_id_or_name() {
        let devices = [
            device("hall", "Speaker", Direction::Output, false),
            device("desk", "hall", Direction::Output, true),
            device("desk", "Microphone", Direction::Input, false),
        ];
        let chosen = |wish, direction| {
            choose(&devices, wish, direction).and_then(|device| devices.iter().position(|other| other == device))
        };
        assert_eq!(chosen("default", Direction::Output), Some(1));
        assert_eq!(chosen("hall", Direction::Output), Some(0), "an id goes before a name");
        assert_eq!(chosen("Speaker", Direction::Output), Some(0));
        assert_eq!(chosen("desk", Direction::Input), Some(2));
        assert_eq!(chosen("hall", Direction::Input), None);
        assert_eq!(chosen("default", Direction::Input), None);
    }
}
