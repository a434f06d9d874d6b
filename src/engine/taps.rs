//! Taps: packets of streams for those on this machine who decode or keep them.

use std::convert::Infallible;

use tokio::sync::{mpsc, oneshot};

use crate::domain::{OpusPacket, RoomId, StreamId, Track};

use super::NewTrack;
use super::media::Media;

/// Packets of a stream that may wait for its decoder: 2.5 s of audio. A tap that is full loses packets.
const TAP_QUEUE: usize = 128;

/// Way of a stream's packets to one who wants them, until the stream is over.
pub(super) struct Tap {
    packets: mpsc::Sender<OpusPacket>,
    /// Gone with it, for whoever does not wait for each packet. After the packets: they are all there then.
    _over: Option<oneshot::Sender<Infallible>>,
}

impl Media {
    /// Lets whoever records have a stream from its beginning. What is said in other rooms than `home` is not for
    /// everybody in the house, who may all hear the clips; voice messages are for those to whom they are left.
    pub(super) fn record(&mut self, stream: Track) {
        let recorder = match stream.room {
            RoomId::HOME => &self.outlets.new_tracks,
            RoomId::MAILBOX => &self.outlets.voice_messages,
            _ => return,
        };
        if recorder.is_closed() {
            return;
        }
        let stream = stream.id;
        let Ok(place) = recorder.try_reserve() else {
            tracing::warn!(%stream, "too many streams began at once: this one is not recorded");
            return;
        };
        let ((sender, packets), (over, ended)) = (mpsc::channel(TAP_QUEUE), oneshot::channel());
        self.taps.entry(stream).or_default().push(Tap { packets: sender, _over: Some(over) });
        place.send(NewTrack { stream, owner: self.owner_of(stream), packets, ended });
    }

    pub(super) fn tap(&mut self, stream: StreamId) -> Option<mpsc::Receiver<OpusPacket>> {
        if !self.relay.set_tapped(stream, true) {
            return None;
        }
        let (sender, receiver) = mpsc::channel(TAP_QUEUE);
        self.taps.entry(stream).or_default().push(Tap { packets: sender, _over: None });
        Some(receiver)
    }

    pub(super) fn feed_taps(&mut self, stream: StreamId, packet: &OpusPacket) {
        let Some(taps) = self.taps.get_mut(&stream) else {
            // A relay taps all that begins, and nobody wants this one.
            self.relay.set_tapped(stream, false);
            return;
        };
        let overflows = &mut self.tap_overflows;
        taps.retain(|tap| match tap.packets.try_send(packet.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                *overflows += 1;
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        });
        if taps.is_empty() {
            self.taps.remove(&stream);
            self.relay.set_tapped(stream, false);
        }
    }
}
