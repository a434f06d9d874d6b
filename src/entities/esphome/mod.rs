//! A node of ESPHome's native API, to which Home Assistant connects: each room is a media player, into which `tts.speak`
//! and `media_player.play_media` go; and where there is no broker, it has the entities of the table as well.
//!
//! It is for a Home Assistant on the same machine: it listens on the loopback alone, so it needs no encryption. `frame`
//! and `messages` are the protocol, `node` what is said by it.

mod frame;
mod messages;
mod node;

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Visitor;

use super::EntitiesStats;
use super::act::Act;
use super::house::{House, Place};
use node::{Heard, Node};

/// Connections at a time: Home Assistant has one, and for a moment two.
const CONNECTIONS: usize = 4;

/// Commands that are obeyed at a time on one connection; one more is refused.
const COMMANDS: usize = 16;

/// Home Assistant pings every 20 s, and gives up after four of them; so do we.
const SILENCE: Duration = Duration::from_secs(90);

/// Who does not read for so long is gone.
const UNREAD: Duration = Duration::from_secs(10);

/// For `fuzz/` alone.
pub(super) mod fuzzing {
    use super::{Heard, Node, Place, frame};

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
    /// Whether a broker shows the entities of the table; nobody is told of them twice.
    by_broker: watch::Receiver<bool>,
    stats: Arc<EntitiesStats>,
}

impl EspHome {
    /// One at this port of the loopback.
    ///
    /// # Errors
    /// When the port is taken.
    pub(super) async fn bind(
        port: u16,
        house: House,
        instance: String,
        by_broker: watch::Receiver<bool>,
        stats: Arc<EntitiesStats>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(Self { listener, house, instance, by_broker, stats })
    }

    /// Serves it until the shutdown.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let (places, node) = (Arc::new(Semaphore::new(CONNECTIONS)), Arc::new(self));
        let connections = TaskTracker::new();
        while let Some(accepted) = shutdown.run_until_cancelled(node.listener.accept()).await {
            let Ok((socket, _)) = accepted else {
                // Too many files are open: a moment later there may be fewer.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                node.stats.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let (node, shutdown) = (Arc::clone(&node), shutdown.clone());
            connections.spawn(async move {
                let connections = &node.stats.node_connections;
                connections.fetch_add(1, Ordering::Relaxed);
                let served = node.serve(socket, &shutdown).await;
                connections.fetch_sub(1, Ordering::Relaxed);
                match served {
                    Ok(()) => tracing::debug!("ESPHome: the connection is over"),
                    Err(error) => tracing::info!(%error, "ESPHome: the connection is over"),
                }
                drop(place);
            });
        }
        // Each says goodbye.
        connections.close();
        connections.wait().await;
    }

    async fn serve(&self, socket: TcpStream, shutdown: &CancellationToken) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let mut by_broker = self.by_broker.clone();
        let is_by_broker = *by_broker.borrow_and_update();
        let node = Node::new(&self.instance, self.house.places(), !is_by_broker);
        let (done, doing) = mpsc::channel(COMMANDS);
        let mut connection = Connection { esphome: self, node, socket, told: None, done };
        connection.run(doing, &mut by_broker, shutdown).await
    }
}

/// One connection of Home Assistant's.
struct Connection<'a> {
    esphome: &'a EspHome,
    node: Node,
    socket: TcpStream,
    /// What it was told of each entity, once it wants to know.
    told: Option<HashMap<(u32, u32), Vec<u8>>>,
    done: mpsc::Sender<Vec<u8>>,
}

impl Connection<'_> {
    async fn run(
        &mut self,
        mut doing: mpsc::Receiver<Vec<u8>>,
        by_broker: &mut watch::Receiver<bool>,
        shutdown: &CancellationToken,
    ) -> io::Result<()> {
        let house = &self.esphome.house;
        let (mut observed, mut announced) = (house.rooms.observe(), house.dispatcher.events());
        let (mut called, mut left) = (house.calls.events(), house.mailbox.changes());
        let (mut turned, places) = (house.dispatcher.turned(), Arc::new(Semaphore::new(COMMANDS)));
        let mut unread = Vec::new();
        let mut heard_at = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return self.write(&node::goodbye()).await,
                Ok(()) = by_broker.changed() => return self.write(&node::goodbye()).await,
                () = tokio::time::sleep_until(heard_at + SILENCE) => return Err(io::ErrorKind::TimedOut.into()),
                read = self.socket.read_buf(&mut unread) => {
                    if read? == 0 {
                        return Ok(());
                    }
                    heard_at = tokio::time::Instant::now();
                    if self.hear(&mut unread, &places).await? {
                        return Ok(());
                    }
                }
                Some(answer) = doing.recv() => self.write(&answer).await?,
                published = observed.next() => {
                    if published.is_none() {
                        observed = house.rooms.observe();
                    }
                    self.show().await?;
                }
                event = announced.recv() => match event {
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.show().await?,
                },
                Ok(()) = turned.changed() => self.show().await?,
                Ok(()) = left.changed() => self.show().await?,
                event = called.recv() => match event {
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.show().await?,
                },
            }
        }
    }

    /// Takes all whole messages; true: the connection is over.
    async fn hear(&mut self, unread: &mut Vec<u8>, places: &Arc<Semaphore>) -> io::Result<bool> {
        loop {
            let not_ours = |error: frame::FrameError| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
            let Some((frame, taken)) = frame::read(unread).map_err(not_ours)? else { return Ok(false) };
            match self.node.hear(&frame) {
                Heard::Answer(answer) => self.write(&answer).await?,
                Heard::Subscribed => {
                    self.told = Some(HashMap::new());
                    self.show().await?;
                }
                Heard::Bye(answer) => {
                    self.write(&answer).await?;
                    return Ok(true);
                }
                Heard::Refused(why, answer) => {
                    self.note_refused(&why);
                    self.write(&answer).await?;
                }
                Heard::Do(place, act, call) => self.obey(place, act, call, places).await?,
            }
            unread.drain(..taken);
        }
    }

    async fn obey(&mut self, place: Place, act: Act, call: Option<u32>, places: &Arc<Semaphore>) -> io::Result<()> {
        let Ok(turn) = Arc::clone(places).try_acquire_owned() else {
            let why = "Too many at once".to_owned();
            self.note_refused(&why);
            return match call {
                Some(id) => self.write(&node::called(id, &Err(why))).await,
                None => Ok(()),
            };
        };
        let (house, stats, done) = (self.esphome.house.clone(), Arc::clone(&self.esphome.stats), self.done.clone());
        tokio::spawn(async move {
            // The protocol does not say who.
            let performed = act.perform(&place, &Visitor::of_home_assistant(None), &house).await;
            let performed = performed.map_err(|error| error.to_string());
            stats.note(&performed, &place);
            if let Some(id) = call {
                // Whoever has gone does not want to know.
                let _ = done.send(node::called(id, &performed)).await;
            }
            drop(turn);
        });
        Ok(())
    }

    fn note_refused(&self, why: &str) {
        self.esphome.stats.note(&Err(why.to_owned()), &Place::House);
    }

    /// Tells what has changed, if anybody wants to know.
    async fn show(&mut self) -> io::Result<()> {
        let Some(told) = &mut self.told else { return Ok(()) };
        let house = &self.esphome.house;
        let mut changed = Vec::new();
        for (place, _) in house.places() {
            changed.extend(self.node.changed(&place, &house.state(&place), told));
        }
        self.write(&changed).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        timeout(UNREAD, self.socket.write_all(bytes)).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}
