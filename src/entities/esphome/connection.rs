//! One connection of Home Assistant's to the node, from its first byte to its last.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::domain::Owner;
use crate::entities::act::Act;
use crate::entities::house::Place;
use crate::entities::ringing::{RingEvent, Ringing};
use crate::hass::ServiceTarget;
use crate::limits;

use super::EspHome;
use super::node::{self, Heard, Node};
use super::wire::{Taken, Wire, WireError};

/// Commands that are obeyed at a time on one connection; one more is refused.
const COMMANDS: usize = 16;

/// Home Assistant pings every 20 s, and gives up after four of them; so do we.
const SILENCE: Duration = Duration::from_secs(90);

/// Whoever has a key has shown it within this.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Who does not read for so long is gone.
const UNREAD: Duration = Duration::from_secs(10);

/// One connection.
pub(super) struct Connection<'a> {
    esphome: &'a EspHome,
    node: Node,
    /// Whether the node is still as it was then.
    by_broker: watch::Receiver<bool>,
    wire: Wire,
    socket: TcpStream,
    /// What it was told of each entity, once it wants to know.
    told: Option<HashMap<(u32, u32), Vec<u8>>>,
    doing: mpsc::Receiver<Vec<u8>>,
    done: mpsc::Sender<Vec<u8>>,
    commands: Arc<Semaphore>,
}

impl<'a> Connection<'a> {
    /// One on which nothing was said yet.
    pub(super) fn new(esphome: &'a EspHome, socket: TcpStream) -> Self {
        let mut by_broker = esphome.by_broker.clone();
        let node = esphome.node(*by_broker.borrow_and_update());
        let (wire, (done, doing)) = (esphome.wire(&node), mpsc::channel(COMMANDS));
        let commands = Arc::new(Semaphore::new(COMMANDS));
        Self { esphome, node, by_broker, wire, socket, told: None, doing, done, commands }
    }

    /// Serves it until either end goes; whoever is there has this place until they have shown the key.
    ///
    /// # Errors
    /// When it breaks, or what comes is not the protocol.
    pub(super) async fn run(&mut self, unauthenticated: limits::Place, shutdown: &CancellationToken) -> io::Result<()> {
        self.socket.set_nodelay(true)?;
        let mut unread = Vec::new();
        timeout(HANDSHAKE_TIMEOUT, self.authenticate(&mut unread)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        let stats = &self.esphome.stats;
        let _place = self.esphome.places.take(&Owner::Machine).map_err(|full| {
            stats.refused.fetch_add(1, Ordering::Relaxed);
            io::Error::other(full)
        })?;
        drop(unauthenticated);
        let _counted = Counted::new(&stats.node_connections);
        self.converse(unread, shutdown).await
    }

    /// Until whoever is there has shown that they may be.
    async fn authenticate(&mut self, unread: &mut Vec<u8>) -> io::Result<()> {
        while !self.wire.is_open() {
            match self.wire.take(unread) {
                Ok(Some((Taken::Answer(answer), taken))) => {
                    unread.drain(..taken);
                    self.socket.write_all(&answer).await?;
                }
                // No message comes before.
                Ok(Some((Taken::Message(_), _)) | None) => {
                    if self.socket.read_buf(unread).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => {
                    if let WireError::Rejected { answer, .. } = &error {
                        self.esphome.stats.refused.fetch_add(1, Ordering::Relaxed);
                        self.socket.write_all(answer).await?;
                    }
                    return Err(not_ours(error));
                }
            }
        }
        Ok(())
    }

    async fn converse(&mut self, mut unread: Vec<u8>, shutdown: &CancellationToken) -> io::Result<()> {
        let house = &self.esphome.house;
        let (mut observed, mut announced) = (house.rooms.observe(), house.dispatcher.events());
        let (mut called, mut left) = (house.calls.events(), house.mailbox.changes());
        let (mut turned, mut ringing) = (house.dispatcher.turned(), Ringing::now(house));
        let mut heard_at = Instant::now();
        if self.hear(&mut unread).await? {
            return Ok(());
        }
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return self.write(&node::goodbye()).await,
                Ok(()) = self.by_broker.changed() => return self.write(&node::goodbye()).await,
                () = tokio::time::sleep_until(heard_at + SILENCE) => return Err(io::ErrorKind::TimedOut.into()),
                read = self.socket.read_buf(&mut unread) => {
                    if read? == 0 {
                        return Ok(());
                    }
                    heard_at = Instant::now();
                    if self.hear(&mut unread).await? {
                        return Ok(());
                    }
                }
                Some(answer) = self.doing.recv() => self.write(&answer).await?,
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
                    Ok(event) => {
                        self.show().await?;
                        self.tell_call(ringing.follow(house, &event)).await?;
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.show().await?;
                        ringing = Ringing::now(house);
                    }
                },
            }
        }
    }

    /// Takes all whole messages; true: the connection is over.
    async fn hear(&mut self, unread: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let Some((came, taken)) = self.wire.take(unread).map_err(not_ours)? else { return Ok(false) };
            let heard = match came {
                Taken::Message(frame) => self.node.hear(&frame),
                // It is open: nothing but messages comes.
                Taken::Answer(_) => Heard::Answer(Vec::new()),
            };
            unread.drain(..taken);
            match heard {
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
                Heard::Do(place, act, used, call) => self.obey(place, act, used, call).await?,
            }
        }
    }

    async fn obey(&mut self, place: Place, act: Act, used: ServiceTarget, call: Option<u32>) -> io::Result<()> {
        let Ok(turn) = Arc::clone(&self.commands).try_acquire_owned() else {
            let why = "Too many at once".to_owned();
            self.note_refused(&why);
            return match call {
                Some(id) => self.write(&node::called(id, &Err(why))).await,
                None => Ok(()),
            };
        };
        let (house, stats, done) = (self.esphome.house.clone(), Arc::clone(&self.esphome.stats), self.done.clone());
        tokio::spawn(async move {
            let performed = act.perform(&place, &house.user_of(&used).await, &house).await;
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

    /// What happens to a call, after who calls, if anybody wants to know.
    async fn tell_call(&mut self, happened: Vec<RingEvent>) -> io::Result<()> {
        let happened = happened.iter().filter(|_| self.told.is_some());
        let frames: Vec<u8> = happened.flat_map(|event| self.node.happened(event)).collect();
        self.write(&frames).await
    }

    async fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        if frames.is_empty() {
            return Ok(());
        }
        let sealed = self.wire.seal(frames).map_err(not_ours)?;
        timeout(UNREAD, self.socket.write_all(&sealed)).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

/// Something that is counted for as long as it is.
struct Counted<'a>(&'a AtomicU64);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn not_ours(error: WireError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
