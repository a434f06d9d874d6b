//! A node of ESPHome's native API, to which Home Assistant connects: each room is a media player, into which `tts.speak`
//! and `media_player.play_media` go; and where there is no broker, it has the entities of the table as well.
//!
//! For a Home Assistant on the same machine it listens on the loopback alone, and needs no encryption. For one on another it
//! listens on the house's network, is made known there (`discovery`), and hears whoever shows its `key`. `frame`, `wire` and
//! `messages` are the protocol, `node` what is said by it, and `connection` one conversation.

mod connection;
mod discovery;
mod frame;
mod key;
mod messages;
mod node;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::Places;

use super::EntitiesStats;
use super::house::House;
use connection::Connection;
use discovery::Discovery;
use node::Node;
use wire::Wire;

pub(super) use key::NodeKey;

/// Connections at a time: Home Assistant has one, and for a moment two.
const CONNECTIONS: usize = 4;

/// Connections of those who have not shown the key yet, in all and of one address.
const UNAUTHENTICATED: (u64, u64) = (16, 4);

/// For `fuzz/` alone.
pub(super) mod fuzzing {
    use crate::entities::house::Place;

    use super::node::{Heard, Node};
    use super::wire::{Taken, Wire};
    use super::{NodeKey, frame};

    /// How many messages are in this; each is heard, and what is answered is whole frames.
    pub(in crate::entities) fn conversation(bytes: &[u8], places: Vec<(Place, String)>) -> usize {
        let (node, mut unread, mut count) = (Node::new("ab12cd34", places, true), bytes, 0);
        while let Ok(Some((message, taken))) = frame::read(unread) {
            match node.hear(&message) {
                Heard::Answer(answer) | Heard::Bye(answer) | Heard::Refused(_, answer) => assert_whole(&answer),
                Heard::Subscribed | Heard::Do(..) => {}
            }
            assert!(taken > 0, "it goes on");
            (unread, count) = (&unread[taken..], count + 1);
        }
        count
    }

    /// The same on a connection on which a key is to be shown, which nobody has who guesses: no message comes through.
    pub(in crate::entities) fn unauthenticated(bytes: &[u8]) {
        let (mut wire, mut unread) = (Wire::secured(NodeKey::make().expect("randomness"), "node", "02"), bytes);
        while let Ok(Some((came, taken))) = wire.take(unread) {
            assert!(matches!(came, Taken::Answer(_)) && !wire.is_open(), "nobody has the key");
            unread = &unread[taken..];
        }
    }

    fn assert_whole(mut frames: &[u8]) {
        while !frames.is_empty() {
            let (_, taken) = frame::read(frames).expect("our own").expect("whole");
            frames = &frames[taken..];
        }
    }
}

/// The node.
pub(super) struct EspHome {
    listener: TcpListener,
    house: House,
    instance: String,
    /// What is to be shown by whoever is on another machine; `None` where nobody is.
    key: Option<NodeKey>,
    /// Whether a broker shows the entities of the table; nobody is told of them twice.
    by_broker: watch::Receiver<bool>,
    stats: Arc<EntitiesStats>,
    /// For those who have shown it, and for those who have not yet.
    places: Places,
    unauthenticated: Places,
}

impl EspHome {
    /// One at this address; on another than the loopback there is a key to be shown.
    ///
    /// # Errors
    /// When the port is taken.
    pub(super) async fn bind(
        (address, key): (SocketAddr, Option<NodeKey>),
        house: House,
        instance: String,
        by_broker: watch::Receiver<bool>,
        stats: Arc<EntitiesStats>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (places, unauthenticated) =
            (Places::unshared(CONNECTIONS), Places::shared(UNAUTHENTICATED.0, UNAUTHENTICATED.1));
        Ok(Self { listener, house, instance, key, by_broker, stats, places, unauthenticated })
    }

    /// Serves it until the shutdown.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let discovery = self.make_known();
        let (node, connections) = (Arc::new(self), TaskTracker::new());
        while let Some(accepted) = shutdown.run_until_cancelled(node.listener.accept()).await {
            let Ok((socket, address)) = accepted else {
                // Too many files are open: a moment later there may be fewer.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(place) = node.unauthenticated.take(&address.ip().into()) else {
                node.stats.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let (node, shutdown) = (Arc::clone(&node), shutdown.clone());
            connections.spawn(async move {
                match Connection::new(&node, socket).run(place, &shutdown).await {
                    Ok(()) => tracing::debug!("ESPHome: the connection is over"),
                    Err(error) => tracing::info!(%error, "ESPHome: the connection is over"),
                }
            });
        }
        // Each says goodbye.
        connections.close();
        connections.wait().await;
        if let Some(discovery) = discovery {
            discovery.end().await;
        }
    }

    /// On the house's network, if it is there.
    fn make_known(&self) -> Option<Discovery> {
        self.key.as_ref()?;
        let address = self.listener.local_addr().ok()?;
        let announced = Discovery::announce(&self.node(false), address.ip(), address.port());
        announced.inspect_err(|error| tracing::warn!(%error, "Home Assistant does not find the node by itself")).ok()
    }

    /// As it is now, where a broker shows the entities of the table, or does not.
    fn node(&self, is_by_broker: bool) -> Node {
        Node::new(&self.instance, self.house.places(), !is_by_broker)
    }

    fn wire(&self, node: &Node) -> Wire {
        match &self.key {
            Some(key) => Wire::secured(key.clone(), node::NAME, &node.mac()),
            None => Wire::Plain,
        }
    }
}
