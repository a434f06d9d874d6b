//! Voice messages over real sockets and a real disk: what is said is what is heard later, to the last packet.

mod support;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use support::http::{get, put_json, request};
use support::live::{PATIENCE, Signalling, end, metric, program, start_command, until};
use support::mailbox::{leave, record, say};
use support::sound::{decoded, share_at};
use tokio::process::{Child, Command};
use voice_relay::app::Ports;

/// A device of this name, that listens to the kitchen; `key` is what it had before.
async fn device(ports: Ports, name: &str, key: Option<&Value>) -> (Signalling, Value) {
    let mut signalling = Signalling::connect(ports.http, "/ws").await;
    signalling.send(json!({ "type": "station", "name": name, "rooms": ["kitchen"], "key": key })).await;
    let told = signalling.expect("station").await;
    (signalling, told["key"].clone())
}

/// The messages that a device has, once they are as many.
async fn messages(device: &mut Signalling, count: usize) -> Vec<Value> {
    loop {
        let told = device.expect("voice_messages").await["voice_messages"].as_array().expect("a list").clone();
        if told.len() == count {
            return told;
        }
    }
}

fn path_of(message: &Value, kind: &str) -> String {
    format!("/api/voice-messages/{}{kind}", message["id"].as_str().expect("an id"))
}

/// The Opus packets of an Ogg file, without the silence at its end.
fn packets_in(file: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = ogg::PacketReader::new(std::io::Cursor::new(file));
    let mut packets = Vec::new();
    while let Some(packet) = reader.read_packet().expect("an Ogg file") {
        packets.push(packet.data);
    }
    packets.pop();
    packets.split_off(2)
}

async fn house(flags: &[&str]) -> (Child, Ports, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let (child, ports) = restarted(folder.path(), flags).await;
    (child, ports, folder)
}

