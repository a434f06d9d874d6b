//! A house of simulated players: each does what it is told some time later, tells what it does, and has somebody at its
//! knob. Seeded: what fails once fails again.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::players::{Features, VolumeRule};

const MUSIC: &str = "http://radio.example/stream";

/// A player as it really is, and the way to it.
struct SimPlayer {
    kind: PlayerKind,
    player: Player,
    now: Instant,
    state: PlayerState,
    /// What the player does with a clip, of this length; then it is idle.
    clip_ends: Option<Instant>,
    /// Calls on their way: when they arrive.
    calls: Vec<(Instant, CallId, Command)>,
    /// What comes back: when, and what.
    news: Vec<(Instant, News)>,
    /// Kept where a crash does not reach it.
    remembered: Option<SavedState>,
    ended: BTreeMap<ClipId, Outcome>,
    began: Vec<ClipId>,
    lengths: BTreeMap<String, Duration>,
    told: Vec<Command>,
    /// It never begins to play.
    is_mute: bool,
    /// What is announced from now on is.
    is_urgent: bool,
    delay: Box<dyn FnMut() -> Duration>,
}

enum News {
    State(PlayerState, Cause),
    CallEnded(CallId),
}

fn state(mode: Mode, volume: f32) -> PlayerState {
    PlayerState { mode, volume: Some(volume), muted: Some(false), content: None, features: Features::ALL }
}

fn playing_music(volume: f32) -> PlayerState {
    let content = Some(Content { id: MUSIC.into(), kind: "music".into() });
    PlayerState { content, ..state(Mode::Playing, volume) }
}

fn off() -> PlayerState {
    PlayerState { volume: None, ..state(Mode::Off, 0.0) }
}

impl SimPlayer {
    fn new(kind: PlayerKind, state: PlayerState) -> Self {
        Self::with_delays(kind, state, || Duration::from_millis(50))
    }

    fn with_delays(kind: PlayerKind, state: PlayerState, delay: impl FnMut() -> Duration + 'static) -> Self {
        let now = Instant::now();
        let mut sim = Self {
            kind,
            player: Player::new(kind),
            now,
            state,
            clip_ends: None,
            calls: Vec::new(),
            news: Vec::new(),
            remembered: None,
            ended: BTreeMap::new(),
            began: Vec::new(),
            lengths: BTreeMap::new(),
            told: Vec::new(),
            is_mute: false,
            is_urgent: false,
            delay: Box::new(delay),
        };
        sim.player.state_changed(now, sim.state.clone(), Cause::Other);
        sim
    }

    fn announce(&mut self, number: u64, seconds: f64, volume: VolumeRule) {
        let url = format!("http://relay.home/clip/{number}.mp3");
        let length = Duration::from_secs_f64(seconds);
        self.lengths.insert(url.clone(), length);
        let clip =
            Clip { id: ClipId(number), url, length: Some(length), volume, is_urgent: self.is_urgent, is_live: false };
        self.player.announce(self.now, clip).expect("room");
        self.carry();
    }

    /// Somebody does this at the player itself.
    fn by_hand(&mut self, act: impl FnOnce(&mut PlayerState)) {
        act(&mut self.state);
        if self.state.mode != Mode::Playing {
            self.clip_ends = None;
        }
        self.tell(Cause::Other);
        self.carry();
    }

    fn tell(&mut self, cause: Cause) {
        // In order: Home Assistant tells states as they come.
        let last = self.news.iter().map(|(at, _)| *at).max().unwrap_or(self.now);
        let at = (self.now + (self.delay)()).max(last);
        self.news.push((at, News::State(self.state.clone(), cause)));
    }

    /// The daemon ends without a word, and is there again after two seconds. What it has said by then is done.
    fn crash(&mut self) {
        for (_, _, command) in std::mem::take(&mut self.calls) {
            self.obey(&command);
        }
        self.news.clear();
        self.now += Duration::from_secs(2);
        if self.clip_ends.take_if(|at| *at <= self.now).is_some() {
            (self.state.mode, self.state.content) = (Mode::Idle, None);
        }
        self.player = match self.remembered.clone() {
            Some(saved) => Player::recovered(self.kind, saved, self.now),
            None => Player::new(self.kind),
        };
        self.player.state_changed(self.now, self.state.clone(), Cause::Other);
        self.carry();
    }

