//! How peers go on and end: what a session said, what a timer said, what a client wanted.

use std::time::Duration;

use crate::domain::PeerId;

use super::session::{Over, Purpose, Session, SessionOutput};
use super::{Context, PeerEvent, Peers};
use crate::core::packet::PathReport;
use crate::core::{Event, Output};

/// A session is woken no sooner than this: the resolution of the timer above us.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// Reason for the end of a peer connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Its client asked for it, or its signalling connection closed.
    Requested,
    /// The remote closed the connection.
    RemoteClosed,
    /// The remote's ICE checks stopped.
    ConsentLost,
    /// A sender of whom nothing was heard any more.
    Vanished,
    /// ICE and DTLS did not complete in time: [`CONNECT_TIMEOUT`](super::CONNECT_TIMEOUT), and more for files.
    ConnectTimeout,
    /// The answer could not be used.
    Refused,
    /// Another connection took its stream over.
    Replaced,
    /// The stream that it heard has ended.
    StreamEnded,
    /// The clean-up found it idle.
    Stale,
    /// Its session failed or panicked; logged where it happened.
    Failed,
}

impl Peers {
    /// Deals with what a session said. Leaves `output` empty.
    pub(super) fn process(&mut self, cx: &mut Context, id: PeerId, output: &mut SessionOutput) {
        let Some(peer) = self.table.get_mut(&id) else { return };
        cx.outbox.extend(output.transmits.drain(..).map(Output::Transmit));
        if std::mem::take(&mut output.connected) {
            peer.connected = true;
            cx.stats.joins += 1;
            cx.stats.join_duration.observe(cx.now.saturating_duration_since(peer.created));
            self.events.push_back(PeerEvent::Connected(id));
        }
        if !output.packets.is_empty() {
            peer.liveness.datagram = cx.now;
            peer.liveness.media = cx.now;
            self.events.extend(output.packets.drain(..).map(|packet| PeerEvent::Packet(id, packet)));
        }
        if !output.video.is_empty() {
            peer.liveness.datagram = cx.now;
            peer.liveness.media = cx.now;
            self.events.extend(output.video.drain(..).map(|packet| PeerEvent::Video(id, Box::new(packet))));
        }
        self.events.extend(output.keyframe_requests.drain(..).map(|mid| PeerEvent::KeyframeRequest(id, mid)));
        let path = std::mem::take(&mut output.path);
        if path != PathReport::default() && peer.purpose == Purpose::Video {
            self.events.push_back(PeerEvent::Path(id, path));
        }
        self.events.extend(output.reception.take().map(|report| PeerEvent::Reception(id, report)));
        let retransmitted = std::mem::take(&mut output.retransmitted);
        cx.stats.packets_retransmitted += retransmitted.sent;
        cx.stats.retransmissions_refused += retransmitted.refused;
        self.events.extend(output.channel.drain(..).map(|event| PeerEvent::Channel(id, event)));
        match output.over.take().filter(|over| !self.survives(cx, id, *over)) {
            Some(over) => self.on_closed(cx, id, over),
            None => self.reschedule(cx, id),
        }
    }

    /// ICE gives up what it has tried to connect by sooner than we give up the client. And it gives up those who send
    /// no checks, as some programs do: whoever talks is heard all the same, since only to be sent something one has to
    /// consent (RFC 7675). From then on its packets alone tell whether it is there.
    fn survives(&mut self, cx: &Context, id: PeerId, over: Over) -> bool {
        let Some(peer) = self.table.get_mut(&id).filter(|_| over == Over::ConsentLost) else { return false };
        if peer.is_talking(cx.now) {
            peer.is_unattended = false;
            return true;
        }
        !peer.connected && peer.is_sent_files()
    }

    /// A session ended by itself.
    fn on_closed(&mut self, cx: &mut Context, id: PeerId, over: Over) {
        let reason = match over {
            Over::RemoteClosed => CloseReason::RemoteClosed,
            Over::ConsentLost if self.table.get(&id).is_some_and(|peer| !peer.connected) => CloseReason::ConnectTimeout,
            Over::ConsentLost => CloseReason::ConsentLost,
            Over::Failed => CloseReason::Failed,
            Over::Panicked => {
                cx.stats.peer_panics += 1;
                tracing::error!(peer = %id, "a WebRTC session panicked: its peer is dropped, please report this");
                CloseReason::Failed
            }
        };
        self.remove(cx, id, reason);
    }

    fn reschedule(&mut self, cx: &Context, id: PeerId) {
        let Some(peer) = self.table.get_mut(&id) else { return };
        let mut deadline = peer.session.deadline();
        if !peer.connected {
            deadline = deadline.min(peer.connect_deadline());
        } else if let Some(at) = peer.vanishes_at(self.publisher_timeout) {
            deadline = deadline.min(at);
        }
        // A session that wants to be woken at once, again and again, must not hold up the others.
        let deadline = deadline.max(cx.now + MIN_WAIT);
        self.timers.schedule(id, deadline, &mut peer.scheduled);
    }

    /// Wakes every peer whose time has come.
    pub(in crate::core) fn wake(&mut self, cx: &mut Context) {
        while let Some((at, id)) = self.timers.pop_due(cx.now) {
            let Some(peer) = self.table.get_mut(&id) else { continue };
            if peer.scheduled != Some(at) {
                continue;
            }
            peer.scheduled = None;
            match self.overdue(cx, id) {
                Some(reason) => self.close(cx, id, reason),
                None => self.drive(cx, id, Session::advance),
            }
        }
    }

    /// Whether the peer's time is up, and why.
    fn overdue(&self, cx: &Context, id: PeerId) -> Option<CloseReason> {
        let peer = self.table.get(&id)?;
        if !peer.connected {
            return (cx.now >= peer.connect_deadline()).then_some(CloseReason::ConnectTimeout);
        }
        let vanished = peer.vanishes_at(self.publisher_timeout).is_some_and(|at| cx.now >= at);
        vanished.then_some(CloseReason::Vanished)
    }

    /// Ends a peer from our side, telling the remote. Unknown ones have ended already.
    pub(in crate::core) fn close(&mut self, cx: &mut Context, id: PeerId, reason: CloseReason) {
        let Some(peer) = self.table.get_mut(&id) else { return };
        let mut output = self.scratch.take().unwrap_or_default();
        peer.session.close(&mut output);
        cx.outbox.extend(output.transmits.drain(..).map(Output::Transmit));
        // What else it says is of no interest any more.
        output.clear();
        self.scratch = Some(output);
        self.remove(cx, id, reason);
    }

    fn remove(&mut self, cx: &mut Context, id: PeerId, reason: CloseReason) {
        let Some(peer) = self.table.remove(&id) else { return };
        self.demux.remove(id, &peer.routes);
        cx.stats.joins_failed += u64::from(!peer.connected && reason == CloseReason::ConnectTimeout);
        cx.tell(Event::PeerClosed(id, reason));
        self.events.push_back(PeerEvent::Closed(id));
    }
}
