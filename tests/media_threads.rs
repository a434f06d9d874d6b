//! More than one media thread: receivers take turns, and nobody can tell on which thread somebody is but by the port.

mod support;

use std::collections::HashSet;
use std::net::SocketAddr;

use support::http::get;
use support::live::{Peer, metric, metric_becomes, receiver, sender, start, tone};
use support::whip::{SDP, Session, send};
use voice_relay::app::App;

/// Where a client's packets come from.
async fn port_of(peer: &Peer) -> u16 {
    peer.with(|client, _| client.heard_from).await.expect("connected").port()
}

async fn two_threads(flags: &[&str]) -> App {
    start(&[&["--media-threads=2"], flags].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_of_a_stream_take_turns_on_two_ports_and_all_hear_it() {
    let app = two_threads(&[]).await;
    let speaker = sender(app.ports, Some(tone(440.0)), 0.0).await;
    let mut hearers = Vec::new();
    for _ in 0..4 {
        hearers.push(receiver(app.ports, Some(&speaker.stream)).await);
    }
    for (_, peer) in &hearers {
        peer.wait_for_packets(50).await;
    }
    let ports = futures_util::future::join_all(hearers.iter().map(|(_, peer)| port_of(peer))).await;
    assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 2, "{ports:?}");
    assert_eq!(ports[0], ports[2]);
    assert_eq!(ports[1], ports[3]);
    assert!(ports.contains(&app.ports.media.port()), "the first thread has a turn as well");
    let info = get(app.ports.http, "/api/info").await.json();
    let said: Vec<SocketAddr> = serde_json::from_value(info["media_addresses"].clone()).expect("addresses");
    assert!(ports.iter().all(|port| said.iter().any(|address| address.port() == *port)), "{said:?}");

    assert_eq!((metric(app.ports, "peers").await, metric(app.ports, "receivers").await), (5, 4));
    assert_eq!(metric(app.ports, "streams").await, 1);
    assert!(metric(app.ports, "packets_forwarded").await >= 4 * 50);
    let listed = get(app.ports.http, "/api/streams").await.json();
    assert_eq!(listed["streams"][0]["listeners"], 4, "{listed}");

    // The first two go; the others are told when the stream ends.
    for (signalling, _) in hearers.drain(..2) {
        signalling.close().await;
    }
    metric_becomes(app.ports, "peers", 3).await;
    speaker.signalling.close().await;
    for (signalling, _) in &mut hearers {
        assert_eq!(signalling.expect("stream_ended").await["stream_id"], *speaker.stream);
    }
    metric_becomes(app.ports, "peers", 0).await;
    assert_eq!(metric(app.ports, "dropped_total{reason=\"branch_overflow\"}").await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_given_by_whep_is_good_on_either_thread() {
    let app = two_threads(&[]).await;
    let _speaker = sender(app.ports, Some(tone(440.0)), 0.0).await;
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(Session::hear(app.ports, "/whep/latest", 1).await);
    }
    for session in &mut sessions {
        session.peer.wait_for_packets(10).await;
        session.restart().await;
        let heard = session.peer.packets_received().await;
        session.peer.wait_for_packets(heard + 50).await;
    }
    metric_becomes(app.ports, "whep_sessions", 4).await;
    for session in &sessions {
        assert_eq!(session.end().await, 200);
        assert_eq!(session.end().await, 404, "it is over");
    }
    // A thread that there is not.
    let forged = format!("{}ff", &sessions[0].location[..sessions[0].location.len() - 2]);
    assert_eq!(send(app.ports.http, &format!("DELETE {forged}"), &[], "").await.status, 404);
    metric_becomes(app.ports, "receivers", 0).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_is_full_leaves_its_turn_to_the_other() {
    let app = two_threads(&["--limits-peers=6"]).await;
    let _speaker = sender(app.ports, Some(tone(440.0)), 0.0).await;
    // Three on each thread, and the sender is one.
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(Session::hear(app.ports, "/whep/latest", 1).await);
    }
    let peer = Peer::new(0.0).await;
    let offer = peer.with(|client, _| client.offer_to_hear(1)).await;
    let refused = send(app.ports.http, "POST /whep/latest", &[SDP], &offer).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    for session in &sessions {
        session.peer.wait_for_packets(10).await;
    }
    app.stop().await;
}
