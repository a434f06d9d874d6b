//! Voice Relay: talk in one browser, hear it in every other, and on any media player of the house.
//!
//! A map of the crate, in the order of a spoken packet:
//!
//! - [`net`] owns the UDP socket and the media thread that does nothing else.
//! - [`core`](mod@core) is the core: peers, tracks, consumers, and the forwarding of Opus packets without
//!   decoding them. Sans-IO: it runs the same under `net` and in the simulator of the tests.
//! - [`engine`] is the one door to it: commands with a reply, events to subscribe to.
//! - [`access`] is who may do what: one decision for all that is asked, and a permit for what is done then.
//! - [`rooms`] is who is where in the house, and may do what there; it hears of media, and touches none.
//! - [`audio`] is sound as samples: jitter buffer, Opus, mixing, MP3.
//! - [`live`] is what is heard just now, decoded only while somebody wants samples: programs, mounts, clips.
//! - [`card`] is the machine's sound card, and [`sound`] makes it a listener and a sender.
//! - [`library`] is the audio files of the house, and [`transfer`] how they come to clients over a data channel.
//! - [`announce`] lets recordings be heard in a room, by whoever listens there; [`dispatch`] brings one to several rooms and
//!   media players at once.
//! - [`http`] is everything a client speaks to besides UDP: signalling, MP3 URLs, health, the page.
//! - [`tls`] is the certificate that it does so with: Home Assistant's, or one of our own.
//! - [`players`] is the media players of the house: what is announced on them, and how they are left afterwards.
//! - [`hass`] is Home Assistant, where there is one: what it tells an app, and the link to its core.
//! - [`automation`] is what its automations hear of the relay, and ask of it.
//! - [`entities`] is what it shows of every room, and lets people use.
//! - [`config`] is the one typed tree of options, [`data`] the folder of what outlives a restart, [`log`] what is told to whoever runs it, and [`domain`] the words that all of them share.
//! - [`app`] joins the parts, and takes them apart again; what must not end by itself is [`critical`].

pub mod access;
pub mod announce;
pub mod app;
pub mod audio;
pub mod automation;
pub mod bridge;
pub mod calls;
pub mod card;
pub mod config;
pub mod core;
pub mod critical;
pub mod data;
pub mod dispatch;
pub mod domain;
pub mod engine;
pub mod entities;
pub mod hass;
pub mod http;
pub mod library;
pub mod limits;
pub mod live;
pub mod log;
pub mod mailbox;
pub mod net;
pub mod players;
pub mod rooms;
pub mod sound;
pub mod tls;
pub mod transfer;