    fn carry(&mut self) {
        while let Some(effect) = self.player.poll() {
            match effect {
                Effect::Call(id, command) => {
                    let last = self.calls.iter().map(|(at, ..)| *at).max().unwrap_or(self.now);
                    self.told.push(command.clone());
                    self.calls.push(((self.now + (self.delay)()).max(last), id, command));
                }
                Effect::Began(id) => self.began.push(id),
                Effect::Ended(id, outcome) => assert!(self.ended.insert(id, outcome).is_none(), "{id:?} ended twice"),
                Effect::Remember(saved) => self.remembered = saved,
            }
        }
    }

    /// Lets so much time pass.
    fn run_for(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    fn next_event(&self) -> Option<Instant> {
        let calls = self.calls.iter().map(|(at, ..)| *at);
        calls.chain(self.news.iter().map(|(at, _)| *at)).chain(self.clip_ends).chain(self.player.due()).min()
    }

    fn step(&mut self) {
        if self.clip_ends.is_some_and(|at| at <= self.now) {
            self.clip_ends = None;
            self.state.mode = Mode::Idle;
            self.state.content = None;
            self.tell(Cause::Other);
        }
        while let Some(place) = self.calls.iter().position(|(at, ..)| *at <= self.now) {
            let (_, id, command) = self.calls.remove(place);
            self.obey(&command);
            self.tell(Cause::Ours);
            let at = self.now + (self.delay)();
            self.news.push((at, News::CallEnded(id)));
        }
        while let Some(place) = self.news.iter().position(|(at, _)| *at <= self.now) {
            match self.news.remove(place).1 {
                News::State(state, cause) => self.player.state_changed(self.now, state, cause),
                News::CallEnded(id) => self.player.call_ended(self.now, id, Ok(())),
            }
            self.carry();
        }
        self.player.tick(self.now);
        self.carry();
    }

    fn obey(&mut self, command: &Command) {
        match command {
            Command::TurnOn => {
                if self.state.mode == Mode::Off {
                    self.state = state(Mode::Idle, self.state.volume.unwrap_or(0.3));
                }
            }
            Command::TurnOff => (self.state, self.clip_ends) = (off(), None),
            // One that is off has none, and takes none.
            Command::SetVolume(volume) if self.state.volume.is_some() => self.state.volume = Some(*volume),
            Command::SetVolume(_) => {}
            Command::Mute(muted) => self.state.muted = Some(*muted),
            Command::Play(content) if !self.is_mute && self.state.mode != Mode::Off => {
                self.state.mode = Mode::Playing;
                self.state.content = Some(content.clone());
                self.clip_ends = self.lengths.get(&content.id).map(|length| self.now + *length);
            }
            Command::Stop => {
                (self.state.mode, self.state.content, self.clip_ends) = (Mode::Idle, None, None);
            }
            Command::Announce { .. } | Command::Play(_) => {}
        }
    }

    fn outcome(&self, number: u64) -> Option<&Outcome> {
        self.ended.get(&ClipId(number))
    }
}

#[test]
fn a_player_that_was_silent_is_as_it_was_afterwards() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
    sim.announce(1, 2.0, VolumeRule::Absolute(0.7));
    sim.run_for(1.0);
    assert_eq!((sim.state.mode, sim.state.volume), (Mode::Playing, Some(0.7)));
    assert_eq!(sim.began, [ClipId(1)]);
    assert!(sim.remembered.is_some());
    sim.run_for(10.0);
    assert_eq!(sim.outcome(1), Some(&Outcome::Played));
    assert_eq!(sim.state, state(Mode::Idle, 0.3));
    assert_eq!(sim.remembered, None);
    assert!(sim.player.is_idle());
}

#[test]
fn two_at_once_leave_the_volume_of_before_both() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
    sim.announce(1, 2.0, VolumeRule::Absolute(0.7));
    sim.run_for(0.5);
    sim.announce(2, 2.0, VolumeRule::Absolute(0.9));
    sim.run_for(2.5);
    assert_eq!(sim.state.volume, Some(0.9));
    sim.run_for(10.0);
    assert_eq!(sim.state.volume, Some(0.3));
    assert_eq!((sim.outcome(1), sim.outcome(2)), (Some(&Outcome::Played), Some(&Outcome::Played)));
}

