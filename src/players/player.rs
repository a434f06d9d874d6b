//! One player, what waits to be announced on it, and how it is left.
//!
//! Players that announce by themselves are asked to. On the others the volume is set, the clip is played in place of
//! what they play, and everything is put back: once, when the last of several is over. Whoever turns the knob
//! meanwhile has the last word. What is to be put back is told ([`Effect::Remember`]) before anything is changed, so that
//! a crash does not leave the house loud.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::clip::{CallId, Cause, Clip, ClipId, Command, Effect, Outcome, PlayerFull, SavedState, Trouble};
use super::kind::{AnnouncementEnd, PlayerKind};
use super::state::{Content, Mode, PlayerState};

/// Clips that may wait for one player, besides the one that plays.
pub const MAX_WAITING: usize = 20;

/// A player that is turned on tells its volume within this, or is played to as it is.
const WAKE_TIMEOUT: Duration = Duration::from_secs(3);

/// Home Assistant answers a call that sets something within this, or it is taken as done.
const SET_TIMEOUT: Duration = Duration::from_secs(3);

/// A player that does not begin to play within this does not play.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// And one that plays for so much longer than the clip is does not say when it is over.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Of a clip that does not say how long it is.
const UNKNOWN_LENGTH: Duration = Duration::from_secs(600);

/// Nobody talks for longer than this: a player that was forgotten is as it was again.
const LONGEST_LIVE: Duration = Duration::from_secs(3_600);

/// Players play from a buffer: what is put back sooner is heard in the last words.
const DRAIN: Duration = Duration::from_secs(1);

/// One that is silent for longer than this before the clip is over was stopped; players tell their end a little early.
const EARLY_END: Duration = Duration::from_secs(2);

/// A player rounds what it is told: a volume so near to ours is ours, whoever is said to have set it.
const ROUNDING: f32 = 0.035;

/// So long a player may tell a volume that was put back already.
const STALE: Duration = Duration::from_secs(15);

/// Between the volume and what follows.
const PAUSE: Duration = Duration::from_millis(200);

/// A player that is gone, or was turned off, while it is not as it was is waited for, for so long.
const RETURN_TIMEOUT: Duration = Duration::from_secs(600);

/// Where a player is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// As it was.
    Idle,
    /// Turned on, until it tells its volume.
    Waking(Instant),
    /// Its volume is being set.
    Preparing(Instant),
    /// Told to play, until it does.
    Starting(Instant),
    /// It plays, until it does no more: not before, and not after these.
    Sounding(Option<Instant>, Instant),
    /// It announces by itself; the clip is over then at the latest.
    Announcing(Instant),
    /// The last words are in its buffer.
    Draining(Instant),
    /// Its volume is being put back.
    Restoring(Instant),
    /// And what it did.
    Resuming(Instant),
    /// Waits until it is there, and on, to be put back.
    Missing(Instant),
}

/// One player.
#[derive(Debug)]
pub struct Player {
    kind: PlayerKind,
    state: PlayerState,
    phase: Phase,
    /// The first one plays, unless the phase says otherwise.
    clips: VecDeque<Clip>,
    saved: Option<SavedState>,
    /// What of it has been changed.
    changed: Changed,
    /// The volume that was put back last, and until when that is believed rather than what the player tells.
    put_back: Option<(f32, Instant)>,
    /// Since when it does not play, while it should.
    quiet_since: Option<Instant>,
    /// Calls whose end the phase waits for.
    pending: Vec<CallId>,
    last_call: u64,
    effects: VecDeque<Effect>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Changed {
    muted: bool,
    content: bool,
    /// Somebody has turned the knob: no volume of ours from then on.
    by_hand: bool,
}

impl Player {
    /// A player of which nothing is known yet.
    pub fn new(kind: PlayerKind) -> Self {
        Self {
            kind,
            state: PlayerState::default(),
            phase: Phase::Idle,
            clips: VecDeque::new(),
            saved: None,
            changed: Changed::default(),
            put_back: None,
            quiet_since: None,
            pending: Vec::new(),
            last_call: 0,
            effects: VecDeque::new(),
        }
    }

