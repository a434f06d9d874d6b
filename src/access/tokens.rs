//! Signed permissions (JWT, RFC 7519): who holds one may do what it says until it expires or is revoked.
//! The key is made at the first use and never leaves the data folder.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::data::DataFolder;

use super::action::Scopes;
use super::visitor::{TokenId, Visitor};

/// The key's file, and the file of what was revoked.
const KEY: &str = "token.key";
const REVOKED: &str = "revoked-tokens.json";

/// Bytes of the key: as many as the signature's hash has (RFC 7518 3.2).
const KEY_BYTES: usize = 32;

/// Of a name in a token.
const MAX_NAME: usize = 64;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Its own name, for revoking it.
    pub jti: Uuid,
    /// What its holder may do.
    pub scope: Scopes,
    /// In this room alone; in every room without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// How its holder is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Until when, in seconds since 1970.
    pub exp: u64,
}

impl Claims {
    /// A new token's claims, from now on for so long.
    pub fn new(scope: Scopes, room: Option<String>, name: Option<String>, now: SystemTime, life: Duration) -> Self {
        let name = name.map(|name| name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect());
        Self { jti: Uuid::new_v4(), scope, room, name, exp: unix(now + life) }
    }

    /// Claims that somebody with these may give to another one: for the same room at most, and for as long at most.
    ///
    /// # Errors
    /// When they would permit more than that, and what.
    pub fn child_of(mut self, visitor: &Visitor) -> Result<Self, Exceeds> {
        if self.scope.iter().any(|scope| !visitor.scopes.contains(scope)) {
            return Err(Exceeds::Scope);
        }
        match (&visitor.room, &self.room) {
            (Some(own), Some(wanted)) if own != wanted => return Err(Exceeds::Room),
            (Some(own), None) => self.room = Some(own.clone()),
            _ => {}
        }
        if let Some(token) = visitor.token {
            self.exp = self.exp.min(token.expires);
        }
        Ok(self)
    }

    /// Which token this is.
    pub fn id(&self) -> TokenId {
        TokenId { id: self.jti, expires: self.exp }
    }
}

/// Somebody wants to permit more than they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeds {
    /// Something that they may not do themselves.
    #[error("You cannot permit what you may not do yourself")]
    Scope,
    /// In a room where they may not.
    #[error("Your link is for one room, and so are those that you make")]
    Room,
}

/// A token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not signed by us, or no token at all.
    #[error("the token is not one of this relay")]
    Forged,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It was taken back.
    #[error("the token was revoked")]
    Revoked,
}

impl TokenError {
    /// What its holder is told.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Forged => "This link is not one of this voice relay; ask for a new one",
            Self::Expired => "This link has expired; ask for a new one",
            Self::Revoked => "This link was revoked; ask for a new one",
        }
    }
}

/// Makes tokens and checks them.
#[derive(Debug)]
pub struct Tokens {
    folder: DataFolder,
    known: Mutex<ReadTokens>,
}

/// What was read from the files, which another process may change.
#[derive(Debug, Default)]
struct ReadTokens {
    key: Option<Vec<u8>>,
    revoked: BTreeSet<Uuid>,
    /// Which file that was.
    revoked_read: Option<(SystemTime, u64)>,
}

impl Tokens {
    /// The tokens of this data folder.
    pub fn new(folder: DataFolder) -> Self {
        Self { folder, known: Mutex::default() }
    }

    /// Signs a token.
    ///
    /// # Errors
    /// When the key can neither be read nor made.
    pub fn sign(&self, claims: &Claims) -> io::Result<String> {
        let key = EncodingKey::from_secret(&self.key()?);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).map_err(io::Error::other)
    }

    /// What a token permits now.
    ///
    /// # Errors
    /// When it permits nothing, and why.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        self.verify_at(token, SystemTime::now())
    }

    fn verify_at(&self, token: &str, now: SystemTime) -> Result<Claims, TokenError> {
        let Ok(key) = self.key() else { return Err(TokenError::Forged) };
        let mut rules = Validation::new(Algorithm::HS256);
        // By our own clock below, to the second.
        rules.validate_exp = false;
        rules.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&key), &rules)
            .map_err(|_| TokenError::Forged)?
            .claims;
        self.check(claims.id(), now).map(|()| claims)
    }

    /// Whether a token that was good is so still.
    ///
    /// # Errors
    /// When it is not, and why.
    pub fn check(&self, token: TokenId, now: SystemTime) -> Result<(), TokenError> {
        match token {
            TokenId { expires, .. } if expires <= unix(now) => Err(TokenError::Expired),
            TokenId { id, .. } if self.is_revoked(id) => Err(TokenError::Revoked),
            _ => Ok(()),
        }
    }

    /// Takes a token back, for good.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn revoke(&self, token: Uuid) -> io::Result<()> {
        // The command line revokes, too, while the daemon does.
        let _lock = self.folder.lock(REVOKED)?;
        let mut revoked = read_revoked(&self.folder.file(REVOKED))?;
        revoked.insert(token);
        self.folder.write(REVOKED, &serde_json::to_vec(&revoked)?)
    }

    fn key(&self) -> io::Result<Vec<u8>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &known.key {
            return Ok(key.clone());
        }
        let key = self.folder.read_or_make(KEY, || {
            let mut key = vec![0; KEY_BYTES];
            getrandom::fill(&mut key).map_err(io::Error::other)?;
            Ok(key)
        })?;
        check_key(&key, &self.folder.file(KEY))?;
        known.key = Some(key.clone());
        Ok(key)
    }

    /// Looks at the key, if there is one already: to be called at the start, so that a damaged one is known then.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn check_key_file(&self) -> io::Result<()> {
        let path = self.folder.file(KEY);
        match std::fs::read(&path) {
            Ok(key) => check_key(&key, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn is_revoked(&self, token: Uuid) -> bool {
        let path = self.folder.file(REVOKED);
        // Each change is another file in the same place: two within one tick of its clock have two numbers.
        let written = path.metadata().and_then(|file| Ok((file.modified()?, file.ino()))).ok();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if written != known.revoked_read {
            match read_revoked(&path) {
                Ok(revoked) => known.revoked = revoked,
                Err(error) => {
                    tracing::error!(%error, path = %path.display(), "cannot read which tokens were revoked: none is taken");
                    return true;
                }
            }
            known.revoked_read = written;
        }
        known.revoked.contains(&token)
    }
}

/// A key that a crash, or a full disk, left empty or as zeros would let anybody sign.
fn check_key(key: &[u8], path: &Path) -> io::Result<()> {
    if key.len() == KEY_BYTES && key.iter().any(|byte| *byte != 0) {
        return Ok(());
    }
    let path = path.display();
    Err(io::Error::other(format!(
        "{path} is damaged: a key has {KEY_BYTES} bytes, not all of them zero. No link is taken and none is made; delete \
         the file for a new key, with which all links of before are void"
    )))
}

/// Whichever tokens were revoked; an error when that cannot be known.
fn read_revoked(path: &Path) -> io::Result<BTreeSet<Uuid>> {
    match std::fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