#[test]
fn one_more_while_the_last_words_drain_does_not_save_what_is_loud() {
    for wait in [2.3, 2.9, 3.3, 3.4, 3.5, 3.7] {
        let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
        sim.announce(1, 2.0, VolumeRule::Absolute(0.7));
        sim.run_for(wait);
        sim.announce(2, 1.0, VolumeRule::Absolute(0.7));
        sim.run_for(20.0);
        assert_eq!((sim.state.volume, sim.outcome(2)), (Some(0.3), Some(&Outcome::Played)), "after {wait} s");
    }
}

#[test]
fn music_goes_on_and_what_was_paused_does_not() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, playing_music(0.3));
    sim.announce(1, 2.0, VolumeRule::Relative(0.2));
    sim.run_for(20.0);
    assert_eq!(sim.state, playing_music(0.3));
    let paused = PlayerState { mode: Mode::Paused, ..playing_music(0.3) };
    let mut sim = SimPlayer::new(PlayerKind::Plain, paused);
    sim.announce(1, 2.0, VolumeRule::Keep);
    sim.run_for(20.0);
    assert_eq!((sim.state.mode, sim.state.volume), (Mode::Idle, Some(0.3)));
}

#[test]
fn a_player_that_was_off_is_off_again_at_its_own_volume() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, off());
    sim.announce(1, 2.0, VolumeRule::Absolute(0.8));
    sim.run_for(1.5);
    assert_eq!((sim.state.mode, sim.state.volume), (Mode::Playing, Some(0.8)));
    sim.run_for(20.0);
    assert_eq!(sim.state.mode, Mode::Off);
    let volumes: Vec<_> = sim.told.iter().filter(|command| matches!(command, Command::SetVolume(_))).collect();
    assert_eq!(volumes, [&Command::SetVolume(0.8), &Command::SetVolume(0.3)]);
    assert_eq!(sim.told.last(), Some(&Command::TurnOff));
}

#[test]
fn nothing_is_put_back_before_the_last_words_are_out_of_the_players_buffer() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
    sim.announce(1, 2.0, VolumeRule::Absolute(0.7));
    sim.run_for(2.9);
    assert_eq!(sim.outcome(1), Some(&Outcome::Played));
    assert_eq!(sim.state.volume, Some(0.7));
    sim.run_for(5.0);
    assert_eq!(sim.state.volume, Some(0.3));
}

#[test]
fn the_person_at_the_knob_has_the_last_word() {
    for wait in [0.02, 0.12, 0.2, 1.0, 2.2, 2.9, 3.2, 3.3, 3.4] {
        let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
        sim.announce(1, 2.0, VolumeRule::Absolute(0.7));
        sim.run_for(wait);
        sim.by_hand(|player| player.volume = Some(0.1));
        sim.run_for(0.4);
        sim.announce(2, 1.0, VolumeRule::Absolute(0.7));
        sim.run_for(20.0);
        assert_eq!(sim.state.volume, Some(0.1), "after {wait} s");
    }
}

#[test]
fn somebody_who_stops_it_or_plays_something_else_is_let_be() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, playing_music(0.3));
    sim.announce(1, 5.0, VolumeRule::Absolute(0.7));
    sim.run_for(2.0);
    let other = Content { id: "http://radio.example/other".into(), kind: "music".into() };
    sim.by_hand(|player| player.content = Some(other.clone()));
    sim.clip_ends = None;
    sim.run_for(20.0);
    assert_eq!(sim.outcome(1), Some(&Outcome::Stopped));
    assert_eq!((sim.state.content.as_ref(), sim.state.volume), (Some(&other), Some(0.3)));
    let mut sim = SimPlayer::new(PlayerKind::Plain, playing_music(0.3));
    sim.announce(1, 5.0, VolumeRule::Absolute(0.7));
    sim.run_for(2.0);
    sim.by_hand(|player| *player = off());
    sim.run_for(20.0);
    assert_eq!((sim.outcome(1), sim.state.mode), (Some(&Outcome::Stopped), Mode::Off));
    // Whoever turns it on again finds it as loud as it was.
    sim.by_hand(|player| *player = state(Mode::Idle, 0.7));
    sim.run_for(20.0);
    assert_eq!(sim.state.volume, Some(0.3));
}