    /// One that a former daemon left in the middle of something: it is put back as soon as it is there.
    pub fn recovered(kind: PlayerKind, saved: SavedState, now: Instant) -> Self {
        let changed = Changed { muted: saved.muted, content: true, by_hand: false };
        Self { saved: Some(saved), changed, phase: Phase::Missing(now + RETURN_TIMEOUT), ..Self::new(kind) }
    }

    /// What it tells of itself.
    pub fn state(&self) -> &PlayerState {
        &self.state
    }

    /// Whether nothing is announced, and everything is as it was.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle && self.clips.is_empty()
    }

    /// Announces a clip, after those that wait.
    ///
    /// # Errors
    /// When too many wait.
    pub fn announce(&mut self, now: Instant, clip: Clip) -> Result<(), PlayerFull> {
        if self.clips.len() > MAX_WAITING {
            return Err(PlayerFull);
        }
        self.clips.insert(self.place_of(&clip), clip);
        match self.phase {
            Phase::Idle => self.next(now),
            // Not put back yet, or not wholly: that waits.
            Phase::Draining(_) | Phase::Restoring(_) => self.prepare(now),
            Phase::Missing(_) if self.state.mode == Mode::Off => {
                // Off is what it is to be again.
                self.saved.iter_mut().for_each(|saved| saved.off = true);
                self.remember();
                self.next(now);
            }
            Phase::Missing(_) => self.next(now),
            _ => {}
        }
        Ok(())
    }

    /// Its place among those that wait. What is heard already is heard to its end.
    fn place_of(&self, clip: &Clip) -> usize {
        let begun = usize::from(self.has_begun()).min(self.clips.len());
        let before = |waiting: &Clip| clip.is_urgent && !waiting.is_urgent;
        self.clips.iter().skip(begun).position(before).map_or(self.clips.len(), |place| begun + place)
    }

