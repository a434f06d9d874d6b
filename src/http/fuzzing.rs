//! A door for `fuzz/` alone: the readers of what clients write, which nobody else outside of this module needs.

use std::collections::HashMap;
use std::ops::Range;

use warp::http::{HeaderMap, HeaderValue};

use crate::core::Offer;

use super::player::PlayRequest;
use super::signalling::ClientMessage;

/// Whether this is a message of the signalling protocol.
pub fn is_message(text: &str) -> bool {
    serde_json::from_str::<ClientMessage>(text).is_ok()
}

/// Samples that a player gets at once, and messages at a time, if this is a file name and a query that we know.
pub fn request(file: &str, query: &HashMap<String, String>) -> Option<(usize, usize)> {
    let request = PlayRequest::of_file(file)?.with_query(query).ok()?;
    Some((request.burst.samples().len(), request.messages_a_write()))
}

/// The offer of a session that this fragment restarts, if it is one that does.
pub fn restarted(offer: &str, fragment: &[u8]) -> Option<String> {
    let credentials = super::whip::fragment::Fragment::parse(fragment).ok()?.credentials?;
    Some(Offer::to_hear(offer).renewed(&credentials).as_ref().to_owned())
}

/// The part of a file of this length that the value of a `Range` header asks for, if it is one that we give.
pub fn range(value: HeaderValue, length: usize) -> Option<Range<usize>> {
    let headers = HeaderMap::from_iter([(warp::http::header::RANGE, value)]);
    super::clips::range(&headers, length)?.ok()
}

/// Every type of message that a client may send, for the table of who may say what.
pub fn message_types() -> &'static [&'static str] {
    &ClientMessage::TYPES
}