#[test]
fn what_cannot_be_played_is_said_and_nothing_stays_loud() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, PlayerState::default());
    sim.announce(1, 2.0, VolumeRule::Keep);
    assert_eq!(sim.outcome(1), Some(&Outcome::Failed(Trouble::Unavailable)));
    let mut sim = SimPlayer::new(PlayerKind::Plain, PlayerState { features: Features(512), ..off() });
    sim.announce(1, 2.0, VolumeRule::Keep);
    assert_eq!(sim.outcome(1), Some(&Outcome::Failed(Trouble::Off)));
    let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
    sim.is_mute = true;
    sim.announce(1, 2.0, VolumeRule::Absolute(0.9));
    sim.run_for(30.0);
    assert_eq!((sim.outcome(1), sim.state.volume), (Some(&Outcome::Failed(Trouble::Silent)), Some(0.3)));
    let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
    sim.announce(1, 5.0, VolumeRule::Absolute(0.9));
    sim.run_for(2.0);
    sim.by_hand(|player| *player = PlayerState::default());
    sim.run_for(60.0);
    assert_eq!(sim.outcome(1), Some(&Outcome::Failed(Trouble::Vanished)));
    sim.by_hand(|player| *player = state(Mode::Idle, 0.9));
    sim.run_for(5.0);
    assert_eq!(sim.state.volume, Some(0.3), "when it is back");
}

#[test]
fn one_that_vanishes_while_it_is_put_back_is_put_back_when_it_returns() {
    for wait in [2.5, 3.22, 3.4] {
        let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
        sim.announce(1, 2.0, VolumeRule::Absolute(0.9));
        sim.run_for(wait);
        // What was on its way is lost with it.
        sim.calls.clear();
        sim.news.clear();
        let loud = sim.state.volume;
        sim.by_hand(|player| *player = PlayerState::default());
        sim.run_for(60.0);
        assert!(sim.remembered.is_some(), "after {wait} s");
        sim.by_hand(|player| *player = PlayerState { volume: loud, ..state(Mode::Idle, 0.9) });
        sim.run_for(10.0);
        assert_eq!((sim.state.volume, sim.remembered.as_ref()), (Some(0.3), None), "after {wait} s");
    }
}

#[test]
fn a_crash_in_the_middle_leaves_no_player_loud() {
    for wait in [0.02, 0.12, 0.2, 1.0, 2.2, 2.9, 3.2, 3.4, 3.6] {
        for before in [state(Mode::Idle, 0.3), playing_music(0.3), off()] {
            let mut sim = SimPlayer::new(PlayerKind::Plain, before.clone());
            sim.announce(1, 2.0, VolumeRule::Absolute(0.9));
            sim.run_for(wait);
            sim.crash();
            sim.run_for(30.0);
            assert_eq!((sim.state.mode, sim.state.volume), (before.mode, before.volume), "after {wait} s");
            assert_eq!(sim.remembered, None);
        }
    }
}

#[test]
fn players_that_announce_by_themselves_are_asked_to_and_left_alone() {
    let mut sim = SimPlayer::new(PlayerKind::Sonos, playing_music(0.3));
    sim.announce(1, 2.0, VolumeRule::Absolute(0.5));
    sim.announce(2, 2.0, VolumeRule::Keep);
    sim.run_for(20.0);
    let announce = |number, volume| Command::Announce { url: format!("http://relay.home/clip/{number}.mp3"), volume };
    assert_eq!(sim.told, [announce(1, Some(0.5)), announce(2, None)]);
    assert_eq!((sim.outcome(1), sim.outcome(2)), (Some(&Outcome::Played), Some(&Outcome::Played)));
    assert_eq!(sim.state, playing_music(0.3));
}

#[test]
fn one_that_tells_when_it_plays_is_believed_and_one_that_does_not_play_is_not() {
    let mut sim = SimPlayer::new(PlayerKind::EspHome, state(Mode::Idle, 0.3));
    sim.announce(1, 2.0, VolumeRule::Keep);
    sim.run_for(0.5);
    sim.by_hand(|player| player.mode = Mode::Playing);
    sim.run_for(2.0);
    assert_eq!((sim.began.as_slice(), sim.outcome(1)), ([ClipId(1)].as_slice(), None));
    sim.by_hand(|player| player.mode = Mode::Idle);
    sim.run_for(0.2);
    assert_eq!(sim.outcome(1), Some(&Outcome::Played));
    sim.announce(2, 2.0, VolumeRule::Keep);
    sim.run_for(30.0);
    assert_eq!(sim.outcome(2), Some(&Outcome::Failed(Trouble::Silent)));
}

