//! A call beside the trouble, which must not notice it; and the counters.

use voice_relay::app::Ports;

use crate::support::client::Received;
use tokio::task::JoinSet;

use crate::support::live::{Peer, receiver, sender};

/// One who talks and one who listens, by the real daemon.
pub struct Call {
    listener: Peer,
    /// Whoever talks, and what both signal by.
    _sockets: JoinSet<()>,
    heard: usize,
}

impl Call {
    pub async fn begin(ports: Ports) -> Self {
        let sender = sender(ports, None, 0.0).await;
        let (signalling, listener) = receiver(ports, Some(&sender.stream)).await;
        listener.wait_for_packets(10).await;
        let heard = listener.packets_received().await;
        let mut sockets = JoinSet::new();
        sockets.spawn(sender.stay());
        sockets.spawn(signalling.stay());
        Self { listener, heard, _sockets: sockets }
    }

    /// Every packet since the last time is there, in order, and more are coming.
    pub async fn goes_on(&mut self) {
        let before = self.heard;
        let now = self.listener.packets_received().await;
        self.listener.wait_for_packets(now + 25).await;
        let numbers = move |client: &mut crate::support::client::Client, _| {
            client.received[before - 1..].iter().map(Received::number).collect::<Vec<_>>()
        };
        let numbers = self.listener.with(numbers).await;
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "lost or late: {numbers:?}");
        self.heard += numbers.len() - 1;
    }
}
