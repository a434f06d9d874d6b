//! What the tests share: a WebRTC client without sockets, and a simulated network to run it in; for the
//! live audio that comes out, players and listeners.
//!
//! `channel` is a client of files. `client` is a full ICE peer on str0m, driven by whoever owns it: by `world`, where time and the
//! network are simulated and seeded, or by `live`, over real sockets against the real daemon. `listener`
//! takes a live stream's bytes as they come; `sound` is players, and measures of what they play. `house` is the program with TLS, `whip` clients that ask once, and
//! `core` a stand-in for Home Assistant's, which an `authority` can have speak TLS.

// Each test binary uses its own part of this.
#![allow(dead_code, unreachable_pub)]

pub mod authority;
pub mod broker;
pub mod channel;
pub mod client;
pub mod core;
pub mod esphome;
pub mod house;
pub mod http;
pub mod listener;
pub mod live;
pub mod mailbox;
pub mod network;
pub mod noise;
pub mod pulse;
pub mod sound;
pub mod video;
pub mod whip;
pub mod world;
