//! What the house has besides its streams, each for those who hold a permit for it. A handler that has not asked who may
//! do what gets at nothing.

use crate::access::{Action, Permit};
use crate::announce::Announcer;
use crate::automation::{Doorbells, Phones};
use crate::calls::CallsHandle;
use crate::engine::Engine;
use crate::hass::{HousePlayers, Integrations, People};
use crate::live::{Clips, Mounts};
use crate::mailbox::MailboxHandle;
use crate::rooms::RoomOptionsKeeper;
use crate::sound::Sound;

use super::files::Files;

/// All of it. Cheap to clone.
#[derive(Clone)]
pub struct House {
    /// What was said, kept for a while.
    clips: Clips,
    /// Audio files.
    files: Files,
    /// The machine's own sound card.
    sound: Sound,
    /// Live audio as streams of bytes.
    mounts: Mounts<Engine>,
    /// Whoever lets recordings be heard in rooms.
    announcer: Announcer,
    /// Stations, and calls between them.
    calls: CallsHandle,
    /// Voice messages.
    mailbox: MailboxHandle,
    /// What is chosen of rooms.
    room_options: RoomOptionsKeeper,
    /// Home Assistant, where there is one.
    home_assistant: Option<HomeAssistantParts>,
}

/// What there is of Home Assistant. Cheap to clone.
#[derive(Clone)]
pub struct HomeAssistantParts {
    /// Its media players.
    pub players: HousePlayers,
    /// Its integrations.
    pub integrations: Integrations,
    /// Its doorbells.
    pub doorbells: Doorbells,
    /// Its phones.
    pub phones: Phones,
    /// Its people.
    pub people: People,
}

impl House {
    /// All of it, behind its door.
    pub fn new(
        clips: Clips,
        files: Files,
        sound: Sound,
        mounts: Mounts<Engine>,
        announcer: Announcer,
        (calls, mailbox, room_options): (CallsHandle, MailboxHandle, RoomOptionsKeeper),
        home_assistant: Option<HomeAssistantParts>,
    ) -> Self {
        Self { clips, files, sound, mounts, announcer, calls, mailbox, room_options, home_assistant }
    }

    /// To see how people look; `None` without Home Assistant.
    pub(super) fn people(&self, permit: &Permit) -> Option<&People> {
        self.show(permit, &[Action::SeePictures], &self.home_assistant).as_ref().map(|parts| &parts.people)
    }

    /// To list, hear and delete what was recorded, and to count it.
    pub(super) fn clips(&self, permit: &Permit) -> &Clips {
        self.show(permit, &[Action::ReadClips, Action::DeleteClip, Action::ReadMetrics], &self.clips)
    }

    /// To list and read files, and to count them.
    pub(super) fn files(&self, permit: &Permit) -> &Files {
        self.show(permit, &[Action::ReadFiles, Action::ReadMetrics], &self.files)
    }

    /// To look at the card, and to turn it.
    pub(super) fn sound(&self, permit: &Permit) -> &Sound {
        self.show(permit, &[Action::ReadSound, Action::TurnSound, Action::ReadMetrics], &self.sound)
    }

    /// To know how loud streams are, and to turn them.
    pub(super) fn mounts(&self, permit: &Permit) -> &Mounts<Engine> {
        self.show(permit, &[Action::ListStreams, Action::TurnStream], &self.mounts)
    }

    /// To look what is announced in rooms, and to count it.
    pub(super) fn announcer(&self, permit: &Permit) -> &Announcer {
        self.show(permit, &[Action::SeeAnnouncements, Action::ReadMetrics], &self.announcer)
    }

    /// To be a station, to call others, to know of calls and to forget them, and to count them.
    pub(super) fn calls(&self, permit: &Permit) -> &CallsHandle {
        let to = [
            Action::BeStation,
            Action::SeeCalls,
            Action::Call,
            Action::ForgetCalls,
            Action::SetDoNotDisturb,
            Action::SetPhone,
            Action::ReadMetrics,
        ];
        self.show(permit, &to, &self.calls)
    }

    /// To leave, hear and delete voice messages, and to count them.
    pub(super) fn mailbox(&self, permit: &Permit) -> &MailboxHandle {
        let to = [
            Action::BeStation,
            Action::LeaveVoiceMessage,
            Action::ReadVoiceMessages,
            Action::ChangeVoiceMessage,
            Action::ReadMetrics,
        ];
        self.show(permit, &to, &self.mailbox)
    }

    /// To choose what may be chosen of rooms.
    pub(super) fn room_options(&self, permit: &Permit) -> &RoomOptionsKeeper {
        self.show(permit, &[Action::SetRoomOptions], &self.room_options)
    }

    /// To list Home Assistant's media players, to count what was announced on them, and to know whether it is there.
    pub(super) fn players(&self, permit: &Permit) -> Option<&HousePlayers> {
        let to = [Action::ListPlayers, Action::SeeHomeAssistant, Action::ReadMetrics];
        self.show(permit, &to, &self.home_assistant).as_ref().map(|parts| &parts.players)
    }

    /// To have Home Assistant connect to our node, and to know whether it can be asked to.
    pub(super) fn integrations(&self, permit: &Permit) -> Option<&Integrations> {
        let to = [Action::SeeHomeAssistant, Action::ConnectHomeAssistant];
        self.show(permit, &to, &self.home_assistant).as_ref().map(|parts| &parts.integrations)
    }

    /// To know which doorbells there are, and to choose who is called by them.
    pub(super) fn doorbells(&self, permit: &Permit) -> Option<&Doorbells> {
        let to = [Action::SeeHomeAssistant, Action::SetDoorbell];
        self.show(permit, &to, &self.home_assistant).as_ref().map(|parts| &parts.doorbells)
    }

    /// To know which phones there are, to have one ring for a station, and to count that.
    pub(super) fn phones(&self, permit: &Permit) -> Option<&Phones> {
        let to = [Action::SeeHomeAssistant, Action::SetPhone, Action::ReadMetrics];
        self.show(permit, &to, &self.home_assistant).as_ref().map(|parts| &parts.phones)
    }

    /// Ends what the sound card does without a permit.
    pub(super) fn tidy_sound(&self) {
        self.sound.leave_unless_permitted();
    }

    fn show<'a, T>(&self, permit: &Permit, to: &[Action], thing: &'a T) -> &'a T {
        // A mistake of the handler, which costs that request only.
        assert!(to.iter().any(|action| permit.is_for(*action)), "a permit is shown that is for something else");
        thing
    }
}
