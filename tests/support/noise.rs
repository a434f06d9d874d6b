//! Home Assistant's side of ESPHome's encryption: a handshake with the key, and packets afterwards.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use snow::{Builder, TransportState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Greets a node with this key; what it says, where it does not take it.
pub async fn shake_hands(socket: &mut TcpStream, key: &str) -> Result<TransportState, String> {
    let key = BASE64_STANDARD.decode(key).expect("base64").try_into().expect("32 bytes");
    let builder = Builder::new("Noise_NNpsk0_25519_ChaChaPoly_SHA256".parse().expect("a pattern"));
    let builder = builder.prologue(b"NoiseAPIInit\0\0").expect("once").psk(0, &key).expect("once");
    let (mut noise, mut hand) = (builder.build_initiator().expect("whole"), [0; 256]);
    let length = noise.write_message(&[], &mut hand).expect("written");
    send_packet(socket, &[]).await.map_err(|error| error.to_string())?;
    send_packet(socket, &[&[0], &hand[..length]].concat()).await.map_err(|error| error.to_string())?;
    let hello = read_packet(socket).await.map_err(|error| error.to_string())?;
    assert!(hello.starts_with(b"\x01voice-relay\0"), "{hello:?}");
    let answer = read_packet(socket).await.map_err(|error| error.to_string())?;
    match answer.split_first() {
        Some((0, rest)) => noise.read_message(rest, &mut hand).map_err(|error| error.to_string())?,
        _ => return Err(String::from_utf8_lossy(&answer[1..]).into_owned()),
    };
    Ok(noise.into_transport_mode().expect("both have the key"))
}

pub async fn send_packet(socket: &mut TcpStream, payload: &[u8]) -> std::io::Result<()> {
    let length = u16::try_from(payload.len()).expect("short").to_be_bytes();
    socket.write_all(&[&[1], &length[..], payload].concat()).await
}

pub async fn read_packet(socket: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    assert_eq!(socket.read_u8().await?, 1, "encrypted");
    let mut payload = vec![0; socket.read_u16().await?.into()];
    socket.read_exact(&mut payload).await?;
    Ok(payload)
}
