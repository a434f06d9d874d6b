//! `/metrics`: everything that is counted, for Prometheus, and the few numbers of the older protocol as JSON.

use std::fmt;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;
use serde_json::json;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_TYPE, HeaderValue};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

use crate::access::{Action, Permit, Target, Visitor};
use crate::core::DropReason;
use crate::engine::MediaStats;

use super::Shared;
use super::exposition::{Exposition, level, load};
use super::reply::{denied, with};

const OPENMETRICS: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// `/metrics` of the main port.
pub(super) fn routes(shared: Shared) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    warp::path!("metrics")
        .and(warp::get())
        .and(warp::header::optional("accept"))
        .and(warp::ext::get::<Visitor>())
        .and(warp::any().map(move || shared.clone()))
        .then(async |accept: Option<String>, visitor: Visitor, shared: Shared| {
            match shared.authorize(&visitor, Action::ReadMetrics, Target::House).await {
                Ok(permit) => metrics(accept.as_deref(), permit, &shared).await,
                Err(refusal) => denied(&refusal),
            }
        })
}

async fn metrics(accept: Option<&str>, permit: Permit, shared: &Shared) -> Response {
    let media = shared.media_stats().await;
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        return json_metrics(media.as_ref(), shared);
    }
    let video = shared.bridge.video().stats().await.ok();
    let mut registry = Registry::with_prefix("voice_relay");
    registry.register_collector(Box::new(Scrape { media, video, permit, shared: shared.clone() }));
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => with(text.into_response(), CONTENT_TYPE, OPENMETRICS),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn json_metrics(media: Option<&MediaStats>, shared: &Shared) -> Response {
    warp::reply::json(&json!({
        "uptime_seconds": shared.started.elapsed().as_secs(),
        "active_connections": shared.places.sockets.taken(),
        "active_streams": shared.relay.streams().len(),
        "total_audio_bytes": media.map_or(0, |media| media.relay.audio_bytes_in),
        "webrtc_available": media.is_some(),
    }))
    .into_response()
}

/// Everything counted, at the moment of a scrape.
struct Scrape {
    media: Option<MediaStats>,
    video: Option<MediaStats>,
    permit: Permit,
    shared: Shared,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrape")
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Exposition::new(encoder);
        page.gauge("uptime_seconds", "Seconds since the start", self.shared.started.elapsed().as_secs())?;
        page.gauge("media_thread_up", "1 when the media thread answers", u64::from(self.media.is_some()))?;
        let waiting = self.shared.relay.commands_waiting();
        page.gauge("commands_waiting", "Commands that wait for the media threads", waiting as u64)?;
        if let Some(media) = &self.media {
            encode_relay(&mut page, media)?;
            encode_socket(&mut page, media)?;
        }
        if let Some(video) = &self.video {
            super::video::encode(&mut page, video, &self.shared.places.video)?;
        }
        page.counter("log_lines_dropped", "Lines of the log that nobody took", crate::log::lines_dropped())?;
        self.encode_http(&mut page)?;
        self.encode_gate(&mut page)?;
        self.encode_audio(&mut page)?;
        self.encode_clips(&mut page)?;
        self.encode_rooms(&mut page)?;
        super::files::encode(&mut page, self.shared.house.files(&self.permit))?;
        super::announce::encode(&mut page, self.shared.house.announcer(&self.permit))?;
        super::calls::encode(&mut page, self.shared.house.calls(&self.permit))?;
        super::mailbox::encode(&mut page, self.shared.house.mailbox(&self.permit))?;
        if let Some(players) = self.shared.house.players(&self.permit) {
            super::house_players::encode(&mut page, players, self.shared.automation.as_deref())?;
        }
        if let Some(phones) = self.shared.house.phones(&self.permit) {
            super::phones::encode(&mut page, phones)?;
        }
        if let Some(entities) = &self.shared.entities {
            super::entities::encode(&mut page, &entities.stats)?;
        }
        let sessions = self.media.as_ref().map(|media| media.resources).unwrap_or_default();
        super::whip::encode(&mut page, &self.shared.stats.whip, sessions)?;
        self.encode_sound(&mut page)
    }
}

