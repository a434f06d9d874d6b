//! The certificate that this house makes for itself, and its authority: kept in a folder, replaced when due.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::data::DataFolder;

use super::authority::{Authority, RENEWED_BEFORE_END};
use super::identity::Identity;
use super::names::Name;

const AUTHORITY: &str = "authority.pem";
const SERVER: &str = "server.pem";

/// A certificate of our own cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum OwnError {
    /// A file cannot be read, or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Made(#[from] rcgen::Error),
    /// A certificate that was just made cannot be read: a bug.
    #[error("a certificate that was just made cannot be used: {0}")]
    Unusable(#[from] super::identity::Unusable),
}

/// What this machine is called, at a moment.
pub(super) struct Machine {
    /// The name that it has itself.
    pub host: String,
    /// All that clients may call it.
    pub names: Vec<Name>,
}

/// An authority, and the certificate that it made.
pub(super) struct Own {
    folder: DataFolder,
    /// Certifies what is served.
    pub authority: Authority,
    /// What is served.
    pub identity: Identity,
}

impl Own {
    /// Reads both from the folder; makes what is not there, is broken or is due.
    ///
    /// # Errors
    /// When the folder cannot be read, or an authority cannot be kept.
    pub(super) fn open(folder: &DataFolder, machine: &Machine, now: SystemTime) -> Result<Self, OwnError> {
        let authority = open_authority(folder, machine, now)?;
        let kept = read(folder, SERVER)?.and_then(|text| Identity::read(text.as_bytes(), text.as_bytes()).ok());
        let identity = match kept.filter(|identity| !is_due(identity, &authority, &machine.names, now)) {
            Some(identity) => identity,
            None => issue(folder, &authority, &machine.names, now)?,
        };
        Ok(Self { folder: folder.clone(), authority, identity })
    }

    /// Replaces the certificate if it ends soon, or if the machine is called something that it does not say.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub(super) fn renew_if_due(&mut self, machine: &Machine, now: SystemTime) -> Result<(), OwnError> {
        if self.authority.is_due(now) {
            *self = Self::open(&self.folder, machine, now)?;
        } else if is_due(&self.identity, &self.authority, &machine.names, now) {
            self.identity = issue(&self.folder, &self.authority, &machine.names, now)?;
        }
        Ok(())
    }
}

/// What a file holds; `None` when there is none. What is no text is as good as empty.
fn read(folder: &DataFolder, name: &str) -> Result<Option<String>, OwnError> {
    let path = folder.file(name);
    match std::fs::read(&path) {
        Ok(contents) => Ok(Some(String::from_utf8(contents).unwrap_or_default())),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OwnError::File { path, source }),
    }
}

fn open_authority(folder: &DataFolder, machine: &Machine, now: SystemTime) -> Result<Authority, OwnError> {
    let path = folder.file(AUTHORITY);
    match read(folder, AUTHORITY)?.map(|text| Authority::read(&text)) {
        Some(Ok(authority)) if !authority.is_due(now) => return Ok(authority),
        Some(Ok(_)) => tracing::warn!("the certificate authority is at its end: devices have to trust the new one"),
        Some(Err(error)) => {
            tracing::warn!(path = %path.display(), %error, "the certificate authority is made anew: devices have to trust the new one");
        }
        None => {}
    }
    let text = Authority::make(&machine.host, &machine.names, now)?;
    folder.write(AUTHORITY, text.as_bytes()).map_err(|source| OwnError::File { path, source })?;
    let authority = Authority::read(&text)?;
    tracing::info!(fingerprint = authority.public().fingerprint(), "made a certificate authority for this house");
    Ok(authority)
}

/// Whether another certificate is to take the place of this one.
fn is_due(identity: &Identity, authority: &Authority, names: &[Name], now: SystemTime) -> bool {
    let named = |name: &Name| identity.facts.names.contains(name);
    !identity.lasts_for(RENEWED_BEFORE_END, now)
        || !authority.has_issued(identity)
        || !authority.within_confines(names).iter().all(named)
}

/// Makes a certificate. One that cannot be kept will do until the next start.
fn issue(folder: &DataFolder, authority: &Authority, names: &[Name], now: SystemTime) -> Result<Identity, OwnError> {
    let text = authority.issue(names, now)?;
    let identity = Identity::read(text.as_bytes(), text.as_bytes())?;
    if let Err(error) = folder.write(SERVER, text.as_bytes()) {
        tracing::warn!(path = %folder.file(SERVER).display(), %error, "the new certificate cannot be kept");
    }
    Ok(identity)
}
