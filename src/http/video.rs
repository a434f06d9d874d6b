//! What is counted of video, for `/metrics`.

use std::fmt;

use crate::core::DropReason;
use crate::engine::MediaStats;
use crate::limits::Places;

use super::exposition::Exposition;

pub(super) fn encode(page: &mut Exposition<'_>, video: &MediaStats, peers: &Places) -> fmt::Result {
    let MediaStats { relay, socket, room_events_lost, .. } = video;
    page.gauge("video_peers", "Connections for video", relay.peers as u64)?;
    page.counter("video_refused", "Connections for video over the limit", peers.refused_ever())?;
    page.gauge("video_tracks", "Cameras and screens that are shown", relay.video_tracks as u64)?;
    page.counter("video_packets_in", "Packets of video decrypted", relay.video_packets_in)?;
    page.counter("video_packets_forwarded", "Packets of video given to viewers", relay.video_packets_forwarded)?;
    page.counter("video_bytes_in", "Bytes of video from senders", relay.video_bytes_in)?;
    page.counter("video_bytes_out", "Bytes of video to viewers", relay.video_bytes_out)?;
    page.counter("video_keyframes_requested", "Keyframes that senders were asked for", relay.keyframes_requested)?;
    let help = "Times that a viewer was left one picture, since packets for it waited too long";
    page.counter("video_brakes", help, relay.video_brakes)?;
    page.counter("video_late_wakeups", "Timers of video that went off too late to measure a way", socket.late_wakeups)?;
    page.counter("video_events_lost", "Things about video that nobody was told", *room_events_lost)?;
    page.counter("video_peer_panics", "Connections for video lost to a panic in their session", relay.peer_panics)?;
    let of_relay = DropReason::ALL.map(|reason| (reason.label(), relay.dropped[reason as usize]));
    let of_socket = [
        ("oversized", socket.oversized),
        ("foreign", socket.foreign),
        ("send_buffer_full", socket.send_buffer_full),
        ("send_failed", socket.send_failed),
    ];
    let dropped: Vec<_> = of_relay.into_iter().chain(of_socket).collect();
    page.counters("video_dropped", "Datagrams and packets of video dropped", "reason", &dropped)
}