fn encode_relay(page: &mut Exposition<'_>, media: &MediaStats) -> fmt::Result {
    let relay = &media.relay;
    page.gauge("peers", "WebRTC peer connections", relay.peers as u64)?;
    page.gauge("streams", "Live streams", relay.streams as u64)?;
    page.gauge("receivers", "WebRTC receivers of live streams", relay.receivers as u64)?;
    page.counter("datagrams_in", "UDP datagrams received", relay.datagrams_in)?;
    page.counter("datagrams_out", "UDP datagrams sent", relay.datagrams_out)?;
    page.counter("packets_in", "RTP packets decrypted", relay.packets_in)?;
    page.counter("packets_forwarded", "RTP packets sealed for receivers", relay.packets_forwarded)?;
    page.counter("packets_repeated", "RTP packets sent again to those who lost them", relay.packets_retransmitted)?;
    page.counter("packets_doubled", "RTP packets sent twice to those who lose many", relay.packets_duplicated)?;
    page.counter(
        "repeats_refused",
        "RTP packets asked for again, too late or too often",
        relay.retransmissions_refused,
    )?;
    page.counter("packets_shortened", "Those of them that were sealed after a pattern", relay.packets_fast)?;
    page.counter("audio_bytes_in", "Opus bytes from senders", relay.audio_bytes_in)?;
    page.counter("audio_bytes_out", "Opus bytes to receivers", relay.audio_bytes_out)?;
    page.counter("streams_started", "Streams that became live", relay.streams_started)?;
    page.counter("streams_ended", "Streams that ended", relay.streams_ended)?;
    page.counter("joins", "Peers that completed ICE and DTLS", relay.joins)?;
    page.counter("joins_failed", "Peers that did not complete ICE and DTLS in time", relay.joins_failed)?;
    page.counter("peer_panics", "Peers lost to a panic in their session", relay.peer_panics)?;
    page.counter("stale_removed", "Streams and senders removed by the clean-up", relay.stale_removed)?;
    page.counter("address_changes", "Addresses that changed under a peer", relay.address_changes)?;
    page.histogram("join_seconds", "From the offer to ICE and DTLS complete", &relay.join_duration)
}

fn encode_socket(page: &mut Exposition<'_>, media: &MediaStats) -> fmt::Result {
    let socket = &media.socket;
    let relay_drops = DropReason::ALL.map(|reason| (reason.label(), media.relay.dropped[reason as usize]));
    let socket_drops = [
        ("oversized", socket.oversized),
        ("foreign", socket.foreign),
        ("send_buffer_full", socket.send_buffer_full),
        ("send_failed", socket.send_failed),
        ("tap_overflow", media.tap_overflows),
        ("branch_overflow", media.pipe_overflows),
    ];
    let drops: Vec<_> = relay_drops.into_iter().chain(socket_drops).collect();
    page.counters("dropped", "Datagrams and packets dropped", "reason", &drops)?;
    let commands: Vec<_> = media.commands.iter().map(|(kind, done)| (*kind, *done)).collect();
    page.counters("commands", "What the media threads were asked to do", "kind", &commands)?;
    page.counter("receive_calls", "System calls that received datagrams", socket.receive_calls)?;
    page.counter("send_calls", "System calls that sent datagrams", socket.send_calls)?;
    page.gauge("taps", "Decoders that listen in on streams", media.taps as u64)?;
    page.counter("room_events_lost", "Things in rooms that nobody was told", media.room_events_lost)?;
    let help = "From a packet's arrival in the kernel until a receiver's copy was sent";
    page.histogram("forward_delay_seconds", help, &socket.forward_delay)
}

impl Scrape {
    fn encode_rooms(&self, page: &mut Exposition<'_>) -> fmt::Result {
        let (handle, (rooms, participants)) = (self.shared.bridge.rooms(), self.shared.bridge.rooms().population());
        let counted = handle.counters();
        page.gauge("rooms", "Rooms of the house", rooms as u64)?;
        page.gauge("room_participants", "People in rooms", participants as u64)?;
        page.counter("rooms_refused", "Rooms that were not opened, over the limit", counted.rooms_refused)?;
        page.counter("rooms_full", "People who came to a room that was full", counted.full)?;
        page.counter("room_wrong_pins", "Guesses at PINs of rooms that were wrong", counted.guesses_wrong)?;
        page.counter("room_pins_too_fast", "Guesses that were not looked at", counted.guesses_refused)?;
        page.counter("room_chat_too_fast", "Chat messages that were not passed on", counted.chat_refused)?;
        page.counter("room_members_too_slow", "Clients given up because they did not read", handle.too_slow())?;
        page.counter("room_orders_lost", "Orders for which the media side was too slow", handle.orders_lost())
    }

