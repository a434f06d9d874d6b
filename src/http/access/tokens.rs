//! Signed permissions (JWT, RFC 7519): who holds one may do what it says until it expires or is revoked.
//! The key is made at the first use and never leaves the data folder.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::data::DataFolder;

/// The key's file, and the file of what was revoked.
const KEY: &str = "token.key";
const REVOKED: &str = "revoked-tokens.json";

/// Bytes of the key: as many as the signature's hash has (RFC 7518 3.2).
const KEY_BYTES: usize = 32;

/// Of a name in a token.
const MAX_NAME: usize = 64;

/// One thing that may be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To hear.
    Listen,
    /// To speak.
    Talk,
    /// To change what is the same for all: volumes, clips.
    Admin,
    /// To make tokens for others.
    Share,
}

impl Scope {
    /// What one is told who may not.
    pub(in crate::http) fn lacking(self) -> &'static str {
        match self {
            Self::Listen => "Listening needs a token here; ask for a share link",
            Self::Talk => "Talking needs a token here; ask for a share link",
            Self::Admin => "Changing this needs a token with the scope admin",
            Self::Share => "Links are shared from Home Assistant, or with a token of the scope share",
        }
    }
}

/// What somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// What everybody in the house may.
    pub fn household() -> Self {
        [Scope::Listen, Scope::Talk, Scope::Admin].into_iter().collect()
    }

    /// Everything.
    pub fn all() -> Self {
        [Scope::Listen, Scope::Talk, Scope::Admin, Scope::Share].into_iter().collect()
    }

    /// Whether this is permitted.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

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
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Forged => "This link is not one of this voice relay; ask for a new one",
            Self::Expired => "This link has expired; ask for a new one",
            Self::Revoked => "This link was withdrawn; ask for a new one",
        }
    }
}

/// Makes tokens and checks them.
#[derive(Debug)]
pub struct Tokens {
    folder: DataFolder,
    known: Mutex<Known>,
}

/// What was read from the files, which another process may change.
#[derive(Debug, Default)]
struct Known {
    key: Option<Vec<u8>>,
    revoked: BTreeSet<Uuid>,
    revoked_read: Option<SystemTime>,
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
        match claims {
            Claims { exp, .. } if exp <= unix(now) => Err(TokenError::Expired),
            Claims { jti, .. } if self.is_revoked(jti) => Err(TokenError::Revoked),
            claims => Ok(claims),
        }
    }

    /// Takes a token back, for good.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn revoke(&self, token: Uuid) -> io::Result<()> {
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
        known.key = Some(key.clone());
        Ok(key)
    }

    fn is_revoked(&self, token: Uuid) -> bool {
        let path = self.folder.file(REVOKED);
        let written = path.metadata().and_then(|file| file.modified()).ok();
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
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn tokens(folder: &tempfile::TempDir) -> Tokens {
        Tokens::new(DataFolder::new(folder.path().into()))
    }

    fn claims(now: SystemTime) -> Claims {
        Claims::new(Scopes::from_iter([Scope::Listen]), None, Some("Grandma\n".into()), now, DAY)
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let (folder, now) = (tempfile::tempdir().expect("a folder"), SystemTime::now());
        let tokens = tokens(&folder);
        let token = tokens.sign(&claims(now)).expect("signed");
        let read = tokens.verify_at(&token, now).expect("good");
        assert!(read.scope.contains(Scope::Listen) && !read.scope.contains(Scope::Talk));
        assert_eq!(read.name.as_deref(), Some("Grandma"));
        assert!(tokens.verify_at(&token, now + DAY - Duration::from_secs(2)).is_ok());
        assert_eq!(tokens.verify_at(&token, now + DAY), Err(TokenError::Expired));
    }

    #[test]
    fn a_token_of_another_relay_or_changed_or_unsigned_is_forged() {
        let (ours, theirs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let (tokens, others) = (tokens(&ours), tokens(&theirs));
        let token = others.sign(&claims(SystemTime::now())).expect("signed");
        let unsigned = "eyJhbGciOiJub25lIn0.eyJqdGkiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDEiLCJzY29wZSI6WyJ0YWxrIl0sImV4cCI6OTk5OTk5OTk5OX0.";
        for forged in [token.as_str(), unsigned, "", "a.b.c", "ä"] {
            assert_eq!(tokens.verify(forged), Err(TokenError::Forged), "{forged}");
        }
    }

    #[test]
    fn a_revoked_token_is_refused_at_once_also_when_another_process_revoked_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (daemon, command_line) = (tokens(&folder), tokens(&folder));
        let (first, second) = (claims(SystemTime::now()), claims(SystemTime::now()));
        let signed = [&first, &second].map(|claims| command_line.sign(claims).expect("signed"));
        assert_eq!(daemon.verify(&signed[0]).as_ref(), Ok(&first));
        command_line.revoke(first.jti).expect("revoked");
        assert_eq!(daemon.verify(&signed[0]), Err(TokenError::Revoked));
        assert_eq!(daemon.verify(&signed[1]), Ok(second));
    }

    #[test]
    fn while_it_cannot_be_known_what_was_revoked_no_token_is_good_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let tokens = tokens(&folder);
        let token = tokens.sign(&claims(SystemTime::now())).expect("signed");
        std::fs::write(folder.path().join(REVOKED), "[\"half").expect("written");
        assert_eq!(tokens.verify(&token), Err(TokenError::Revoked));
        assert!(tokens.revoke(Uuid::new_v4()).is_err());
        std::fs::remove_file(folder.path().join(REVOKED)).expect("removed");
        assert!(tokens.verify(&token).is_ok());
    }
}
