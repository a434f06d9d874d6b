//! What is said in a room, live on media players: for those who have nothing but a player in their room.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::access::{Action, Claims, RoomCredentials, Scope, Scopes, Target, Visitor};
use crate::calls::EVERYBODY;
use crate::hass::NewClip;
use crate::players::VolumeRule;

use super::placement::Refusal;
use super::{Destination, DispatchError, Dispatched, Dispatcher, OnPlayer, Wish};

/// When it is stopped, what was said by then is heard still: a player is as late as it was to begin, and a little more.
const DRAIN: Duration = Duration::from_millis(500);

/// Of what a player shows: longer than anything live.
const TOKEN_LIFE: Duration = Duration::from_secs(2 * 3_600);

/// And no longer than this.
const LONGEST_DRAIN: Duration = Duration::from_secs(20);

impl Dispatcher {
    /// Has players play a room.
    pub(super) async fn go_live(&self, visitor: &Visitor, room: &str, wish: Wish) -> Result<Dispatched, DispatchError> {
        if wish.file.is_some() || wish.text.is_some() || wish.chime.is_some() {
            return Err(DispatchError::Invalid("What is live goes alone, without file, text or chime"));
        }
        let id = self.0.rooms.find(room).ok_or_else(|| DispatchError::NoRoom(room.to_owned()))?;
        // Players know no PIN: what needs one is refused here.
        let nothing = RoomCredentials { pin: None, key: None };
        self.0.access.authorize(visitor, Action::Hear, Target::Room(id, nothing)).await?;
        let admitted = self.admit_wish(visitor, &wish).await?;
        let Some(permit) = admitted.house().filter(|_| admitted.rooms.is_empty()) else {
            return Err(DispatchError::Invalid("What is live goes to media players; rooms are heard by being there"));
        };
        let called = self.0.rooms.list().into_iter().find(|listed| listed.id == room);
        let name = called.map_or_else(|| room.into(), |listed| listed.name.as_str().into());
        let manner = wish.manner()?;
        let is_quiet = self.0.calls.is_quiet(EVERYBODY, manner.priority);
        let volume = manner.player_volume.map(|percent| VolumeRule::Absolute(f32::from(percent) / 100.0));
        let volume = volume.unwrap_or(VolumeRule::Keep);
        let url = self.stream_of(room)?;
        let mut parts = Vec::new();
        for entity in admitted.players.clone() {
            if is_quiet {
                parts.push(Err(Refusal::with(Destination::Player(entity), DispatchError::DoNotDisturb)));
                continue;
            }
            let clip = NewClip { url: url.clone(), length: None, volume, is_live: true, owner: permit.owner() };
            parts.push(self.give(OnPlayer::new(entity, Arc::clone(&name), None), clip).await);
        }
        self.join(name, parts)
    }

    /// Where a player finds a room, below this machine's address; with a token of its own, where it needs one.
    fn stream_of(&self, room: &str) -> Result<String, DispatchError> {
        let stream = format!("stream/room/{room}.mp3");
        if !self.0.needs_token {
            return Ok(stream);
        }
        let scopes = Scopes::from_iter([Scope::Listen]);
        let claims = Claims::new(scopes, Some(room.to_owned()), None, SystemTime::now(), TOKEN_LIFE);
        let token = self.0.access.tokens().sign(&claims).map_err(|_| DispatchError::NoToken)?;
        Ok(format!("t/{token}/{stream}"))
    }

    /// Lets a player that plays live play what was said by now, and stops it then.
    pub(super) fn drain(&self, on_player: Arc<OnPlayer>) {
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
