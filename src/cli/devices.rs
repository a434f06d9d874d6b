//! `voice-relay devices`: the sound devices of this machine.

use voice_relay::card::{self, Device, Direction};

/// A line a device: its direction, whether it is the default, its id, and what people call it.
pub(crate) fn devices() -> String {
    let devices = card::devices();
    if devices.is_empty() {
        return "There is no sound device, or no access to it.\n".into();
    }
    let line = |device: &Device| {
        let direction = if device.direction == Direction::Output { "output" } else { "input" };
        let default = if device.is_default { "*" } else { " " };
        format!("{direction:<6} {default} {:<40} {} ({})\n", device.id, device.name, device.backend)
    };
    devices.iter().map(line).collect()
}
