//! PINs: four to twelve digits, kept as a hash only, and guessed at a few times a minute at most.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use uuid::Uuid;

use crate::domain::Owner;

/// Guesses at one room's PIN from one address, in [`GUESS_WINDOW`].
pub const MAX_GUESSES: usize = 5;

/// After so long a guess is forgotten.
pub const GUESS_WINDOW: Duration = Duration::from_secs(60);

/// Addresses of which one room remembers guesses; further ones wait until some are forgotten.
pub const MAX_GUESSERS: usize = 1_024;

/// Of a PIN.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=12;

/// Memory and passes of argon2id: about a millisecond. Few digits are not kept secret by more; whoever could read
/// the hash could hear the room.
const MEMORY_KIB: u32 = 1_024;
const PASSES: u32 = 2;

const HASH_BYTES: usize = 32;

/// A PIN as somebody typed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

/// The text is no PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("A PIN has 4 to 12 digits, and nothing else")]
pub struct InvalidPin;

impl std::str::FromStr for Pin {
    type Err = InvalidPin;

    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        let is_pin = DIGITS.contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
        is_pin.then(|| Self(text.to_owned())).ok_or(InvalidPin)
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin")
    }
}

/// What is kept of a PIN.
pub struct PinHash {
    /// Random, so that equal PINs have different hashes.
    salt: [u8; 16],
    hash: [u8; HASH_BYTES],
}

impl PinHash {
    /// Takes about a millisecond.
    pub fn new(pin: &Pin) -> Self {
        let salt = Uuid::new_v4().into_bytes();
        Self { salt, hash: hash(pin, &salt) }
    }

    /// Whether it is this PIN. Takes about a millisecond.
    pub fn is(&self, pin: &Pin) -> bool {
        verify_slices_are_equal(&self.hash, &hash(pin, &self.salt)).is_ok()
    }
}

impl std::fmt::Debug for PinHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinHash")
    }
}

fn hash(pin: &Pin, salt: &[u8]) -> [u8; HASH_BYTES] {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(HASH_BYTES)).expect("they are in argon2's bounds");
    let mut hash = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.0.as_bytes(), salt, &mut hash)
        .expect("salt and hash have lengths that argon2 takes");
    hash
}

/// Wrong guesses at one room, by whomever, after which each further one has to wait.
pub const FREE_GUESSES: u32 = 10;

/// The longest wait between two guesses at one room.
pub const MAX_GUESS_DELAY: Duration = Duration::from_secs(60);

/// Who guessed at a room's PIN, and when. Besides what each may try there is a budget of the room, so that many addresses
/// together are as slow as one.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    by_owner: HashMap<Option<Owner>, Vec<Instant>>,
    /// Wrong ones since the last that was right.
    wrong: u32,
    /// The next one is not looked at before.
    next_at: Option<Instant>,
}

impl Guesses {
    /// Counts a guess, before anybody looks whether it is right; `false` when it comes too fast, and is not to be
    /// looked at. Those of whom nothing is known count as one.
    pub(super) fn note(&mut self, now: Instant, owner: Option<&Owner>) -> bool {
        self.by_owner.retain(|_, guesses| {
            guesses.retain(|guess| now.duration_since(*guess) < GUESS_WINDOW);
            !guesses.is_empty()
        });
        if self.next_at.is_some_and(|at| now < at) {
            return false;
        }
        let owner = owner.cloned();
        if self.by_owner.len() >= MAX_GUESSERS && !self.by_owner.contains_key(&owner) {
            return false;
        }
        let guesses = self.by_owner.entry(owner).or_default();
        if guesses.len() >= MAX_GUESSES {
            return false;
        }
        guesses.push(now);
        // Wrong, until it proves to be right: several are looked at at the same time.
        self.wrong = self.wrong.saturating_add(1);
        if let Some(doublings) = self.wrong.checked_sub(FREE_GUESSES) {
            let delay = Duration::from_secs(1 << doublings.min(6)).min(MAX_GUESS_DELAY);
            self.next_at = Some(now + delay);
        }
        true
    }

    /// The last one was right: it is not held against whoever made it, nor against the room.
    pub(super) fn forgive(&mut self, owner: Option<&Owner>) {
        if let Some(guesses) = self.by_owner.get_mut(&owner.cloned()) {
            guesses.pop();
        }
        (self.wrong, self.next_at) = (0, None);
    }

    /// Wrong ones since the last that was right.
    pub(super) fn wrong(&self) -> u32 {
        self.wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_digits_and_its_hash_knows_it_again() {
        for text in ["", "123", "1234567890123", "12a4", "12 4", "１２３４", "-1234"] {
            assert_eq!(text.parse::<Pin>(), Err(InvalidPin), "{text}");
        }
        let pin = |text: &str| text.parse::<Pin>().expect("a PIN");
        let hash = PinHash::new(&pin("0123"));
        assert!(hash.is(&pin("0123")));
        assert!(!hash.is(&pin("1234")) && !hash.is(&pin("00123")));
        assert_eq!(format!("{hash:?} {:?}", pin("0123")), "PinHash Pin");
    }

    #[test]
    fn all_addresses_of_one_ipv6_network_guess_as_one() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        let made = (0..20).filter(|host| guesses.note(now, Some(&Owner::from([0xfd00, 0, 0, 0, 0, 0, 0, *host]))));
        assert_eq!(made.count(), MAX_GUESSES);
        assert!(guesses.note(now, Some(&Owner::from([0xfd00, 0, 0, 1, 0, 0, 0, 1]))));
        assert!(guesses.note(now, None));
    }

    #[test]
    fn a_room_remembers_no_more_guessers_than_it_may_and_forgets_them() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        let owner = |number: u16| Owner::from([10, 0, (number >> 8) as u8, number as u8]);
        for number in 0..2_000 {
            // Somebody knows it, so that the room's own budget holds up nobody.
            guesses.note(now, Some(&owner(number)));
            guesses.forgive(Some(&owner(9_999)));
        }
        assert_eq!(guesses.by_owner.len(), MAX_GUESSERS);
        now += GUESS_WINDOW;
        assert!(guesses.note(now, Some(&owner(1_999))));
        assert_eq!(guesses.by_owner.len(), 1);
    }

    #[test]
    fn many_addresses_together_guess_as_slowly_as_one_and_a_right_pin_frees_the_way() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        let owner = |number: u32| Owner::from((0x0a00_0000 + number).to_be_bytes());
        let mut tries = 0;
        let looked_at = |guesses: &mut Guesses, now, tries: &mut u32| {
            *tries += 1;
            guesses.note(now, Some(&owner(*tries)))
        };
        assert!((0..FREE_GUESSES).all(|_| looked_at(&mut guesses, now, &mut tries)));
        for delay in [1, 2, 4, 8, 16, 32, 60, 60] {
            now += Duration::from_secs(delay) - Duration::from_millis(1);
            assert!(!looked_at(&mut guesses, now, &mut tries), "before {delay} s");
            now += Duration::from_millis(1);
            assert!(looked_at(&mut guesses, now, &mut tries), "after {delay} s");
        }
        guesses.forgive(None);
        assert!((0..FREE_GUESSES).all(|_| looked_at(&mut guesses, now, &mut tries)));
    }
}
