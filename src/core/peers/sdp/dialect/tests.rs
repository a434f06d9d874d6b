//! Descriptions as clients of others write them, and as str0m reads them.

use super::*;

const CREDENTIALS: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n";

fn answer_to(media: &str) -> String {
    format!("v=0\r\ns=-\r\na=group:BUNDLE {media}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{media}\r\n")
}

#[test]
fn profiles_of_rtp_are_read_and_given_back() {
    for profile in ["UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP", PROFILE] {
        let offer = format!("v=0\r\na=group:BUNDLE 0\r\nm=audio 9 {profile} 111\r\na=mid:0\r\n{CREDENTIALS}");
        let (read, dialect) = normalised(&offer);
        assert!(read.contains("\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"), "{read}");
        assert!(dialect.restored(&answer_to("0")).contains(&format!("m=audio 9 {profile} 111\r\n")));
    }
    let (read, _) = normalised("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n");
    assert!(read.contains("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
}

#[test]
fn names_of_m_lines_are_given_back_as_they_were() {
    for (mid, alias) in [
        ("audio-stream", "audio_stream"),
        ("AudioStreamOfTheKitchen", "AudioStreamOfThe"),
        ("{a}", "_a_"),
        ("0", "0"),
        ("ä", "_"),
    ] {
        let offer = format!("v=0\r\na=group:BUNDLE {mid}\r\nm=audio 9 RTP/SAVPF 111\r\na=mid:{mid}\r\n");
        let (read, dialect) = normalised(&offer);
        assert!(read.contains(&format!("a=group:BUNDLE {alias}\r\n")) && read.contains(&format!("a=mid:{alias}\r\n")));
        let answer = dialect.restored(&answer_to(alias));
        assert!(answer.contains(&format!("a=group:BUNDLE {mid}\r\n")), "{answer}");
        assert!(answer.contains(&format!("a=mid:{mid}\r\n")), "{answer}");
        assert_eq!(dialect.original(alias.into()), mid);
    }
}

#[test]
fn two_names_that_would_be_one_are_kept_apart() {
    let offer = "v=0\r\na=group:BUNDLE a-b a+b\r\nm=audio 9 X 1\r\na=mid:a-b\r\nm=audio 9 X 1\r\na=mid:a+b\r\n";
    let (read, dialect) = normalised(offer);
    assert!(read.contains("a=group:BUNDLE a_b m0\r\n"), "{read}");
    assert_eq!(dialect.original("m0".into()), "a+b");
}

#[test]
fn a_group_that_names_more_than_there_is_or_is_not_there_is_mended() {
    let offer = "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 X 1\r\na=mid:0\r\n";
    assert!(normalised(offer).0.contains("a=group:BUNDLE 0\r\n"));
    let bare = "v=0\r\nm=video 9 RTP/AVP 96\r\nm=audio 9 RTP/AVP 111\r\n";
    let (read, dialect) = normalised(bare);
    assert!(read.contains("a=group:BUNDLE m1\r\nm=video 0 UDP"), "one connection, for the audio: {read}");
    let answer =
        dialect.restored("v=0\r\na=group:BUNDLE m1\r\nm=video 0 X 96\r\na=mid:m0\r\nm=audio 9 X 1\r\na=mid:m1\r\n");
    assert_eq!(answer, "v=0\r\nm=video 0 X 96\r\nm=audio 9 X 1\r\n", "nothing that was not offered");
}

#[test]
fn lines_in_another_order_and_lines_that_nobody_needs_are_read() {
    let offer = "v=0\no=- 99999999999999999999 2 IN IP4 127.0.0.1\ns=\ni=x\ne=a@b\nb=AS:1\na=ice-lite\nt=1 2\na=\n\
        a=ice-ufrag:abcd\nm=audio 9/2 RTP/AVP 111  \na=mid:0\nb=TIAS:1\ni=x\nk=clear:x\na=\nc=IN IP4 0.0.0.0\n";
    let (read, _) = normalised(offer);
    let expected = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\na=ice-ufrag:abcd\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n";
    assert_eq!(read, expected);
    assert!(normalised("v=0\no=x 17 2 IN IP4 1.2.3.4\n").0.contains("o=x 17 2 IN IP4 1.2.3.4\r\n"));
}

#[test]
fn of_several_fingerprints_that_is_taken_which_can_be_compared() {
    let offer = "v=0\r\nm=audio 9 X 1\r\na=fingerprint:sha-384 AA\r\na=fingerprint:SHA-256 BB\r\n";
    let (read, _) = normalised(offer);
    assert!(read.contains("SHA-256 BB") && !read.contains("sha-384"));
    assert!(normalised("v=0\r\na=fingerprint:sha-384 AA\r\n").0.contains("sha-384"), "left to be refused");
}

#[test]
fn nonsense_stays_nonsense() {
    for text in ["", "m=", "m=\r\n", "a=mid:\r\nm=audio\r\na=mid:\r\n", "o=\r\n", "\u{0}"] {
        let (_, dialect) = normalised(text);
        dialect.restored(text);
    }
}
