use super::*;

/// A WAV file of 16 bits with a ramp on the left, and nothing on the right where there is one.
fn wav(rate: u32, channels: u16, frames: u32) -> Vec<u8> {
    let length = frames * u32::from(channels) * 2;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(b"\x10\0data");
    file.extend(length.to_le_bytes());
    for frame in 0..frames {
        file.extend(((frame % 1_000) as i16 * 32).to_le_bytes());
        file.extend(std::iter::repeat_n(0, usize::from(channels - 1) * 2));
    }
    file
}

fn clip(bytes: &[u8]) -> Recording {
    Recording::of_bytes(bytes).expect("memory")
}

fn all(recording: &Recording) -> (Vec<f32>, Vec<u32>) {
    let (mut playing, mut samples, mut rates) = (recording.play().expect("audio"), Vec::new(), Vec::new());
    while let Some(rate) = playing.next(&mut samples).expect("whole") {
        rates.push(rate);
    }
    rates.dedup();
    (samples, rates)
}

#[test]
fn all_channels_become_one_and_the_rate_is_told() {
    let (samples, rates) = all(&clip(&wav(44_100, 2, 3_000)));
    assert_eq!((samples.len(), rates), (3_000, vec![44_100]));
    assert!((samples[1_500] - 500.0 * 32.0 / 32_768.0 / 2.0).abs() < 1e-4, "{}", samples[1_500]);
}

#[test]
fn a_recording_is_played_as_often_as_one_likes_also_when_its_file_is_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.wav");
    std::fs::write(&path, wav(8_000, 1, 4_000)).expect("written");
    let recording = Recording(Arc::new(File::open(&path).expect("there")));
    std::fs::remove_file(&path).expect("removed");
    let (mut one, mut other) = (recording.play().expect("audio"), recording.play().expect("audio"));
    assert_eq!(recording.probe().expect("audio"), Some(0.5));
    let (mut first, mut second) = (Vec::new(), Vec::new());
    one.next(&mut first).expect("whole");
    other.next(&mut second).expect("whole");
    assert_eq!(first, second);
    assert_eq!(all(&recording).0.len(), 4_000);
}

#[test]
fn what_is_no_audio_is_refused_and_a_file_that_was_cut_off_ends_where_it_ends() {
    for bytes in [&b""[..], b"<html>not audio</html>", &[0xff; 3_000], &[0; 3_000]] {
        assert!(clip(bytes).probe().is_err());
    }
    let whole = wav(48_000, 1, 48_000);
    let (samples, _) = all(&clip(&whole[..whole.len() / 2]));
    assert!((20_000..=24_000).contains(&samples.len()), "{}", samples.len());
}

#[test]
fn rates_at_which_nobody_records_are_damage() {
    let mut playing = clip(&wav(1, 1, 100)).play().expect("a WAV file");
    assert!(matches!(playing.next(&mut Vec::new()), Err(NoAudio::Damaged(_))));
}
