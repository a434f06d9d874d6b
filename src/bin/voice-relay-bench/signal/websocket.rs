//! The WebSocket protocol: the client offers when it sends, the server when the client receives.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use str0m::media::Direction;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::{Call, SignalError};
use crate::peer::ClientPeer;

/// An open socket, read by a task of its own so that pings are answered.
pub(crate) struct SignalSocket {
    leave: oneshot::Sender<()>,
    reader: JoinHandle<Result<(), SignalError>>,
    /// Tells that the sender's own stream can be heard.
    available: Option<oneshot::Receiver<()>>,
}

/// A socket whose frames somebody waits for.
struct Talk(WebSocketStream<TcpStream>);

pub(super) async fn publish(
    server: SocketAddr,
    name: &str,
    peer: &mut ClientPeer,
) -> Result<(String, Call), SignalError> {
    let mut talk = Talk::open(server).await?;
    talk.say(&json!({ "type": "start_sending", "name": name })).await?;
    let ready = talk.expect("sender_ready").await?;
    let stream = format!("stream_{}", text(&ready["connection_id"])?);
    let offer = peer.offer(Direction::SendOnly);
    talk.say(&json!({ "type": "webrtc_offer", "offer": { "type": "offer", "sdp": offer } })).await?;
    let answer = talk.expect("webrtc_answer").await?;
    peer.accept_answer(text(&answer["answer"]["sdp"])?, server.ip())?;
    let call = Call::Socket(talk.stay(Some(stream.clone())));
    Ok((stream, call))
}

pub(super) async fn hear(server: SocketAddr, stream: &str, peer: &mut ClientPeer) -> Result<Call, SignalError> {
    let mut talk = Talk::open(server).await?;
    talk.say(&json!({ "type": "start_receiving", "stream_id": stream })).await?;
    let offer = talk.expect("webrtc_offer").await?;
    let answer = peer.accept_offer(text(&offer["offer"]["sdp"])?, server.ip())?;
    talk.say(&json!({ "type": "webrtc_answer", "answer": { "type": "answer", "sdp": answer } })).await?;
    Ok(Call::Socket(talk.stay(None)))
}

impl Talk {
    async fn open(server: SocketAddr) -> Result<Self, SignalError> {
        let connection = TcpStream::connect(server).await?;
        connection.set_nodelay(true)?;
        let (socket, _) = tokio_tungstenite::client_async(format!("ws://{server}/ws"), connection).await?;
        Ok(Self(socket))
    }

    async fn say(&mut self, message: &Value) -> Result<(), SignalError> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    /// The next frame of this type; an error that comes instead is ours.
    async fn expect(&mut self, kind: &str) -> Result<Value, SignalError> {
        loop {
            let Some(frame) = self.next().await? else { continue };
            match frame["type"].as_str() {
                Some(told) if told == kind => return Ok(frame),
                Some("error") => return Err(SignalError::Refused(frame["message"].to_string())),
                _ => {}
            }
        }
    }

    /// The next frame; `None` when it is none of the protocol.
    async fn next(&mut self) -> Result<Option<Value>, SignalError> {
        match self.0.next().await.ok_or(SignalError::Closed)?? {
            Message::Text(text) => Ok(serde_json::from_str(&text).ok()),
            Message::Close(_) => Err(SignalError::Closed),
            _ => Ok(None),
        }
    }

    /// Keeps the socket; tells when this stream can be heard.
    fn stay(mut self, stream: Option<String>) -> SignalSocket {
        let (leave, mut left) = oneshot::channel();
        let (tell, available) = oneshot::channel();
        let reader = tokio::task::spawn_local(async move {
            let mut awaited = stream.map(|stream| (stream, tell));
            loop {
                tokio::select! {
                    _ = &mut left => return Ok(self.0.close(None).await?),
                    frame = self.0.next() => {
                        let Message::Text(frame) = frame.ok_or(SignalError::Closed)?? else { continue };
                        if let Some((stream, tell)) = awaited.take_if(|(stream, _)| announces(&frame, stream)) {
                            tracing::debug!(stream, "can be heard");
                            let _ = tell.send(());
                        }
                    }
                }
            }
        });
        SignalSocket { leave, reader, available: Some(available) }
    }
}

impl SignalSocket {
    /// Waits until the sender's stream can be heard.
    pub(super) async fn wait_for(&mut self, stream: &str) -> Result<(), SignalError> {
        let Some(available) = self.available.take() else { return Ok(()) };
        available.await.map_err(|_| SignalError::Refused(format!("{stream} ended before it could be heard")))
    }

    pub(super) async fn close(self) -> Result<(), SignalError> {
        drop(self.leave);
        self.reader.await.unwrap_or(Ok(()))
    }
}

/// Whether a frame says that this stream can be heard. Most frames are not parsed: a thousand receivers get many.
fn announces(frame: &str, stream: &str) -> bool {
    frame.contains("stream_available") && frame.contains(stream)
}

fn text(value: &Value) -> Result<&str, SignalError> {
    value.as_str().ok_or_else(|| SignalError::Refused("its message lacks a field of docs/protocol.md".into()))
}
