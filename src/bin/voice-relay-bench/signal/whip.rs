//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): the client offers, one POST each way; DELETE ends it.

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::{StatusCode, Url};
use str0m::media::Direction;

use super::{Call, SignalError, Signalling};
use crate::peer::ClientPeer;
use crate::voice::{PTIME, SentLog};

const SDP: &str = "application/sdp";

/// A stream is there when so many of its packets were sent.
const BEGINNING: u64 = 10;

/// A session's own address.
pub(crate) struct SessionUrl {
    http: reqwest::Client,
    address: Url,
}

pub(super) async fn publish(to: &Signalling, name: &str, peer: &mut ClientPeer) -> Result<(String, Call), SignalError> {
    let offer = peer.offer(Direction::SendOnly);
    let call = negotiate(to, &format!("whip/{name}"), offer, peer).await?;
    Ok((name.into(), call))
}

pub(super) async fn hear(to: &Signalling, stream: &str, peer: &mut ClientPeer) -> Result<Call, SignalError> {
    let offer = peer.offer(Direction::RecvOnly);
    negotiate(to, &format!("whep/{stream}"), offer, peer).await
}

async fn negotiate(to: &Signalling, path: &str, offer: String, peer: &mut ClientPeer) -> Result<Call, SignalError> {
    let address = format!("http://{}/{path}", to.server);
    let request = to.http.post(&address).header(CONTENT_TYPE, SDP).header(ACCEPT, SDP).body(offer);
    let answer = request.send().await?;
    let (status, own, base) = (answer.status(), answer.headers().get(LOCATION).cloned(), answer.url().clone());
    let description = answer.text().await?;
    if status != StatusCode::CREATED {
        return Err(SignalError::Refused(format!("{status}, {}", description.trim())));
    }
    peer.accept_answer(&description, to.server.ip())?;
    let location = own.as_ref().and_then(|own| own.to_str().ok()).and_then(|own| base.join(own).ok());
    let is_here = |address: &Url| address.origin() == base.origin();
    let address =
        location.filter(is_here).ok_or_else(|| SignalError::Refused("201 without the session's Location".into()))?;
    Ok(Call::Resource(SessionUrl { http: to.http.clone(), address }))
}

/// Waits until the sender is well under way.
pub(super) async fn wait_for(log: &SentLog) -> Result<(), SignalError> {
    while log.sent() < BEGINNING {
        tokio::time::sleep(PTIME).await;
    }
    Ok(())
}

impl SessionUrl {
    pub(super) async fn delete(self) -> Result<(), SignalError> {
        let answer = self.http.delete(self.address).send().await?;
        // It may have ended by itself.
        let is_gone = answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND;
        if is_gone { Ok(()) } else { Err(SignalError::Refused(answer.status().to_string())) }
    }
}
