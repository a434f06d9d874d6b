//! What the daemon survives, where no other test shows it already; `docs/survival.md` names a test for every line of
//! the list. The bar is always the same: no panic, nothing left behind, a counter, and a call beside it that goes on
//! without the loss of a packet.

// One binary, whose modules share.
#![allow(unreachable_pub)]

#[path = "../support/mod.rs"]
mod support;

mod bystanders;
mod foreign_audio;
mod greedy;
mod http;
mod limits;
mod process;
mod sessions;
mod strangers;
mod udp;
mod websocket;