/// What is said just now, on a player of this kind.
fn live(kind: PlayerKind, before: PlayerState) -> SimPlayer {
    let mut sim = SimPlayer::new(kind, before);
    let url = "http://relay.home/stream/room/kitchen.mp3".into();
    let clip =
        Clip { id: ClipId(1), url, length: None, volume: VolumeRule::Absolute(0.7), is_urgent: false, is_live: true };
    sim.player.announce(sim.now, clip).expect("room");
    sim.carry();
    sim
}

#[test]
fn what_is_live_is_played_until_it_is_stopped_also_where_a_player_announces_by_itself_and_all_is_as_before() {
    for kind in [PlayerKind::Plain, PlayerKind::Sonos, PlayerKind::EspHome, PlayerKind::MusicAssistant] {
        for before in [state(Mode::Idle, 0.3), off()] {
            let mut sim = live(kind, before.clone());
            sim.run_for(1_200.0);
            assert_eq!((sim.state.mode, sim.outcome(1)), (Mode::Playing, None), "{kind:?}: twenty minutes later");
            assert_eq!(sim.state.volume, Some(0.7));
            assert!(!sim.told.iter().any(|command| matches!(command, Command::Announce { .. })), "{kind:?}");
            assert!(sim.player.stop(sim.now, ClipId(1)));
            sim.carry();
            sim.run_for(10.0);
            assert_eq!((sim.outcome(1), sim.state.mode), (Some(&Outcome::Stopped), before.mode), "{kind:?}");
            assert_eq!(sim.state.volume, before.volume, "{kind:?}");
        }
    }
}

#[test]
fn what_is_live_and_forgotten_ends_after_an_hour_and_a_satellite_plays_none() {
    let mut sim = live(PlayerKind::Plain, state(Mode::Idle, 0.3));
    sim.run_for(3_700.0);
    assert_eq!((sim.outcome(1), sim.state.volume), (Some(&Outcome::Played), Some(0.3)));
    let sim = live(PlayerKind::Satellite, state(Mode::Idle, 0.3));
    assert_eq!(sim.outcome(1), Some(&Outcome::Failed(Trouble::OnlyAnnounces)));
    assert!(sim.told.is_empty(), "it is not even asked");
}

#[test]
fn a_refused_call_is_told_in_home_assistants_words() {
    let (now, mut player) = (Instant::now(), Player::new(PlayerKind::MusicAssistant));
    player.state_changed(now, state(Mode::Idle, 0.3), Cause::Other);
    let clip = |number| Clip {
        id: ClipId(number),
        url: "http://x/1.mp3".into(),
        length: None,
        volume: VolumeRule::Keep,
        is_urgent: false,
        is_live: false,
    };
    player.announce(now, clip(1)).expect("room");
    let Some(Effect::Call(call, _)) = player.poll() else { panic!("it is asked") };
    player.call_ended(now, call, Err("no such action".into()));
    let failed = Outcome::Failed(Trouble::Refused("no such action".into()));
    assert_eq!(player.poll(), Some(Effect::Ended(ClipId(1), failed)));
}

#[test]
fn what_is_urgent_goes_before_what_waits_and_after_what_is_heard() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
    for (number, is_urgent) in [(1, false), (2, false), (3, true), (4, false), (5, true)] {
        sim.is_urgent = is_urgent;
        sim.announce(number, 2.0, VolumeRule::Absolute(0.7));
    }
    sim.run_for(60.0);
    let began: Vec<_> = sim.began.iter().map(|clip| clip.0).collect();
    assert_eq!(began, [1, 3, 5, 2, 4]);
    assert_eq!((sim.state.mode, sim.state.volume), (Mode::Idle, Some(0.3)), "as before");
}

