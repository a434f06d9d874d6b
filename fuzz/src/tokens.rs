//! Tokens, as they come in a path or a header.

use std::cell::OnceCell;
use std::fs;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;
use tempfile::TempDir;
use voice_relay::access::Tokens;
use voice_relay::data::DataFolder;

/// The relay's key: known here, so that claims of every shape can be signed.
const KEY: [u8; 32] = [7; 32];

thread_local! {
    static TOKENS: OnceCell<(Tokens, TempDir)> = const { OnceCell::new() };
}

/// The bytes as a token, which none of them are; and, if they are JSON, as what a token says.
pub fn tokens(data: &[u8]) {
    TOKENS.with(|tokens| {
        let (tokens, _folder) = tokens.get_or_init(make);
        assert!(tokens.verify(&String::from_utf8_lossy(data)).is_err(), "a forged token was taken");
        if let Ok(claims) = serde_json::from_slice::<Value>(data) {
            let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&KEY));
            if let Ok(claims) = tokens.verify(&token.expect("JSON can be signed")) {
                assert!(claims.exp > 1_700_000_000, "a token of old was taken");
            }
        }
    });
}

fn make() -> (Tokens, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("token.key"), KEY).expect("written");
    (Tokens::new(DataFolder::new(folder.path().into())), folder)
}
