//! Files that were made to cost their reader its memory, its time or its life: in the folders that are served, and sent
//! to be announced.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voice_relay::app::Ports;

use crate::bystanders::Call;
use crate::support::http::get;
use crate::support::live::start_program;

const KINDS: [&str; 6] = ["mp3", "ogg", "opus", "flac", "wav", "m4a"];

/// What the daemon may grow by, whatever its files are.
const MOST_KILOBYTES: u64 = 100 << 10;

/// Until an answer, whatever is asked: what a reader may take, and a wait for its turn.
const DEADLINE: Duration = Duration::from_secs(31);

/// Bits, the lowest first, as Vorbis packs them.
#[derive(Default)]
struct Bits(Vec<u8>, usize);

impl Bits {
    fn put(&mut self, value: u32, bits: usize) {
        for bit in 0..bits {
            if self.1.is_multiple_of(8) {
                self.0.push(0);
            }
            *self.0.last_mut().expect("pushed") |= ((value >> bit & 1) as u8) << (self.1 % 8);
            self.1 += 1;
        }
    }
}

/// An Ogg page with these packets.
fn page(packets: &[&[u8]], number: u32, granule: u64, flags: u8) -> Vec<u8> {
    let mut lacing = Vec::new();
    for packet in packets {
        lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
        lacing.push((packet.len() % 255) as u8);
    }
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(7_u32.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    page.push(lacing.len() as u8);
    page.extend(lacing);
    page.extend(packets.concat());
    let sum = page.iter().fold(0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 })
    });
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

/// Vorbis with so many codebooks: each takes some bytes in the file, and 16 MB when it is unpacked.
fn vorbis_bomb(codebooks: u32) -> Vec<u8> {
    let mut first = b"\x01vorbis\0\0\0\0\x01".to_vec();
    first.extend(48_000_u32.to_le_bytes());
    first.extend([0; 12]);
    first.extend([0x88, 1]);
    let mut setup = Bits::default();
    let mut put = |fields: &[(u32, usize)]| fields.iter().for_each(|(value, bits)| setup.put(*value, *bits));
    put(&[(codebooks - 1, 8)]);
    for _ in 0..codebooks {
        put(&[(0x56_4342, 24), (31, 16), (131_072, 24), (1, 1), (16, 5), (131_072, 18)]);
        put(&[(1, 4), (0, 32), (0, 32), (0, 4), (0, 1), (0, 1)]);
    }
    put(&[(0, 6), (0, 16), (0, 6), (1, 16), (0, 5), (0, 2), (0, 4)]);
    put(&[(0, 6), (0, 16), (0, 24), (0, 24), (0, 24), (0, 6), (0, 8), (0, 3), (0, 1)]);
    put(&[(0, 6), (0, 16), (0, 1), (0, 1), (0, 2), (0, 8), (0, 8), (0, 8)]);
    put(&[(0, 6), (0, 1), (0, 16), (0, 16), (0, 8), (1, 1)]);
    let setup = [b"\x05vorbis", &setup.0[..]].concat();
    let comment = b"\x03vorbis\x01\0\0\0x\0\0\0\0\x01";
    [page(&[&first], 0, 0, 2), page(&[comment, &setup], 1, 0, 0), page(&[b"\0"], 2, 128, 4)].concat()
}

fn noise(random: &mut StdRng, length: usize) -> Vec<u8> {
    (0..length).map(|_| random.random()).collect()
}

/// FLAC whose blocks claim to be as long as can be: a picture, comments, a table of places.
fn flac_bomb(random: &mut StdRng) -> Vec<u8> {
    let kind = [1, 3, 4, 5, 6][random.random_range(0..5)];
    let mut file = b"fLaC\0\0\0\x22".to_vec();
    file.extend(noise(random, 34));
    file.extend([0x80 | kind, 0xff, 0xff, 0xff]);
    file.extend([0xff; 8]);
    file.extend(noise(random, 400));
    file
}

/// MP4 whose tables claim to have as many entries as can be.
fn mp4_bomb(random: &mut StdRng) -> Vec<u8> {
    let atom = |name: &[u8; 4], body: &[u8]| [&(body.len() as u32 + 8).to_be_bytes()[..], name, body].concat();
    let table = [b"stsz", b"stts", b"stco", b"stsc", b"ctts"][random.random_range(0..5)];
    let many = [&[0; 4][..], &[0; 4], &u32::MAX.to_be_bytes(), &noise(random, 64)].concat();
    let minf = atom(b"minf", &atom(b"stbl", &atom(table, &many)));
    let moov = atom(b"moov", &atom(b"trak", &atom(b"mdia", &minf)));
    [atom(b"ftyp", b"M4A \0\0\0\0M4A mp42"), moov, atom(b"mdat", &noise(random, 200))].concat()
}

/// MP3 with a tag that claims a picture of a gigabyte, or an encoder's tag of nonsense.
fn mp3_bomb(random: &mut StdRng) -> Vec<u8> {
    let mut file = b"ID3\x04\0\0\x7f\x7f\x7f\x7fAPIC\x7f\x7f\x7f\x7f\0\0\0image/png\0\x03\0\x89PNG".to_vec();
    if random.random() {
        file = [&[0xff, 0xfb, 0x90, 0xc4][..], &[0; 32], b"Xing\0\0\0\x0f", &[0xff; 108]].concat();
        file.resize(417, 0);
    }
    for _ in 0..20 {
        file.extend([0xff, 0xfb, 0x90, 0xc4]);
        file.extend(noise(random, 413));
    }
    file
}

/// WAV whose lengths, rates and channels are as they cannot be.
fn wav_bomb(random: &mut StdRng) -> Vec<u8> {
    let mut file = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0".to_vec();
    file.extend(noise(random, 14));
    file.extend(b"data\xff\xff\xff\xff");
    file.extend(noise(random, 2_000));
    file
}