    fn encode_http(&self, page: &mut Exposition<'_>) -> fmt::Result {
        let (stats, places) = (&self.shared.stats, &self.shared.places);
        page.gauge("websockets", "Signalling connections", places.sockets.taken())?;
        page.counter("websockets_refused", "Signalling connections over the limit", places.sockets.refused_ever())?;
        page.counter("websockets_failed", "Signalling connections broken off", load(&stats.signalling.failed))?;
        page.counter("malformed_messages", "Frames that were no message", load(&stats.signalling.malformed))?;
        page.counter("websockets_timed_out", "Clients that stopped answering", load(&stats.signalling.timed_out))?;
        let ports = [
            ("http", &stats.main_port),
            ("https", &stats.tls_port),
            ("mp3", &stats.mp3_port),
            ("ingress", &stats.ingress_port),
        ];
        for (name, port) in ports {
            page.counter(&format!("{name}_connections"), "TCP connections accepted", load(&port.accepted))?;
            page.counter(
                &format!("{name}_foreign"),
                "TCP connections from addresses that are not served",
                load(&port.foreign),
            )?;
            page.counter(&format!("{name}_full"), "TCP connections over the limit", load(&port.full))?;
        }
        let mut handshakes = stats.handshakes.counters().into_iter();
        handshakes.try_for_each(|(name, help, counter)| page.counter(name, help, load(counter)))?;
        let shares = places.all().map(|(kind, places)| (kind, places.refused_share()));
        page.counters("share_refused", "What one address had enough of", "kind", &shares)?;
        page.gauge("encoders_taken", "Encoders for listeners", places.encoders.taken())?;
        let refused = places.encoders.refused_ever();
        page.counter("encoders_refused", "Listeners for whom there was no encoder", refused)?;
        let listeners = &stats.listeners;
        page.gauge("mp3_listeners", "Listeners to live audio over HTTP", places.listeners.taken())?;
        page.counter("mp3_refused", "Listeners over the limit", places.listeners.refused_ever())?;
        page.counter("mp3_dropped", "Listeners dropped because they stopped reading", load(&listeners.dropped))?;
        page.counter("mp3_skipped", "Pieces of audio that slow listeners missed", load(&listeners.skipped))?;
        page.counter("mp3_writes", "Pieces of audio written to listeners", load(&listeners.writes))
    }

    fn encode_sound(&self, page: &mut Exposition<'_>) -> fmt::Result {
        let sound = self.shared.house.sound(&self.permit);
        let output = sound.output.as_ref().map(|output| &output.stats);
        let input = sound.input.as_ref().map(|input| &input.stats);
        for (name, card) in [("output", output), ("input", input)] {
            let Some(card) = card else { continue };
            let running = u64::from(card.running.load(Ordering::Relaxed));
            page.gauge(&format!("{name}_running"), "1 while the sound card is open", running)?;
            page.counter(&format!("{name}_reopened"), "Times the sound card was lost and found", load(&card.reopened))?;
            page.counter(&format!("{name}_underruns"), "Times the card had nothing to play", load(&card.underruns))?;
            page.counter(&format!("{name}_overruns"), "Times the card's sound was dropped", load(&card.overruns))?;
        }
        Ok(())
    }

    fn encode_gate(&self, page: &mut Exposition<'_>) -> fmt::Result {
        let gate = self.shared.gate.stats();
        page.counter("foreign_origins", "Requests from web pages of other sites", load(&gate.foreign_origin))?;
        page.counter("foreign_hosts", "Requests by names that are not of the house", load(&gate.foreign_host))?;
        page.counter("bad_tokens", "Tokens that were forged, expired or revoked", load(&gate.bad_token))?;
        page.gauge("permits", "What is open with a permit", self.shared.access().open() as u64)?;
        page.counter("not_permitted", "Requests and messages that lacked a permission", load(&gate.not_permitted))?;
        page.counter(
            "too_fast",
            "Requests, messages and joins over the limits of their address",
            load(&gate.too_fast),
        )?;
        page.counter("too_slow", "Requests that took too long to arrive", load(&gate.too_slow))
    }

    fn encode_clips(&self, page: &mut Exposition<'_>) -> fmt::Result {
        let clips = self.shared.house.clips(&self.permit);
        page.gauge("clips", "Clips that are kept", clips.list().len() as u64)?;
        page.gauge("clips_bytes", "Memory that clips take, with what is being said", clips.bytes())?;
        page.counter("clips_recorded", "Clips made", load(&clips.stats.recorded))?;
        page.counter(
            "clips_packets_dropped",
            "Packets in no clip, their owner says too much",
            load(&clips.stats.dropped),
        )?;
        page.counter("clips_evicted", "Clips that went early, for their number or size", load(&clips.stats.evicted))
    }

    fn encode_audio(&self, page: &mut Exposition<'_>) -> fmt::Result {
        let audio = &self.shared.audio;
        page.gauge(
            "mp3_encoders",
            "Programs that are made for listeners, one for each format and bit rate",
            level(&audio.encoders),
        )?;
        page.counter("mp3_frames", "MP3 frames encoded, of 24 ms each", load(&audio.mp3_frames))?;
        page.counter(
            "mp3_frames_skipped",
            "Messages dropped before they reached any listener",
            load(&audio.frames_skipped),
        )?;
        page.counter("opus_decoded", "Opus packets decoded", load(&audio.decoded))?;
        page.counter("opus_fec_recovered", "Lost packets restored from the next one", load(&audio.fec_recovered))?;
        page.counter("opus_concealed", "Stretches filled by concealment", load(&audio.concealed))?;
        page.counter("opus_undecodable", "Packets that were not Opus", load(&audio.undecodable))?;
        page.counter("jitter_late", "Packets that came after their time, or twice", load(&audio.late))?;
        page.counter(
            "stretched",
            "Times speech was shortened or lengthened to keep the delay",
            load(&audio.stretched),
        )?;
        page.counter("jitter_overflow", "Packets dropped because the buffer was full", load(&audio.overflow))
    }
}
