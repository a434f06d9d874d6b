//! What is said in a room, live on media players: for those who have nothing but a player in their room.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::access::{Action, RoomCredentials, Target, Visitor};
use crate::calls::EVERYBODY;
use crate::domain::{Priority, RoomId};
use crate::hass::NewClip;
use crate::rooms::clean_name;

use super::placement::Refusal;
use super::{Destination, DispatchError, Dispatched, Dispatcher, OnPlayer, Part, Wish};

/// When it is stopped, what was said by then is heard still: a player is as late as it was to begin, and a little more.
const DRAIN: Duration = Duration::from_millis(500);

/// And no longer than this.
const LONGEST_DRAIN: Duration = Duration::from_secs(20);

/// Nobody has talked for so long: whoever had players play may be gone, and no player is to be left so.
const QUIET: Duration = Duration::from_secs(30);

/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Of what a player shows: longer than anything live.
const TOKEN_LIFE: Duration = Duration::from_secs(2 * 3_600);

impl Dispatcher {
    /// Has players play a room.
    pub(super) async fn go_live(&self, visitor: &Visitor, room: &str, wish: Wish) -> Result<Dispatched, DispatchError> {
        let is_alone = wish.file.is_none() && wish.text.is_none() && wish.language.is_none() && wish.chime.is_none();
        if !is_alone || wish.volume != 0.0 || wish.repeat != 1 {
            return Err(DispatchError::Invalid(
                "What is live goes alone, as it is: to, player_volume, priority and name",
            ));
        }
        let id = self.0.rooms.find(room).ok_or_else(|| DispatchError::NoRoom(room.to_owned()))?;
        // Players know no PIN: what needs one is refused here.
        let nothing = RoomCredentials { pin: None, key: None };
        self.0.access.authorize(visitor, Action::Hear, Target::Room(id, nothing)).await?;
        let admitted = self.admit_wish(visitor, &wish).await?;
        let Some(permit) = admitted.house().filter(|_| admitted.rooms.is_empty()) else {
            return Err(DispatchError::Invalid("What is live goes to media players; rooms are heard by being there"));
        };
        let manner = wish.manner()?;
        let called = || self.0.rooms.list().into_iter().find(|listed| listed.id == room).map(|listed| listed.name);
        let name: Arc<str> = manner.name.as_deref().map(clean_name).or_else(called).unwrap_or_default().into();
        let is_quiet = self.0.calls.is_quiet(EVERYBODY, manner.priority);
        let (volume, is_urgent) = (manner.player_volume(), manner.priority == Priority::Urgent);
        let url = self.stream_of(visitor, room)?;
        let mut parts = Vec::new();
        for entity in admitted.players.clone() {
            if is_quiet {
                parts.push(Err(Refusal::with(Destination::Player(entity), DispatchError::DoNotDisturb)));
                continue;
            }
            let clip =
                NewClip { url: url.clone(), length: None, volume, is_urgent, is_live: true, owner: permit.owner() };
            parts.push(self.give(OnPlayer::new(entity, Arc::clone(&name), None), clip).await);
        }
        let begun = parts.iter().filter_map(|part| match part {
            Ok((Part::Player(on_player), _)) => Some(Arc::clone(on_player)),
            _ => None,
        });
        self.0.tracker.spawn(self.clone().end_when_quiet(id, begun.collect()));
        self.join(name, parts)
    }

    /// Ends what is live once nobody has talked for a while.
    async fn end_when_quiet(self, room: RoomId, playing: Vec<Arc<OnPlayer>>) {
        let mut talked = Instant::now();
        while playing.iter().any(|on_player| !on_player.is_over()) {
            tokio::time::sleep(LOOK).await;
            if self.0.rooms.is_talked_in(room, &[]) {
                talked = Instant::now();
            } else if talked.elapsed() >= QUIET {
                return playing.into_iter().for_each(|on_player| self.drain(on_player));
            }
        }
    }

    /// Where a player finds a room, below this machine's address; with a token of its own, where it needs one.
    fn stream_of(&self, visitor: &Visitor, room: &str) -> Result<String, DispatchError> {
        let stream = format!("stream/room/{room}.mp3");
        if !self.0.needs_token {
            return Ok(stream);
        }
        let token = self.0.access.lend(visitor, room, TOKEN_LIFE)?;
        Ok(format!("t/{token}/{stream}"))
    }

    /// Lets a player that plays live play what was said by now, and stops it then.
    pub(super) fn drain(&self, on_player: Arc<OnPlayer>) {
        if on_player.ending.swap(true, Ordering::Relaxed) {
            return;
        }
        let dispatcher = self.clone();
        let time = (on_player.delay() + DRAIN).min(LONGEST_DRAIN);
        self.0.tracker.spawn(async move {
            let ended = tokio::time::timeout(time, on_player.ended()).await;
            let (Err(_), Some((players, _))) = (ended, &dispatcher.0.house) else { return };
            if let Some((clip, _)) = on_player.placed.get() {
                players.stop(&on_player.entity, *clip).await;
            }
        });
    }
}
