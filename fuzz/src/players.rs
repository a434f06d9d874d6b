//! What media players ask for.

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
    if let Some((burst, messages)) = fuzzing::wish(file, &query) {
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
