//! The media port itself, as the kernel fills it: any bytes of any length, by the real daemon.

use std::net::UdpSocket;

use tokio::time::{Duration, Instant};
use voice_relay::app::Ports;

use crate::bystanders::Call;
use crate::support::live::{PATIENCE, metric, start};

/// The longest datagram that IPv4 carries.
const LONGEST: usize = 65_507;

async fn dropped(ports: Ports) -> u64 {
    let mut sum = 0;
    for reason in ["malformed", "unknown_peer", "unauthenticated", "oversized"] {
        sum += metric(ports, &format!("dropped_total{{reason=\"{reason}\"}}")).await;
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_of_any_content_and_length_are_not_answered_and_are_counted() {
    let app = start(&[]);
    let mut call = Call::begin(app.ports).await;
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    stranger.set_nonblocking(true).expect("set");
    stranger.connect(app.ports.media).expect("connected");
    let mut sent = 0;
    for first in 0..=u8::MAX {
        for length in [0, 1, 2, 12, 20, 1_500, 2_048, 2_049, LONGEST] {
            let mut payload: Vec<_> = (0..length).map(|index| (index * 31) as u8).collect();
            if let Some(byte) = payload.first_mut() {
                *byte = first;
            }
            stranger.send(&payload).expect("sent");
            sent += 1;
        }
        // The kernel's buffer must not be what drops them.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let limit = Instant::now() + PATIENCE;
    while dropped(app.ports).await < sent {
        assert!(Instant::now() < limit, "{} of {sent} are counted", dropped(app.ports).await);
    }
    assert!(stranger.recv(&mut [0; 2_048]).is_err(), "a stranger was answered");
    assert_eq!(metric(app.ports, "peer_panics_total").await, 0);
    assert_eq!(metric(app.ports, "peers").await, 2);
    call.goes_on().await;
    app.stop().await;
}