#[test]
fn so_many_may_wait_and_no_more_and_each_can_be_stopped() {
    let mut sim = SimPlayer::new(PlayerKind::Plain, state(Mode::Idle, 0.3));
    for number in 0..=MAX_WAITING as u64 {
        sim.announce(number, 2.0, VolumeRule::Absolute(0.7));
    }
    let clip = Clip {
        id: ClipId(99),
        url: "http://x/99.mp3".into(),
        length: None,
        volume: VolumeRule::Keep,
        is_urgent: false,
        is_live: false,
    };
    assert_eq!(sim.player.announce(sim.now, clip), Err(PlayerFull));
    sim.run_for(1.0);
    for number in (0..=MAX_WAITING as u64).rev() {
        assert!(sim.player.stop(sim.now, ClipId(number)), "{number}");
        sim.carry();
    }
    sim.run_for(10.0);
    assert!(sim.ended.values().all(|outcome| *outcome == Outcome::Stopped));
    assert_eq!(sim.state, state(Mode::Idle, 0.3));
}

/// Whether a player is as a person expects, who knows how it was: it plays, or is off, if it did or was; and it is as loud,
/// unless somebody has turned the knob since.
fn is_as_expected(now: &PlayerState, before: &PlayerState, turned: Option<f32>) -> bool {
    let mode = match before.mode {
        // What was paused cannot be had back, but must not begin to play.
        Mode::Paused => matches!(now.mode, Mode::Paused | Mode::Idle),
        mode => now.mode == mode,
    };
    let volume = if now.mode == Mode::Off { None } else { turned.or(before.volume) };
    // What differs from ours by less than players round is not seen.
    mode && now.volume.zip(volume).map_or(now.volume == volume, |(now, volume)| (now - volume).abs() <= ROUNDING)
}

#[test]
fn twenty_announcements_to_six_players_leave_the_house_as_it_was_whatever_happens() {
    for seed in 0..1_000 {
        let mut random = StdRng::seed_from_u64(seed);
        for _ in 0..6 {
            one_player(&mut random, seed);
        }
    }
}

fn one_player(random: &mut StdRng, seed: u64) {
    let before = match random.random_range(0..4) {
        0 => state(Mode::Idle, 0.3),
        1 => playing_music(0.3),
        2 => PlayerState { mode: Mode::Paused, ..playing_music(0.3) },
        _ => off(),
    };
    let mut delays = StdRng::seed_from_u64(random.random());
    let delay = move || Duration::from_millis(delays.random_range(5..600));
    let kind = if random.random_bool(0.8) { PlayerKind::Plain } else { PlayerKind::Sonos };
    let mut sim = SimPlayer::with_delays(kind, before.clone(), delay);
    let (mut turned, mut crashed) = (None, 0);
    for number in 0..20 {
        let volume = match random.random_range(0..3) {
            0 => VolumeRule::Keep,
            1 => VolumeRule::Absolute(random.random_range(0.4..1.0)),
            _ => VolumeRule::Relative(random.random_range(-0.2..0.5)),
        };
        sim.is_urgent = random.random_bool(0.2);
        sim.announce(number, random.random_range(0.3..4.0), volume);
        sim.run_for(random.random_range(0.0..6.0));
        match random.random_range(0..30) {
            0 => {
                sim.crash();
                crashed += 1;
            }
            1 => {
                let wanted = random.random_range(1..35) as f32 / 100.0;
                // As far as people turn a knob.
                if sim.state.volume.is_some_and(|volume| (volume - wanted).abs() > 2.0 * ROUNDING) {
                    turned = Some(wanted);
                    sim.by_hand(|player| player.volume = Some(wanted));
                }
            }
            2 => drop(sim.player.stop(sim.now, ClipId(number))),
            _ => {}
        }
        sim.carry();
    }
    sim.run_for(400.0);
    assert!(sim.player.is_idle() && sim.remembered.is_none(), "seed {seed}: {sim:?}", sim = sim.player);
    let now = &sim.state;
    assert!(is_as_expected(now, &before, turned), "seed {seed}, {crashed} crashes, {turned:?}, {before:?}, {now:?}");
    if crashed == 0 {
        assert_eq!(sim.ended.len(), 20, "seed {seed}");
        let music = Some(MUSIC).filter(|_| before.mode == Mode::Playing);
        let content = sim.state.content.as_ref().filter(|_| sim.state.mode == Mode::Playing);
        assert_eq!(content.map(|content| &*content.id), music, "seed {seed}");
    }
}
