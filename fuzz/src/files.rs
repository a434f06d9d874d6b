//! Audio files of any content.

use voice_relay::library::fuzzing::{FileKind, describe};

/// The first byte says what kind of file it is called; whatever it is, what is read of it is sound.
pub fn files(data: &[u8]) {
    let Some((kind, content)) = data.split_first() else { return };
    let kind = FileKind::ALL[usize::from(*kind) % FileKind::ALL.len()];
    if let Some(Some(seconds)) = describe(content.to_vec(), kind) {
        assert!(seconds.is_finite() && seconds >= 0.0, "{seconds}");
    }
}
