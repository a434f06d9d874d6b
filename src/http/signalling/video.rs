//! What a client shows in a room, and sees there: by a connection of its own, on another port than that of the voices.

use crate::access::{Action, Target};
use crate::core::{Accepted, VideoMembership, View};
use crate::domain::TrackKind;
use crate::engine::PeerAddress;
use crate::rooms::TalkError;

use super::Guest;
use super::messages::{ErrorCode, ServerMessage, Tile};
use super::participation::{Participation, complaint, not_joined};
use super::session::refused;

/// Tiles that one message may name: more slots nobody has.
const MAX_TILES: usize = 32;

/// A client's part in the video of a room.
#[derive(Debug, Default)]
pub(super) struct VideoParticipation {
    /// Its connection for it, once it has offered one.
    peer: Option<PeerAddress>,
}

impl Participation {
    /// Answers the offer of a connection for video.
    pub(super) async fn take_video_offer(&mut self, sdp: String, guest: &Guest) -> ServerMessage {
        if let Err(refusal) = guest.may_join() {
            return refusal;
        }
        let joined = self.membership.joined();
        let is_hidden = match self.membership.may_show() {
            Ok(()) => false,
            Err(TalkError::NotJoined) => return not_joined(),
            Err(_) => true,
        };
        let membership = VideoMembership {
            room: joined.room,
            who: joined.voice,
            camera: joined.camera,
            screen: joined.screen,
            only_watches: !guest.may(Action::Show),
            is_hidden,
        };
        let agreed = self.bridge.video().join_video(self.permit.clone(), membership, sdp).await;
        let (peer, Accepted { answer, sends, slots, .. }) = match agreed {
            Ok(agreed) => agreed,
            Err(error) => return refused(&error),
        };
        self.membership.note_video_connected();
        self.video.peer = Some(peer);
        let mut sends = sends.into_iter();
        ServerMessage::VideoAnswer { sdp: answer, camera: sends.next(), screen: sends.next(), slots }
    }

    /// Shows something from now on, or no longer.
    pub(super) async fn show(&self, kind: TrackKind, on: bool, guest: &Guest) -> Result<(), ServerMessage> {
        if on {
            guest.authorize(Action::Show, Target::House).await?;
            return self.membership.may_show().map_err(|error| complaint(error.code(), &error));
        }
        let joined = self.membership.joined();
        let track = if kind == TrackKind::Screen { joined.screen } else { joined.camera };
        self.bridge.video().end_shown(track).await;
        Ok(())
    }

    /// Sees these from now on, and nothing else. Whoever has just left is not waited for.
    pub(super) async fn view(&self, tiles: Vec<Tile>) -> Result<(), ServerMessage> {
        if tiles.len() > MAX_TILES {
            let refusal = format!("At most {MAX_TILES} tiles can be seen at once");
            return Err(ServerMessage::error(ErrorCode::BadMessage, refusal));
        }
        let view = |Tile { slot, who, kind, height }: Tile| {
            let track = self.membership.video_of(who, kind.into())?;
            Some(View { slot, track, height })
        };
        let views = tiles.into_iter().filter_map(view).collect();
        self.bridge.video().set_views(self.membership.joined().voice, views).await;
        Ok(())
    }

    /// Ends the connection for video, if there is one.
    pub(super) async fn hang_up_video(&self) {
        if let Some(peer) = self.video.peer {
            self.bridge.video().close(peer).await;
        }
    }
}
