//! What players hear before a program, so that those which fill a buffer first begin at once: made once for everybody
//! who wants the same, since a second of it takes milliseconds to encode and a listener could ask again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OnceCell, Semaphore};

use crate::audio::{Format, prelude};

use super::listener_socket::Piece;
use super::player::{Burst, PlayRequest};

/// Bytes of all that are kept, framed both ways; beyond, they are made anew.
const MAX_BYTES: usize = 8 << 20;

/// Made at once: each takes a processor.
const AT_ONCE: usize = 1;

type PreludeKey = (Format, Burst);
type Table = HashMap<PreludeKey, Arc<OnceCell<Piece>>>;

/// Those that were made. Cheap to clone.
#[derive(Clone)]
pub struct Preludes {
    made: Arc<Mutex<Table>>,
    turns: Arc<Semaphore>,
}

impl Default for Preludes {
    fn default() -> Self {
        Self { made: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Preludes {
    /// What comes before the program of this wish; `None`: nothing does.
    pub(super) async fn of(&self, request: PlayRequest) -> Option<Piece> {
        if request.burst.is_none() {
            return None;
        }
        let cell = Arc::clone(self.lock().entry((request.format, request.burst)).or_default());
        let piece = cell.get_or_init(|| self.make(request)).await.clone();
        self.bound();
        Some(piece)
    }

    async fn make(&self, request: PlayRequest) -> Piece {
        let turn = self.turns.acquire().await;
        let made = tokio::task::spawn_blocking(move || Piece::new(prelude(request.format, &request.burst.samples())));
        // Without it, if it panicked: the program is what counts.
        let piece = made.await.unwrap_or_default();
        drop(turn);
        piece
    }

    /// Forgets all where they are too many; those who hear one keep theirs.
    fn bound(&self) {
        let mut made = self.lock();
        let bytes: usize = made.values().filter_map(|cell| cell.get()).map(Piece::bytes).sum();
        if bytes > MAX_BYTES {
            made.clear();
        }
    }

    /// The table is whole at every moment, also after a panic.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(file: &str, seconds: f32) -> PlayRequest {
        let query = HashMap::from([("burst".to_owned(), seconds.to_string())]);
        PlayRequest::of_file(file).expect("known").with_query(&query).expect("valid")
    }

    #[tokio::test]
    async fn all_who_want_the_same_share_one_and_nothing_is_made_for_who_wants_none() {
        let preludes = Preludes::default();
        assert!(preludes.of(request("all.mp3", 0.0)).await.is_none());
        let (first, second) = tokio::join!(preludes.of(request("all.mp3", 1.0)), preludes.of(request("all.mp3", 0.9)));
        let (first, second) = (first.expect("made"), second.expect("made"));
        assert!(first.is_same(&second), "lengths are whole half seconds");
        assert_eq!(preludes.lock().len(), 1);
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let preludes = Preludes::default();
        for halves in 1..=20 {
            preludes.of(request("all.wav", halves as f32 / 2.0)).await.expect("made");
            let bytes: usize = preludes.lock().values().filter_map(|cell| cell.get()).map(Piece::bytes).sum();
            assert!(bytes <= MAX_BYTES, "{bytes}");
        }
    }
}
