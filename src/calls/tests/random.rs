//! Whatever people, doorbells and networks do, in whichever order: never two answers, never a ring without end, nobody in
//! two calls.

use std::collections::{BTreeSet, HashMap};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

const NAMES: [&str; 5] = ["anna", "attic", "bert", "hall", "study"];

const ACTS: usize = 100_000;

struct Chaos {
    stage: TestCalls,
    random: SmallRng,
    /// Of each station.
    connections: HashMap<&'static str, Vec<ConnectionId>>,
    /// Who answered which call.
    answers: HashMap<CallId, StationId>,
    over: BTreeSet<CallId>,
    began: HashMap<CallId, Instant>,
}

impl Chaos {
    fn name(&mut self) -> &'static str {
        NAMES[self.random.random_range(0..NAMES.len())]
    }

    fn some_call(&mut self) -> Option<CallInfo> {
        let calls = self.stage.calls.current();
        let count = calls.len().max(1);
        calls.into_iter().nth(self.random.random_range(0..count))
    }

    fn act(&mut self) {
        let (name, other) = (self.name(), self.name());
        match self.random.random_range(0..13) {
            0 | 1 => {
                let connection = self.stage.come(name);
                self.connections.entry(name).or_default().push(connection);
            }
            2 => {
                if let Some(connection) = self.connections.entry(name).or_default().pop() {
                    self.stage.go(name, connection);
                }
            }
            3 | 4 => drop(self.stage.ring(name, &[other, "kitchen"])),
            5 => drop(self.stage.doorbell(&["everybody"])),
            6 => {
                let room = Some("yard".to_owned());
                drop(self.stage.ring_from(Caller::Other { name: "Gate".into(), room }, &[name]));
            }
            7 | 8 => drop(self.some_call().map(|call| self.stage.answer(&call, name))),
            9 => drop(self.some_call().map(|call| self.stage.hang_up(&call, name))),
            10 => {
                let milliseconds = self.random.random_range(0..8_000);
                self.stage.pass(Duration::from_millis(milliseconds));
            }
            11 => {
                let phone = self.random.random_bool(0.7).then(|| "mobile_app_x".to_owned());
                // Of a station that is not known there is none.
                let _ = self.stage.calls.set_phone(self.stage.now, &id(name), phone);
                if let Some(call) = self.some_call() {
                    self.stage.calls.note_unreachable(self.stage.now, call.id, &id(other));
                }
            }
            _ if self.random.random_range(0..20) == 0 => {
                self.stage.calls.forget(self.stage.now, &id(name));
                self.connections.remove(name);
                self.stage.deliver();
            }
            _ => drop(self.some_call().map(|call| self.stage.calls.cancel(self.stage.now, call.id))),
        }
        self.stage.deliver();
    }

    fn check(&mut self) {
        for call in std::mem::take(&mut self.stage.told) {
            assert!(!self.over.contains(&call.id), "what is over stays over");
            self.began.entry(call.id).or_insert(self.stage.now);
            match &call.state {
                CallState::Answered { by } => {
                    let first = self.answers.entry(call.id).or_insert_with(|| by.clone());
                    assert_eq!(first, by, "never two answers");
                    assert!(call.to.iter().all(|callee| callee.state != CalleeState::Ringing));
                }
                CallState::Over { .. } => {
                    assert!(call.to.iter().all(|callee| callee.state != CalleeState::Ringing));
                    self.over.insert(call.id);
                }
                CallState::Ringing => {}
            }
        }
        let current = self.stage.calls.current();
        assert!(current.len() <= 4);
        for call in current.iter().filter(|call| call.state == CallState::Ringing) {
            assert!(call.to.iter().any(|callee| callee.state == CalleeState::Ringing), "it rings somewhere");
            assert!(self.stage.now - self.began[&call.id] <= Duration::from_secs(30), "never a ring without end");
        }
        for name in NAMES {
            let calls = self.stage.calls.calls.values().filter(|call| call.engages(&id(name))).count();
            assert!(calls <= 1, "{name} is in {calls} calls");
        }
        assert!(self.stage.calls.rates.len() <= 1);
    }
}

#[test]
fn whatever_happens_there_is_one_answer_an_end_and_one_call_for_each() {
    let (stage, random) = (TestCalls::new(), SmallRng::seed_from_u64(18));
    let (connections, answers, began) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut chaos = Chaos { stage, random, connections, answers, over: BTreeSet::new(), began };
    for _ in 0..ACTS {
        chaos.act();
        chaos.check();
    }
    assert!(chaos.answers.len() > 500, "{} were answered", chaos.answers.len());
    assert!(chaos.over.len() > 2_000, "{} are over", chaos.over.len());
    let all: Vec<_> = chaos.connections.drain().collect();
    for (name, connections) in all {
        connections.into_iter().for_each(|connection| chaos.stage.go(name, connection));
    }
    chaos.stage.pass(Duration::from_secs(600));
    // A doorbell's call that was answered into a room stays until somebody ends it: who answered is gone.
    assert!(chaos.stage.is_quiet(), "{:?}", chaos.stage.calls.current());
}