/// A true file, bent here and there, or cut off.
fn bent(whole: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut file = whole.to_vec();
    for _ in 0..random.random_range(1..40) {
        let at = random.random_range(0..file.len().min(4_000));
        file[at] = random.random();
    }
    file.truncate(random.random_range(file.len() / 4..=file.len()));
    file
}

/// So many files, each with its kind.
fn nonsense(count: usize, whole: &[(&'static str, Vec<u8>)], random: &mut StdRng) -> Vec<(&'static str, Vec<u8>)> {
    let make = |number: usize, random: &mut StdRng| match number % 10 {
        0 => ("ogg", vorbis_bomb(random.random_range(1..=256))),
        1 => ("flac", flac_bomb(random)),
        2 => ("m4a", mp4_bomb(random)),
        3 => ("mp3", mp3_bomb(random)),
        4 => ("wav", wav_bomb(random)),
        5 => {
            let length = random.random_range(0..5_000);
            (KINDS[random.random_range(0..6)], noise(random, length))
        }
        _ => {
            let (kind, file) = &whole[random.random_range(0..whole.len())];
            (*kind, bent(file, random))
        }
    };
    (0..count).map(|number| make(number, random)).collect()
}

/// Twelve seconds of sound in every kind, as others make it.
async fn whole_files(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let mut files = Vec::new();
    for kind in KINDS {
        let path = folder.join(format!("whole.{kind}"));
        let mut ffmpeg = tokio::process::Command::new("ffmpeg");
        ffmpeg.args(["-loglevel", "error", "-f", "lavfi", "-i", "sine=duration=12", "-ar", "48000"]).arg(&path);
        assert!(ffmpeg.status().await.expect("ffmpeg is installed").success(), "{kind}");
        files.push((kind, fs::read(&path).expect("written")));
        fs::remove_file(path).expect("removed");
    }
    files
}

/// Kilobytes that a process has, or had at most.
fn kilobytes(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with(field)).expect("a field");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// Sends a recording to be announced; gives the status, and its id if it was taken.
async fn announce(ports: Ports, recording: &[u8]) -> (u16, Option<String>) {
    let exchange = async {
        let mut socket = TcpStream::connect(ports.http).await.expect("a listening port");
        let head = format!(
            "POST /api/announce/clip?room=home HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n",
            recording.len()
        );
        socket.write_all(&[head.as_bytes(), recording].concat()).await.expect("sent");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer");
        answer
    };
    let answer = tokio::time::timeout(DEADLINE, exchange).await.expect("answered in time");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let id = serde_json::from_str::<Value>(body).ok().and_then(|body| body["id"].as_str().map(str::to_owned));
    (status, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_files_of_nonsense_and_bombs_cost_the_daemon_nothing() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("sounds");
    fs::create_dir(&folder).expect("made");
    let mut random = StdRng::seed_from_u64(14);
    let whole = whole_files(&folder).await;
    let files = nonsense(2_000, &whole, &mut random);
    for (number, (kind, content)) in files.iter().enumerate() {
        fs::write(folder.join(format!("{number:04}.{kind}")), content).expect("written");
    }
    for (kind, content) in &whole {
        fs::write(folder.join(format!("whole-{kind}.{kind}")), content).expect("written");
    }
    let flags =
        [format!("--data-dir={}/data", parent.path().display()), format!("--files-folders={}", folder.display())];
    let (child, ports) = start_program(&flags.each_ref().map(String::as_str)).await;
    let pid = child.id().expect("running");
    let before = kilobytes(pid, "VmRSS:");
    let mut call = Call::begin(ports).await;

    // The index: the list is there when all were looked at.
    let limit = Instant::now() + Duration::from_secs(240);
    let listed = loop {
        let list = get(ports.http, "/api/files?limit=1000").await.json();
        if list["total"].as_u64().is_some_and(|total| total > 0) {
            break list;
        }
        assert!(Instant::now() < limit, "not in time");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    call.goes_on().await;
    let whole = get(ports.http, "/api/files?search=whole-").await.json();
    assert_eq!(whole["total"], KINDS.len(), "what others make is read: {whole}");
    let ids: Vec<_> = listed["files"].as_array().expect("files").iter().map(|file| file["id"].clone()).collect();
    assert!(ids.len() > 20 && ids.len() < 2_000, "{} of them can be read", ids.len());

    // Their covers, and themselves as announcements.
    for id in ids.iter().step_by(20) {
        let path = format!("/api/files/{}/cover", id.as_str().expect("an id"));
        assert_ne!(get(ports.http, &path).await.status, 500);
    }
    let (mut taken, mut refused) = (0, 0);
    for (_, content) in files.iter().step_by(7) {
        match announce(ports, content).await {
            (202, Some(id)) => {
                taken += 1;
                // Some of it is played; then it is the next one's turn.
                tokio::time::sleep(Duration::from_millis(50)).await;
                let path = format!("/api/announce/{id}");
                crate::support::http::request(ports.http, &format!("DELETE {path}"), &[], DEADLINE).await;
            }
            (422, None) => refused += 1,
            (429 | 503, None) => tokio::time::sleep(Duration::from_millis(200)).await,
            (status, _) => panic!("{status}"),
        }
    }
    assert!(taken > 10 && refused > 50, "{taken} were taken, {refused} refused");
    call.goes_on().await;
    let most = kilobytes(pid, "VmHWM:");
    assert!(most < before + MOST_KILOBYTES, "from {before} to {most} kilobytes");
    println!("2,000 files: from {before} to {most} kilobytes; {taken} announced, {refused} refused");
}
