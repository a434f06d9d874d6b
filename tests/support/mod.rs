//! What the tests share: a WebRTC client without sockets, and a simulated network to run it in.
//!
//! `client` is a full ICE peer on str0m, driven by whoever owns it: by `world`, where time and the
//! network are simulated and seeded, or by `live`, over real sockets against the real daemon.

// Each test binary uses its own part of this.
#![allow(dead_code, unreachable_pub)]

pub mod client;
pub mod live;
pub mod network;
pub mod pulse;
pub mod world;