async fn restarted(folder: &Path, flags: &[&str]) -> (Child, Ports) {
    let data = format!("--data-dir={}", folder.display());
    start_command(program(), &[flags, &[&data, "--tls-mode=off", "--rooms-intercom=Kitchen"]].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_for_a_device_that_is_away_is_there_to_the_last_packet_when_it_comes_also_after_a_kill() {
    let (mut child, ports, folder) = house(&[]).await;
    let (away, key) = device(ports, "Hall tablet", None).await;
    away.close().await;
    let (mut anna, _) = device(ports, "Anna", None).await;
    let (left, said) = leave(&mut anna, "hall-tablet", 440.0, 100).await;
    assert_eq!(
        (&left["to"], &left["from"]["name"], &left["heard"]),
        (&json!("hall-tablet"), &json!("Anna"), &json!(false))
    );
    let (mut bert, _) = device(ports, "Bert", None).await;
    assert_eq!(messages(&mut bert, 0).await, Vec::<Value>::new(), "it is for the other alone");
    assert_eq!(get(ports.http, "/api/voice-messages").await.json()["voice_messages"], json!([]), "and on no list");
    child.kill().await.expect("killed");

    let (_child, ports) = restarted(folder.path(), &[]).await;
    let (mut hall, _) = device(ports, "Hall tablet", Some(&key)).await;
    assert_eq!(messages(&mut hall, 1).await.first(), Some(&left));
    let file = get(ports.http, &path_of(&left, "/speech.ogg")).await;
    assert_eq!((file.status, file.header("content-type")), (200, Some("audio/ogg")));
    assert_eq!(packets_in(&file.body), said, "as it was sent");
    assert_eq!(left["milliseconds"], said.len() as u64 * 20);
    for kind in ["/speech.ogg", "/speech.mp3"] {
        let pcm = decoded(&get(ports.http, &path_of(&left, kind)).await.body).await;
        let middle = &pcm[24_000..72_000];
        assert!(share_at(440.0, middle) > 0.9, "{kind}: {}", share_at(440.0, middle));
    }
    let peaks = left["peaks"].as_array().expect("a list");
    assert!(peaks.len() == 64 && peaks[32].as_u64() > Some(60), "{peaks:?}");

    assert_eq!(put_json(ports.http, &path_of(&left, ""), r#"{"heard":true}"#).await.status, 204);
    assert_eq!(messages(&mut hall, 1).await[0]["heard"], true);
    let delete = async || request(ports.http, &format!("DELETE {} HTTP/1.1", path_of(&left, "")), &[], PATIENCE).await;
    assert_eq!(delete().await.status, 204);
    assert_eq!(messages(&mut hall, 0).await, Vec::<Value>::new());
    assert_eq!(delete().await.status, 404);
    assert_eq!(get(ports.http, &path_of(&left, "/speech.ogg")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_messages_one_after_the_other_and_four_at_a_time_are_all_there_packet_by_packet() {
    let (mut child, ports, folder) = house(&["--limits-share=100", "--limits-joins=1000"]).await;
    let leave_some = async |one: u32| {
        let (mut device, _) = device(ports, &format!("Device {one}"), None).await;
        let mut left = Vec::new();
        for number in 0..13 {
            let frequency = 300.0 + f64::from(one * 200 + number * 10);
            left.push(leave(&mut device, "kitchen", frequency, 20 + u64::from(number)).await);
        }
        left
    };
    let all = futures_util::future::join_all((0..4).map(leave_some)).await.concat();
    assert_eq!(all.len(), 52);
    child.kill().await.expect("killed");
    let (_child, ports) = restarted(folder.path(), &[]).await;
    let listed =
        get(ports.http, "/api/voice-messages").await.json()["voice_messages"].as_array().expect("a list").len();
    assert_eq!(listed, 52, "those for a room are there for whoever may hear it");
    for (message, said) in all {
        let file = get(ports.http, &path_of(&message, "/speech.ogg")).await;
        assert_eq!(packets_in(&file.body), said, "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_cut_off_leaves_what_they_have_said_and_who_discards_it_leaves_nothing() {
    let (_child, ports, _folder) = house(&[]).await;
    let (mut hall, _) = device(ports, "Hall", None).await;
    messages(&mut hall, 0).await;
    let (mut anna, key) = device(ports, "Anna", None).await;
    let (peer, recording) = record(&mut anna, "hall").await;
    let said = say(&peer, &recording, 440.0, 50).await;
    anna.close().await;
    let left = messages(&mut hall, 1).await.remove(0);
    assert_eq!(packets_in(&get(ports.http, &path_of(&left, "/speech.ogg")).await.body), said);

    let (mut anna, _) = device(ports, "Anna", Some(&key)).await;
    let (peer, recording) = record(&mut anna, "hall").await;
    say(&peer, &recording, 440.0, 50).await;
    anna.send(json!({ "type": "discard_voice_message" })).await;
    assert_eq!(anna.expect("voice_message_over").await["voice_message"], Value::Null);
    let (_peer, _) = record(&mut anna, "hall").await;
    anna.send(json!({ "type": "send_voice_message" })).await;
    assert_eq!(anna.expect("error").await["code"], "nothing_said", "who never spoke has left nothing");
    assert_eq!(metric(ports, "voice_messages_left").await, 1);
    assert_eq!(metric(ports, "voice_messages").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_ends_by_itself_when_it_is_as_long_as_it_may_be() {
    let (_child, ports, _folder) = house(&["--mailbox-length=5"]).await;
    let (mut anna, _) = device(ports, "Anna", None).await;
    let (peer, recording) = record(&mut anna, "everybody").await;
    assert_eq!(recording["seconds"], 5);
    say(&peer, &recording, 440.0, 260).await;
    let left = anna.expect("voice_message_over").await["voice_message"].clone();
    assert_eq!(left["milliseconds"], 5_000);
    assert_eq!(get(ports.http, "/api/voice-messages").await.json()["voice_messages"], json!([left]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_no_message_is_refused_before_anybody_speaks_for_nothing() {
    let (_child, ports, _folder) = house(&["--mailbox-count=2", "--limits-share=50"]).await;
    let (mut anna, _) = device(ports, "Anna", None).await;
    let refused = async |device: &mut Signalling, to: &str| record(device, to).await.1["code"].clone();
    assert_eq!(refused(&mut anna, "attic").await, "no_station");
    for message in ["send_voice_message", "discard_voice_message"] {
        anna.send(json!({ "type": message })).await;
        assert_eq!(anna.expect("error").await["code"], "out_of_order", "{message}");
    }
    let mut nobody = Signalling::connect(ports.http, "/ws").await;
    assert_eq!(refused(&mut nobody, "kitchen").await, "out_of_order");
    let (_peer, _) = record(&mut anna, "kitchen").await;
    assert_eq!(refused(&mut anna, "kitchen").await, "out_of_order", "one at a time");
    anna.send(json!({ "type": "discard_voice_message" })).await;
    anna.expect("voice_message_over").await;
    anna.send(json!({ "type": "record_voice_message", "to": "kitchen", "offer": { "type": "offer", "sdp": "x" } }))
        .await;
    assert_eq!(anna.expect("error").await["code"], "bad_description");

    let (first, _) = leave(&mut anna, "kitchen", 440.0, 20).await;
    leave(&mut anna, "kitchen", 440.0, 20).await;
    assert_eq!(refused(&mut anna, "kitchen").await, "full", "nobody has heard them");
    assert_eq!(metric(ports, "voice_messages_refused").await, 1);
    assert_eq!(put_json(ports.http, &path_of(&first, ""), r#"{"heard":true}"#).await.status, 204);
    leave(&mut anna, "kitchen", 440.0, 20).await;
    assert_eq!(
        get(ports.http, &path_of(&first, "/speech.ogg")).await.status,
        404,
        "the one that was heard has gone for it"
    );
    assert_eq!(metric(ports, "voice_messages_displaced").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_for_a_room_with_a_pin_are_nobodys_who_does_not_know_it() {
    let (_child, ports, _folder) = house(&[]).await;
    let open = json!({ "roomName": "Study", "pin": "1234" });
    assert_eq!(support::http::post_json(ports.http, "/api/rooms", &open).await.status, 201);
    let mut anna = Signalling::connect(ports.http, "/ws").await;
    anna.send(json!({ "type": "station", "name": "Anna", "rooms": ["study", "kitchen"] })).await;
    anna.expect("station").await;
    assert_eq!(record(&mut anna, "study").await.1["code"], "no_station");
}

/// The program with its data folder on a disk of this size.
fn on_a_small_disk(folder: &Path, bytes: u64) -> Command {
    let program = program();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c"]);
    command.arg("mount -t tmpfs -o size=$2 none \"$1\" && program=$3 && shift 3 && exec \"$program\" \"$@\"");
    command.arg("sh").arg(folder).arg(bytes.to_string()).arg(program.as_std().get_program());
    for (name, value) in program.as_std().get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.kill_on_drop(true).stdout(Stdio::piped());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_whoever_speaks_is_told_that_it_is_lost_and_all_else_is_still_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = format!("--data-dir={}", folder.path().display());
    let flags = [&*data, "--tls-mode=off", "--rooms-intercom=Kitchen"];
    let (child, ports) = start_command(on_a_small_disk(folder.path(), 8 << 20), &flags).await;
    let inside = format!("/proc/{}/root{}", child.id().expect("running"), folder.path().display());
    let (mut anna, _) = device(ports, "Anna", None).await;
    let (kept, said) = leave(&mut anna, "kitchen", 440.0, 50).await;
    // Meanwhile somebody else fills it to the last byte.
    let filler = format!("{inside}/filler");
    let mut file = std::fs::File::create(&filler).expect("made");
    while file.write_all(&[1; 4_096]).is_ok() {}
    let mut failed = 0;
    // What the database has to spare is used first.
    for _ in 0..20 {
        let (peer, recording) = record(&mut anna, "kitchen").await;
        say(&peer, &recording, 440.0, 300).await;
        anna.send(json!({ "type": "send_voice_message" })).await;
        let told = loop {
            let told = anna.next().await.expect("an open socket");
            if ["voice_message_over", "error"].contains(&told["type"].as_str().expect("a type")) {
                break told;
            }
        };
        if told["type"] == "error" {
            assert_eq!(told["code"], "not_kept", "{told}");
            failed += 1;
            break;
        }
    }
    assert_eq!(failed, 1, "the disk is full");
    assert_eq!(metric(ports, "voice_messages_failed").await, 1);
    assert_eq!(packets_in(&get(ports.http, &path_of(&kept, "/speech.ogg")).await.body), said);
    drop(file);
    std::fs::remove_file(&filler).expect("removed");
    let (next, said) = leave(&mut anna, "kitchen", 440.0, 50).await;
    assert_eq!(
        packets_in(&get(ports.http, &path_of(&next, "/speech.ogg")).await.body),
        said,
        "it goes on where there is room"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_removed_takes_its_messages_with_it_and_the_next_of_its_name_has_none() {
    let (_child, ports, _folder) = house(&[]).await;
    let (away, _) = device(ports, "Hall", None).await;
    let (mut anna, _) = device(ports, "Anna", None).await;
    let (left, _) = leave(&mut anna, "hall", 440.0, 20).await;
    away.close().await;
    let forget = async || request(ports.http, "DELETE /api/stations/hall HTTP/1.1", &[], PATIENCE).await.status;
    assert_eq!(forget().await, 204);
    until(async || get(ports.http, &path_of(&left, "/speech.ogg")).await.status == 404).await;
    let (mut next, _) = device(ports, "Hall", None).await;
    assert_eq!(messages(&mut next, 0).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_said_when_the_daemon_is_ended_is_kept() {
    let (mut child, ports, folder) = house(&[]).await;
    let (mut anna, _) = device(ports, "Anna", None).await;
    let (peer, recording) = record(&mut anna, "kitchen").await;
    let said = say(&peer, &recording, 440.0, 50).await;
    end(&mut child).await;
    let (_child, ports) = restarted(folder.path(), &[]).await;
    let left = get(ports.http, "/api/voice-messages").await.json()["voice_messages"][0].clone();
    assert_eq!(packets_in(&get(ports.http, &path_of(&left, "/speech.ogg")).await.body), said);
}
