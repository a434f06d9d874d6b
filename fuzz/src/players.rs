//! What media players ask for, and what clients of WHIP patch.

use std::collections::HashMap;

use voice_relay::http::fuzzing;
use warp::http::HeaderValue;

/// Samples of the longest burst that may be asked for.
const MOST_SAMPLES: usize = 480_000;

/// A file name, and a query behind a question mark. Whatever is asked for is bounded.
pub fn wishes(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (file, query) = text.split_once('?').unwrap_or((&text, ""));
    let pair = |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    let query: HashMap<_, _> = query.split('&').filter_map(pair).collect();
    if let Some((burst, messages)) = fuzzing::request(file, &query) {
        assert!(burst <= MOST_SAMPLES);
        assert!((1..=100).contains(&messages));
    }
}

/// The length of a file, and a `Range` header. Whatever is given is within the file.
pub fn ranges(data: &[u8]) {
    let Some((length, value)) = data.split_first_chunk() else { return };
    let length = u32::from_be_bytes(*length) as usize;
    if let Ok(value) = HeaderValue::from_bytes(value)
        && let Some(range) = fuzzing::range(value, length)
    {
        assert!(range.start < range.end && range.end <= length, "{range:?} of {length}");
    }
}

/// An offer, a zero, and a fragment. A restart changes credentials in the offer, and adds nothing to it.
pub fn fragments(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (offer, fragment) = (String::from_utf8_lossy(&data[..end]), data.get(end + 1..).unwrap_or_default());
    if let Some(restarted) = fuzzing::restarted(&offer, fragment) {
        assert!(restarted.lines().count() <= offer.lines().count(), "{restarted:?} of {offer:?}");
    }
}
