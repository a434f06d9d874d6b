//! Devices that leave voice messages, and remember what they have said.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::client::Voice;
use super::live::{Peer, Signalling, tone, until};

/// All packets that a voice has sent.
type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

fn remembered(mut voice: Voice) -> (Voice, Sent) {
    let sent = Sent::default();
    let own = Arc::clone(&sent);
    let remember = move |number| {
        let packet = voice(number);
        own.lock().expect("whole").push(packet.clone());
        packet
    };
    (Box::new(remember), sent)
}

/// Begins a message for a place; what the relay says to that.
pub async fn record(device: &mut Signalling, to: &str) -> (Peer, Value) {
    let peer = Peer::new(0.0).await;
    let offer = peer.with(|client, _| client.offer(false)).await;
    let offer = json!({ "type": "offer", "sdp": offer });
    device.send(json!({ "type": "record_voice_message", "to": to, "offer": offer })).await;
    loop {
        let told = device.next().await.expect("an open socket");
        if ["voice_message_recording", "error"].contains(&told["type"].as_str().expect("a type")) {
            return (peer, told);
        }
    }
}

/// Says so many packets; gives them all.
pub async fn say(peer: &Peer, recording: &Value, frequency: f64, packets: u64) -> Vec<Vec<u8>> {
    assert_eq!(recording["type"], "voice_message_recording", "{recording}");
    let answer = recording["answer"]["sdp"].as_str().expect("SDP").to_owned();
    let (voice, sent) = remembered(tone(frequency));
    peer.with(move |client, now| {
        client.accept_answer(&answer, now);
        client.voice = Some(voice);
        client.talk(now);
    })
    .await;
    until(async || peer.with(move |client, _| client.sent >= packets).await).await;
    peer.with(|client, _| client.pause()).await;
    sent.lock().expect("whole").clone()
}

/// Leaves a message; gives it, and what was said.
pub async fn leave(device: &mut Signalling, to: &str, frequency: f64, packets: u64) -> (Value, Vec<Vec<u8>>) {
    let (peer, recording) = record(device, to).await;
    let said = say(&peer, &recording, frequency, packets).await;
    device.send(json!({ "type": "send_voice_message" })).await;
    (device.expect("voice_message_over").await["voice_message"].clone(), said)
}
