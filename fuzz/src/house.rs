//! The simulated house of the tests: clients with real keys, without which hardly a byte gets past the first check.
#![allow(dead_code, unreachable_pub)]

#[path = "../../tests/support/client.rs"]
pub mod client;
#[path = "../../tests/support/network.rs"]
pub mod network;
#[path = "../../tests/support/world.rs"]
pub mod world;
