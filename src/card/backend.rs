//! What is known of PulseAudio and ALSA: connecting, listing and finding devices.
//!
//! Every call here may block for as long as the server hangs, except connecting.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{DeviceDirection, Error, ErrorKind, Host, HostId};

use super::{DEFAULT, Device, Direction};

/// cpal waits two seconds for a server's greeting; a failure that took this long was a server that
/// hangs.
const GREETING: Duration = Duration::from_millis(1_500);

/// A server that hangs is asked again after this time: each try leaves a thread behind in cpal until
/// the server goes on or dies.
const HUNG_PAUSE: Duration = Duration::from_secs(30);

/// ALSA devices that people choose. The rest are views of the same cards and plugins without a card,
/// of which `null` would call back a million times a second.
const ALSA_KINDS: [&str; 6] = [DEFAULT, "sysdefault:", "plughw:", "hw:", "hdmi:", "iec958:"];

/// A device, as streams are opened on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) backend: HostId,
    pub(super) id: String,
}

/// The devices of the PulseAudio (or PipeWire) server that the environment names.
pub(super) fn pulse_devices() -> Result<Vec<Device>, Error> {
    // One connection for all who ask: a connection without streams that is dropped leaves a thread and
    // a place at the server behind, of which there are 64, unless something happens to arrive on it.
    static CONTROL: Mutex<Option<Host>> = Mutex::new(None);
    let mut control = CONTROL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(devices) = control.as_ref().and_then(|host| list(host).ok()) {
        return Ok(devices);
    }
    // One whose server has died is of no use any more.
    *control = None;
    list(control.insert(pulse()?))
}

/// The devices of the kernel's cards.
pub(super) fn alsa_devices() -> Result<Vec<Device>, Error> {
    let mut devices = list(&alsa()?)?;
    devices.retain(|device| is_alsa_device(&device.id));
    add_alsa_default(&mut devices);
    Ok(devices)
}

/// Takes two seconds at most.
fn pulse() -> Result<Host, Error> {
    static HUNG_AT: Mutex<Option<Instant>> = Mutex::new(None);
    let hung_at = || HUNG_AT.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = Instant::now();
    if hung_at().is_some_and(|hung_at| asked.saturating_duration_since(hung_at) < HUNG_PAUSE) {
        return Err(Error::with_message(ErrorKind::HostUnavailable, "PulseAudio does not answer"));
    }
    let host = cpal::host_from_id(HostId::PulseAudio);
    if host.is_err() && asked.elapsed() > GREETING {
        *hung_at() = Some(Instant::now());
    }
    host
}

/// The cards of the kernel. libasound's complaints on this thread go nowhere from now on.
fn alsa() -> Result<Host, Error> {
    // They would go to stderr, ten lines for each device that is not there. Losing them is harmless.
    let _ = alsa::Output::local_error_handler();
    cpal::host_from_id(HostId::Alsa)
}

/// The host of a target, new: a PulseAudio connection carries one stream of a direction only, and is
/// of no use any more once its server is gone.
pub(super) fn host(target: &Target) -> Result<Host, Error> {
    match target.backend {
        HostId::PulseAudio => pulse(),
        _ => alsa(),
    }
}

fn list(host: &Host) -> Result<Vec<Device>, Error> {
    let defaults = [Direction::Output, Direction::Input].map(|direction| default_id(host, direction));
    let mut devices = Vec::new();
    for device in host.devices()? {
        let (Ok(id), Ok(description)) = (device.id(), device.description()) else { continue };
        for direction in directions(description.direction()) {
            devices.push(Device {
                id: id.id().to_owned(),
                name: description.name().to_owned(),
                direction,
                backend: host.id().to_string(),
                is_default: defaults[direction as usize].as_deref() == Some(id.id()),
            });
        }
    }
    Ok(devices)
}

/// The target among the devices of its host.
pub(super) fn find(host: &Host, target: &Target, direction: Direction) -> Result<Option<cpal::Device>, Error> {
    let is_target = |device: &cpal::Device| {
        let directions = device.description().map(|description| directions(description.direction()));
        device.id().is_ok_and(|id| id.id() == target.id)
            && directions.is_ok_and(|mut directions| directions.any(|other| other == direction))
    };
    // ALSA does not always list the device that it calls the default.
    Ok(host.devices()?.find(is_target).or_else(|| default_device(host, direction).filter(is_target)))
}

fn default_device(host: &Host, direction: Direction) -> Option<cpal::Device> {
    match direction {
        Direction::Output => host.default_output_device(),
        Direction::Input => host.default_input_device(),
    }
}

fn default_id(host: &Host, direction: Direction) -> Option<String> {
    let id = default_device(host, direction)?.id().ok()?.id().to_owned();
    // Without a microphone, PulseAudio's default is what the loudspeaker plays: nobody means that.
    let is_own_echo = direction == Direction::Input && id.ends_with(".monitor");
    (!is_own_echo).then_some(id)
}

fn directions(direction: DeviceDirection) -> impl Iterator<Item = Direction> {
    let plays = matches!(direction, DeviceDirection::Output | DeviceDirection::Duplex);
    let records = matches!(direction, DeviceDirection::Input | DeviceDirection::Duplex);
    plays.then_some(Direction::Output).into_iter().chain(records.then_some(Direction::Input))
}

fn is_alsa_device(id: &str) -> bool {
    // Cards by number are those by name once more.
    let by_number =
        id.split_once("CARD=").is_some_and(|(_, card)| card.starts_with(|first: char| first.is_ascii_digit()));
    !by_number && ALSA_KINDS.iter().any(|kind| id.starts_with(kind))
}

/// Where there is a card, `default` leads to it, though ALSA may list it under a longer name only.
fn add_alsa_default(devices: &mut Vec<Device>) {
    for direction in [Direction::Output, Direction::Input] {
        let mut others = devices.iter().filter(|device| device.direction == direction).peekable();
        if others.peek().is_some() && !others.any(|device| device.is_default) {
            devices.insert(
                0,
                Device {
                    id: DEFAULT.to_owned(),
                    name: "Default".to_owned(),
                    direction,
                    backend: HostId::Alsa.to_string(),
                    is_default: true,
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_and_doubles_are_no_devices() {
        let listed = [
            "null",
            "lavrate",
            "jack",
            "pulse",
            "upmix",
            "default",
            "sysdefault:CARD=PCH",
            "plughw:CARD=PCH,DEV=0",
            "plughw:CARD=0,DEV=0",
            "dmix:CARD=PCH,DEV=0",
            "surround51:CARD=PCH,DEV=0",
            "hdmi:CARD=HDMI,DEV=1",
        ];
        let kept: Vec<_> = listed.into_iter().filter(|id| is_alsa_device(id)).collect();
        assert_eq!(kept, ["default", "sysdefault:CARD=PCH", "plughw:CARD=PCH,DEV=0", "hdmi:CARD=HDMI,DEV=1"]);
    }

    #[test]
    fn alsa_has_a_default_where_it_has_a_card() {
        let mut none = Vec::new();
        add_alsa_default(&mut none);
        assert!(none.is_empty());
        let card = Device {
            id: "hw:CARD=PCH,DEV=0".into(),
            name: "PCH".into(),
            direction: Direction::Output,
            backend: "alsa".into(),
            is_default: false,
        };
        let mut devices = vec![card];
        add_alsa_default(&mut devices);
        add_alsa_default(&mut devices);
        assert_eq!(devices.iter().map(|device| &*device.id).collect::<Vec<_>>(), ["default", "hw:CARD=PCH,DEV=0"]);
    }
}
