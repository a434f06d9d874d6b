//! Video at the door: those who show something in a room, and those who see it. Only the thread of video is asked.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::access::{Action, Permit};
use crate::core::{Accepted, Role, VideoMembership, View};
use crate::domain::StreamId;

use super::command::ReplyTo;
use super::{ConnectError, Engine, Media, PeerAddress};

/// Something to do with those who show and see video.
#[derive(Debug, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum VideoCommand {
    JoinVideo {
        #[serde(skip)]
        permit: Option<Permit>,
        membership: VideoMembership,
        offer: String,
        #[serde(skip)]
        reply: ReplyTo<Result<Accepted, ConnectError>>,
    },
    SetViews {
        who: StreamId,
        views: Vec<View>,
    },
    SetHidden {
        who: StreamId,
        hidden: bool,
    },
    EndShown {
        track: StreamId,
    },
    LeaveVideo {
        who: StreamId,
    },
}

impl Engine {
    /// Answers a participant's offer to show and see video; see [`Relay::accept`](crate::core::Relay::accept).
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn join_video(
        &self,
        permit: Permit,
        membership: VideoMembership,
        offer: String,
    ) -> Result<(PeerAddress, Accepted), ConnectError> {
        let join = |reply| VideoCommand::JoinVideo { permit: Some(permit), membership, offer, reply };
        let accepted = self.threads.first().ask(join).await??;
        Ok((self.at_first(accepted.peer), accepted))
    }

    /// What a participant wants to see; see [`Relay::set_views`](crate::core::Relay::set_views).
    pub async fn set_views(&self, who: StreamId, views: Vec<View>) {
        self.threads.first().tell(VideoCommand::SetViews { who, views }).await;
    }

    /// Whether what a participant shows goes no further; see [`Relay::set_hidden`](crate::core::Relay::set_hidden).
    pub async fn set_hidden(&self, who: StreamId, hidden: bool) {
        self.threads.first().tell(VideoCommand::SetHidden { who, hidden }).await;
    }

    /// A participant does not show this any more.
    pub async fn end_shown(&self, track: StreamId) {
        self.threads.first().tell(VideoCommand::EndShown { track }).await;
    }

    /// A participant's connection for video ends.
    pub async fn leave_video(&self, who: StreamId) {
        self.threads.first().tell(VideoCommand::LeaveVideo { who }).await;
    }
}

impl Media {
    pub(super) fn run_video_command(&mut self, command: VideoCommand, now: Instant) {
        match command {
            VideoCommand::JoinVideo { permit, membership, offer, reply } => {
                reply.send(self.join_video(now, permit, membership, &offer));
            }
            VideoCommand::SetViews { who, views } => self.relay.set_views(now, who, &views),
            VideoCommand::SetHidden { who, hidden } => self.relay.set_hidden(now, who, hidden),
            VideoCommand::EndShown { track } => self.relay.end_shown(now, track),
            VideoCommand::LeaveVideo { who } => self.relay.leave_video(now, who),
        }
    }

    fn join_video(
        &mut self,
        now: Instant,
        permit: Option<Permit>,
        membership: VideoMembership,
        offer: &str,
    ) -> Result<Accepted, ConnectError> {
        let permit = permit.filter(|permit| permit.permits_in(Action::Join, membership.room));
        let permit = permit.ok_or(ConnectError::NotPermitted)?;
        let place = self.place_of_peer(&permit, self.relay.has_video(membership.who))?;
        let accepted = self.relay.accept(now, Role::Video(membership), offer, permit.visitor().is_local())?;
        self.keep(accepted.peer, permit, place);
        Ok(accepted)
    }
}
