//! `voice-relay token`: makes tokens, and takes them back.

use std::time::SystemTime;

use anyhow::Context;
use voice_relay::access::{Claims, Tokens};
use voice_relay::config::{Config, TokenCommand};
use voice_relay::data::DataFolder;

use super::print;

/// Makes a token and says how to use it, or takes one back.
pub(crate) fn token(command: &TokenCommand, config: &Config) -> anyhow::Result<()> {
    let tokens = Tokens::new(DataFolder::new(config.data_dir.clone()));
    let folder = || format!("cannot keep tokens in {}; data_dir sets where", config.data_dir.display());
    match command {
        TokenCommand::Revoke(id) => tokens.revoke(*id).with_context(folder),
        TokenCommand::Make { scopes, room, name, life } => {
            let scopes = scopes.iter().copied().collect();
            let claims = Claims::new(scopes, room.clone(), name.clone(), SystemTime::now(), *life);
            let token = tokens.sign(&claims).with_context(folder)?;
            let (page, mp3) = (config.http.port, config.mp3.port);
            print(&format!(
                "{token}\n\n\
                 page    http://<this machine>:{page}/t/{token}/\n\
                 player  http://<this machine>:{mp3}/t/{token}/stream/latest.mp3\n\
                 revoke  voice-relay token --revoke {}\n",
                claims.jti
            ))
        }
    }
}
