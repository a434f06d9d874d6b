//! The stand-in for Home Assistant's core, as a program, for the tests in browsers: a house with four media players, a
//! doorbell and a phone. Prints its address, and serves until it is killed; each line that it reads is a new state of the doorbell.

// As in the tests: what they ask it afterwards, nobody asks here.
#[allow(dead_code, unreachable_pub)]
#[path = "../tests/support/core/mod.rs"]
mod stand_in;

// What it shows to a node that wants a key.
#[allow(dead_code, unreachable_pub)]
#[path = "../tests/support/noise.rs"]
mod noise;

use stand_in::{StandInCore, TOKEN};

const DOORBELL: &str = "event.front_door";

#[tokio::main]
async fn main() {
    let core = StandInCore::start().await;
    core.add("media_player.bedroom", "cast", Some("bedroom"), "unavailable", 0.2);
    core.add("media_player.kitchen_speaker", "cast", Some("kitchen"), "idle", 0.3);
    core.add("media_player.living_room", "sonos", None, "playing", 0.4);
    core.add("media_player.echo", "alexa_devices", None, "idle", 0.4);
    core.add_doorbell(DOORBELL, "Front door");
    core.add_phone("mobile_app_pixel_8");
    println!("url={} token={TOKEN}", core.url);
    // A thread of its own, since a line may never come.
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(Result::ok).for_each(|state| core.set_state(DOORBELL, &state));
    });
    std::future::pending::<()>().await;
}
