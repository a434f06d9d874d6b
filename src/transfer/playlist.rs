//! Files to be played one after another, in their order or shuffled.

use super::messages::{List, Repeat};
use crate::library::FileId;

/// The longest list. That of an album has twenty.
const MOST_FILES: usize = 1_000;

/// A client's list, and where in it the client is.
#[derive(Debug)]
pub(super) struct FilePlaylist {
    /// In the order in which they are played.
    files: Vec<FileId>,
    at: usize,
    repeat: Repeat,
    random: u64,
}

impl FilePlaylist {
    pub(super) fn new(seed: u64) -> Self {
        // The generator below stays at zero for ever.
        Self { files: Vec::new(), at: 0, repeat: Repeat::None, random: seed | 1 }
    }

    /// Takes a list in place of the former one; gives its first file.
    pub(super) fn fill(&mut self, list: List) -> Result<FileId, String> {
        if list.files.len() > MOST_FILES {
            return Err(format!("a playlist has {MOST_FILES} files at most"));
        }
        let first = *list.files.first().ok_or("a playlist has at least one file")?;
        (self.files, self.at, self.repeat) = (list.files, 0, list.repeat);
        if list.shuffle {
            self.shuffle();
        }
        Ok(self.files.first().copied().unwrap_or(first))
    }

    /// The file after this one.
    pub(super) fn peek(&self) -> Option<FileId> {
        self.files.get(self.next_place()?).copied()
    }

    /// Goes to the file after this one.
    pub(super) fn advance(&mut self) -> Option<FileId> {
        self.at = self.next_place()?;
        self.files.get(self.at).copied()
    }

    /// Goes to the file before this one.
    pub(super) fn go_back(&mut self) -> Option<FileId> {
        self.at = match self.at.checked_sub(1) {
            Some(place) => place,
            None if self.repeat == Repeat::All => self.files.len().checked_sub(1)?,
            None => return None,
        };
        self.files.get(self.at).copied()
    }

    fn next_place(&self) -> Option<usize> {
        match self.repeat {
            Repeat::One => Some(self.at),
            Repeat::None => Some(self.at + 1),
            Repeat::All => (self.at + 1).checked_rem(self.files.len()),
        }
        .filter(|place| *place < self.files.len())
    }

    /// Fisher and Yates' way: every order is as likely as any other.
    fn shuffle(&mut self) {
        for last in (1..self.files.len()).rev() {
            let other = self.random_below(last + 1);
            self.files.swap(last, other);
        }
    }

    /// Marsaglia's xorshift: good enough for songs.
    fn random_below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(count: u64) -> Vec<FileId> {
        (0..count).map(FileId).collect()
    }

    fn playlist(count: u64, shuffle: bool, repeat: Repeat) -> (FilePlaylist, FileId) {
        let mut playlist = FilePlaylist::new(7);
        let first = playlist.fill(List { files: files(count), shuffle, repeat }).expect("a list");
        (playlist, first)
    }

    #[test]
    fn a_list_is_played_in_its_order_and_ends() {
        let (mut list, first) = playlist(3, false, Repeat::None);
        let rest: Vec<_> = std::iter::from_fn(|| list.advance()).collect();
        assert_eq!([vec![first], rest].concat(), files(3));
        assert_eq!(list.go_back(), Some(FileId(1)));
    }

    #[test]
    fn a_shuffled_list_has_every_file_once_in_another_order() {
        let (mut list, first) = playlist(50, true, Repeat::None);
        let mut played = vec![first];
        played.extend(std::iter::from_fn(|| list.advance()));
        assert_ne!(played, files(50));
        played.sort();
        assert_eq!(played, files(50));
    }

    #[test]
    fn a_repeated_list_begins_again_and_a_repeated_file_comes_again() {
        let (mut list, first) = playlist(2, false, Repeat::All);
        list.advance();
        assert_eq!(list.advance(), Some(first));
        assert_eq!(list.go_back(), Some(FileId(1)));
        let (mut one, first) = playlist(2, false, Repeat::One);
        assert_eq!((one.advance(), one.peek()), (Some(first), Some(first)));
    }

    #[test]
    fn an_empty_list_and_an_endless_one_are_refused_and_the_former_stays() {
        let (mut list, first) = playlist(2, false, Repeat::One);
        assert!(list.fill(List::default()).is_err());
        assert!(list.fill(List { files: files(1_001), ..List::default() }).is_err());
        assert_eq!(list.advance(), Some(first));
        assert_eq!(FilePlaylist::new(0).advance(), None);
    }
}