    /// Whether something is done for the first clip.
    fn has_begun(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Draining(_) | Phase::Restoring(_))
    }

    /// Stops a clip, or takes it out of those that wait. False: it is not there, or the player announces it by itself
    /// and cannot be stopped.
    pub fn stop(&mut self, now: Instant, id: ClipId) -> bool {
        let Some(place) = self.clips.iter().position(|clip| clip.id == id) else { return false };
        let is_first = place == 0 && self.has_begun();
        match self.phase {
            Phase::Announcing(_) if is_first => return false,
            Phase::Starting(_) | Phase::Sounding(..) if is_first => {
                if self.state.features.stops() {
                    self.call(Command::Stop);
                }
                self.clip_over(now, Outcome::Stopped);
            }
            Phase::Waking(_) | Phase::Preparing(_) if is_first => self.clip_over(now, Outcome::Stopped),
            _ => {
                self.clips.remove(place);
                self.effects.push_back(Effect::Ended(id, Outcome::Stopped));
            }
        }
        true
    }

    /// The player tells something new of itself.
    pub fn state_changed(&mut self, now: Instant, state: PlayerState, cause: Cause) {
        let before = std::mem::replace(&mut self.state, state);
        if cause == Cause::Other {
            self.note_hand(&before);
        }
        let is_quiet = self.state.mode != Mode::Playing;
        self.quiet_since = self.quiet_since.filter(|_| is_quiet).or(is_quiet.then_some(now));
        match (self.phase, self.state.mode) {
            (Phase::Resuming(_), mode) if self.pending.is_empty() && self.is_resumed(mode) => self.forget(now),
            (Phase::Draining(_) | Phase::Restoring(_) | Phase::Resuming(_), Mode::Unavailable) => {
                self.pending.clear();
                self.phase = Phase::Missing(now + RETURN_TIMEOUT);
            }
            (Phase::Idle | Phase::Restoring(_) | Phase::Resuming(_) | Phase::Draining(_), _) => {}
            (Phase::Missing(_), Mode::Unavailable) => {}
            // As it was. A call of the former daemon's may turn it on yet; later on, somebody does.
            (Phase::Missing(_), Mode::Off) if self.saved.as_ref().is_some_and(|saved| saved.off) => {
                self.phase = Phase::Missing(now + WAKE_TIMEOUT);
            }
            (Phase::Missing(_), Mode::Off) => {}
            (Phase::Missing(_), _) => self.phase = Phase::Draining(now + DRAIN),
            (_, Mode::Unavailable) => self.gone(now, Outcome::Failed(Trouble::Vanished)),
            (Phase::Waking(_), _) if self.state.volume.is_some() => self.save_and_prepare(now),
            (Phase::Starting(_), Mode::Playing) if self.plays_ours(&before) => self.began(now),
            (Phase::Sounding(..), Mode::Off) => self.gone(now, Outcome::Stopped),
            (Phase::Sounding(..), _) if cause == Cause::Other && self.plays_another(&before) => {
                // What somebody else plays there goes on.
                self.changed.content = false;
                self.clip_over(now, Outcome::Stopped);
            }
            (Phase::Sounding(earliest, _), mode) if mode != Mode::Playing && earliest.is_none_or(|at| at <= now) => {
                self.clip_over(now, Outcome::Played);
            }
            (Phase::Announcing(_), mode) if self.kind.announcement_end() == Some(AnnouncementEnd::Idle) => {
                if before.mode == Mode::Playing && mode != Mode::Playing {
                    self.clip_over(now, Outcome::Played);
                } else if mode == Mode::Playing && before.mode != Mode::Playing {
                    self.note_began();
                }
            }
            _ => {}
        }
    }

    /// A call has ended, or was refused, in Home Assistant's words.
    pub fn call_ended(&mut self, now: Instant, call: CallId, result: Result<(), String>) {
        let Some(place) = self.pending.iter().position(|pending| *pending == call) else { return };
        self.pending.swap_remove(place);
        match (self.phase, result) {
            (Phase::Starting(_) | Phase::Announcing(_) | Phase::Waking(_), Err(words)) => {
                self.clip_over(now, Outcome::Failed(Trouble::Refused(words)));
            }
            // A player that played before tells nothing new: it plays ours from now on.
            (Phase::Starting(_), Ok(())) if self.state.mode == Mode::Playing => self.began(now),
            (Phase::Announcing(_), Ok(())) => self.announced(now),
            // What cannot be set is left.
            (Phase::Preparing(_), _) if self.pending.is_empty() => self.play(now),
            (Phase::Restoring(_), _) if self.pending.is_empty() => self.phase = Phase::Restoring(now + PAUSE),
            (Phase::Resuming(_), _) if self.pending.is_empty() && self.is_resumed(self.state.mode) => self.forget(now),
            _ => {}
        }
    }

    /// When [`tick`](Self::tick) is to be called next.
    pub fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Idle => None,
            Phase::Sounding(earliest, latest) => {
                let is_quiet = self.state.mode != Mode::Playing;
                Some(earliest.filter(|_| is_quiet).unwrap_or(latest))
            }
            Phase::Waking(at)
            | Phase::Preparing(at)
            | Phase::Starting(at)
            | Phase::Announcing(at)
            | Phase::Draining(at)
            | Phase::Restoring(at)
            | Phase::Resuming(at)
            | Phase::Missing(at) => Some(at),
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        if self.due().is_none_or(|at| at > now) {
            return;
        }
        match self.phase {
            Phase::Idle => {}
            Phase::Waking(_) => self.save_and_prepare(now),
            Phase::Preparing(_) => self.play(now),
            Phase::Starting(_) => self.clip_over(now, Outcome::Failed(Trouble::Silent)),
            Phase::Sounding(earliest, _) => {
                let stopped = earliest.zip(self.quiet_since).is_some_and(|(end, since)| since + EARLY_END < end);
                self.clip_over(now, if stopped { Outcome::Stopped } else { Outcome::Played });
            }
            Phase::Announcing(_) => self.clip_over(now, self.silence_means()),
            Phase::Draining(_) => self.restore(now),
            Phase::Restoring(_) => self.restored(now),
            Phase::Resuming(_) | Phase::Missing(_) => self.forget(now),
        }
    }

    /// What is to be done next outside.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The next clip, on a player that is as it was.
    fn next(&mut self, now: Instant) {
        let Some(clip) = self.clips.front() else { return };
        let (url, volume, is_live) = (clip.url.clone(), clip.volume, clip.is_live);
        match self.state.mode {
            Mode::Unavailable => self.not_begun(now, Trouble::Unavailable),
            _ if is_live && !self.kind.plays() => self.not_begun(now, Trouble::OnlyAnnounces),
            _ if !is_live && self.kind.announcement_end().is_some() => {
                let now_at = self.state.volume.unwrap_or_default();
                let volume = volume.on(now_at).filter(|_| self.kind.has_announcement_volume());
                self.phase = Phase::Announcing(now + self.patience());
                self.wait_for(Command::Announce { url, volume });
            }
            Mode::Off if !self.state.features.turns_on() => self.not_begun(now, Trouble::Off),
            Mode::Off => {
                // It has no volume while it is off: that is saved once it is on.
                if self.saved.is_none() {
                    self.saved =
                        Some(SavedState { off: true, playing: None, volume: None, muted: false, made: Vec::new() });
                    self.remember();
                }
                self.phase = Phase::Waking(now + WAKE_TIMEOUT);
                self.wait_for(Command::TurnOn);
            }
            _ => self.save_and_prepare(now),
        }
    }

    /// The first clip cannot even begin; what is to be put back is as before.
    fn not_begun(&mut self, now: Instant, trouble: Trouble) {
        if let Some(clip) = self.clips.pop_front() {
            self.effects.push_back(Effect::Ended(clip.id, Outcome::Failed(trouble)));
        }
        self.next(now);
    }

    fn save_and_prepare(&mut self, now: Instant) {
        let PlayerState { mode, volume, muted, content, .. } = &self.state;
        let muted = muted.unwrap_or_default();
        let believed = self.put_back.filter(|(_, until)| now < *until).map(|(volume, _)| volume);
        let volume = believed.or(*volume);
        match &mut self.saved {
            None => {
                let playing = content.clone().filter(|_| *mode == Mode::Playing);
                self.saved = Some(SavedState { off: false, playing, volume, muted, made: Vec::new() });
            }
            // It was off, and tells its volume now.
            Some(saved) if saved.volume.is_none() => (saved.volume, saved.muted) = (volume, muted),
            Some(_) => {}
        }
        self.remember();
        self.prepare(now);
    }

    /// Makes it as loud as the next clip is to be.
    fn prepare(&mut self, now: Instant) {
        let (Some(clip), Some(saved)) = (self.clips.front(), &self.saved) else { return self.next(now) };
        let features = self.state.features;
        let wanted = saved.volume.and_then(|volume| clip.volume.on(volume));
        let wanted = wanted.filter(|_| features.has_volume() && !self.changed.by_hand);
        // The volume of the clip before is not that of this one.
        let wanted = wanted.or(saved.volume.filter(|_| !saved.made.is_empty() && !self.changed.by_hand));
        let wanted = wanted.filter(|wanted| !saved.made.is_empty() || self.state.volume != Some(*wanted));
        let unmute = saved.muted && features.has_mute() && !self.changed.muted;
        self.pending.clear();
        self.phase = Phase::Preparing(now + SET_TIMEOUT);
        if unmute {
            self.changed.muted = true;
            self.wait_for(Command::Mute(false));
        }
        if let Some(volume) = wanted {
            self.make_volume(volume);
        }
        if self.pending.is_empty() {
            self.play(now);
        }
    }

    fn play(&mut self, now: Instant) {
        let Some(clip) = self.clips.front() else { return };
        let content = Content { id: clip.url.clone(), kind: "music".into() };
        self.changed.content = true;
        self.pending.clear();
        self.phase = Phase::Starting(now + START_TIMEOUT);
        self.wait_for(Command::Play(content));
    }

    fn began(&mut self, now: Instant) {
        let length = self.clips.front().and_then(|clip| clip.length);
        let is_live = self.clips.front().is_some_and(|clip| clip.is_live);
        let unknown = if is_live { LONGEST_LIVE } else { UNKNOWN_LENGTH };
        let latest = now + length.map_or(unknown, |length| length + END_TIMEOUT);
        self.phase = Phase::Sounding(length.map(|length| now + length), latest);
        self.note_began();
    }

    fn note_began(&mut self) {
        if let Some(clip) = self.clips.front() {
            self.effects.push_back(Effect::Began(clip.id));
        }
    }

    /// A player that announces by itself has taken it.
    fn announced(&mut self, now: Instant) {
        match self.kind.announcement_end() {
            Some(AnnouncementEnd::Call) | None => self.clip_over(now, Outcome::Played),
            Some(AnnouncementEnd::Idle) => {}
            Some(AnnouncementEnd::Length(more)) => {
                let length = self.clips.front().and_then(|clip| clip.length).unwrap_or_default();
                self.phase = Phase::Announcing(now + length + more);
                self.note_began();
            }
        }
    }

    /// How long a player that announces by itself may take.
    fn patience(&self) -> Duration {
        let length = self.clips.front().and_then(|clip| clip.length);
        START_TIMEOUT + length.unwrap_or(UNKNOWN_LENGTH) + END_TIMEOUT
    }

    /// What it means that nothing was heard of the end of an announcement.
    fn silence_means(&self) -> Outcome {
        let is_told = !matches!(self.kind.announcement_end(), Some(AnnouncementEnd::Length(_)));
        if !self.pending.is_empty() || is_told && self.state.mode != Mode::Playing {
            return Outcome::Failed(Trouble::Silent);
        }
        Outcome::Played
    }

    /// The first clip is over; the next one begins, or everything is put back.
    fn clip_over(&mut self, now: Instant, outcome: Outcome) {
        self.pending.clear();
        if let Some(clip) = self.clips.pop_front() {
            self.effects.push_back(Effect::Ended(clip.id, outcome));
        }
        match (&self.saved, self.clips.is_empty()) {
            (Some(_), true) => self.phase = Phase::Draining(now + DRAIN),
            (Some(_), false) => self.prepare(now),
            (None, _) => {
                self.phase = Phase::Idle;
                self.next(now);
            }
        }
    }

    /// It is gone, or off, in the middle: what waits is told so, and what was changed waits for its return.
    fn gone(&mut self, now: Instant, outcome: Outcome) {
        self.pending.clear();
        self.phase = self.saved.as_ref().map_or(Phase::Idle, |_| Phase::Missing(now + RETURN_TIMEOUT));
        // Whoever turned it off wants nothing to go on.
        self.changed.content = false;
        let over: Vec<_> = self.clips.drain(..).map(|clip| Effect::Ended(clip.id, outcome.clone())).collect();
        self.effects.extend(over);
    }

    fn restore(&mut self, now: Instant) {
        let Some(saved) = self.saved.clone() else { return self.restored(now) };
        self.pending.clear();
        self.phase = Phase::Restoring(now + SET_TIMEOUT);
        if let Some(volume) = saved.volume.filter(|_| !saved.made.is_empty()) {
            self.make_volume(volume);
        }
        if saved.muted && self.changed.muted {
            self.wait_for(Command::Mute(true));
        }
        if self.pending.is_empty() {
            self.restored(now);
        }
    }

    /// Volume and mute are back: what it did comes back, too.
    fn restored(&mut self, now: Instant) {
        self.pending.clear();
        self.phase = Phase::Resuming(now + SET_TIMEOUT);
        if let Some(command) = self.resumption() {
            self.wait_for(command);
        } else {
            self.forget(now);
        }
    }

    /// What brings back what it did.
    fn resumption(&self) -> Option<Command> {
        let saved = self.saved.as_ref().filter(|_| self.changed.content)?;
        if saved.off {
            return self.state.features.turns_off().then_some(Command::TurnOff);
        }
        saved.playing.clone().filter(Content::can_be_played_again).map(Command::Play)
    }

    /// Whether it tells that it does that again.
    fn is_resumed(&self, mode: Mode) -> bool {
        mode == if self.saved.as_ref().is_some_and(|saved| saved.off) { Mode::Off } else { Mode::Playing }
    }

    fn forget(&mut self, now: Instant) {
        let saved = self.saved.as_ref().filter(|saved| !saved.made.is_empty());
        self.put_back = saved.and_then(|saved| Some((saved.volume?, now + STALE))).or(self.put_back);
        (self.saved, self.changed, self.phase) = (None, Changed::default(), Phase::Idle);
        self.pending.clear();
        self.remember();
        self.next(now);
    }

    /// Whoever turns the knob, or mutes, has the last word.
    fn note_hand(&mut self, before: &PlayerState) {
        // One that was left in the middle tells it for the first time.
        let made = self.saved.as_ref().map(|saved| &*saved.made).unwrap_or_default();
        let known = before.volume.or(made.last().copied());
        let told = self.state.volume.filter(|told| known.is_some_and(|volume| volume != *told));
        // Whoever was away may be as loud as any of them.
        let made = if before.mode == Mode::Unavailable { made } else { &made[made.len().saturating_sub(1)..] };
        let put_back = self.put_back.map(|(volume, _)| volume).filter(|_| made.is_empty());
        // Of ours there is none any more once somebody has turned it, but for what is on its way.
        let may_be_ours = !self.changed.by_hand || !self.pending.is_empty();
        // What it rounds, it tells once it was set.
        let tolerance = if self.pending.is_empty() { ROUNDING } else { 0.0 };
        let is_ours = |told: f32| made.iter().chain(&put_back).any(|ours| (told - ours).abs() <= tolerance);
        let is_turned = told.is_some_and(|told| !(may_be_ours && is_ours(told)));
        if is_turned {
            self.put_back = None;
        }
        let Some(saved) = &mut self.saved else { return };
        if is_turned {
            saved.volume = self.state.volume;
            self.changed.by_hand = true;
            if let (Phase::Restoring(_), Some(volume)) = (self.phase, self.state.volume) {
                // The former volume may be on its way.
                self.make_volume(volume);
            }
        }
        if let (Some(muted), true) = (self.state.muted, self.state.muted != before.muted && before.muted.is_some()) {
            self.saved.iter_mut().for_each(|saved| saved.muted = muted);
        }
        if is_turned {
            self.remember();
        }
    }

    /// Whether what it plays now is the clip: it did not play before, or plays something else now.
    fn plays_ours(&self, before: &PlayerState) -> bool {
        let url = self.clips.front().map(|clip| &clip.url);
        before.mode != Mode::Playing || self.state.content.as_ref().map(|content| &content.id) == url
    }

    /// Whether somebody plays something else in the clip's place.
    fn plays_another(&self, before: &PlayerState) -> bool {
        let url = self.clips.front().map(|clip| &*clip.url);
        let (told, known) = (&self.state.content, &before.content);
        let is_ours = told.as_ref().map(|content| &*content.id) == url;
        self.state.mode == Mode::Playing && told.is_some() && told != known && !is_ours
    }

    /// Makes it so loud. Kept first, so that whoever comes after a crash knows it from what was done by hand.
    fn make_volume(&mut self, volume: f32) {
        if let Some(saved) = &mut self.saved
            && saved.made.last() != Some(&volume)
        {
            if saved.made.len() > MAX_WAITING {
                saved.made.remove(0);
            }
            saved.made.push(volume);
        }
        self.remember();
        self.wait_for(Command::SetVolume(volume));
    }

    fn wait_for(&mut self, command: Command) {
        let call = self.call(command);
        self.pending.push(call);
    }

    fn call(&mut self, command: Command) -> CallId {
        self.last_call += 1;
        let call = CallId(self.last_call);
        self.effects.push_back(Effect::Call(call, command));
        call
    }

    fn remember(&mut self) {
        self.effects.push_back(Effect::Remember(self.saved.clone()));
    }
}

#[cfg(test)]
mod tests;
