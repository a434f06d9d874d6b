//! A call beside the trouble, which must not notice it; and the counters.

use voice_relay::app::Ports;

use crate::support::client::Received;
use crate::support::live::{Peer, Sender, Signalling, receiver, sender};

/// One who talks and one who listens, by the real daemon.
pub struct Call {
    _sender: Sender,
    _signalling: Signalling,
    listener: Peer,
    heard: usize,
}

impl Call {
    pub async fn begin(ports: Ports) -> Self {
        let sender = sender(ports, None, 0.0).await;
        let (signalling, listener) = receiver(ports, Some(&sender.stream)).await;
        listener.wait_for_packets(10).await;
        let heard = listener.packets_received().await;
        Self { _sender: sender, _signalling: signalling, listener, heard }
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
