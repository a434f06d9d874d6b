//! A certificate from files, as Home Assistant keeps them: used when it is good, refused with the reason.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::identity::{Identity, Unusable};

/// A certificate that ends sooner is no longer used.
pub(super) const LEAST_LEFT: Duration = Duration::from_secs(86_400);

/// Why a certificate is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableFiles {
    /// It is not there.
    #[error("there is no {0}")]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What is in the files cannot be served.
    #[error("{certificate} and {key} cannot be used: {source}")]
    Unusable {
        /// Of the certificate.
        certificate: PathBuf,
        /// Of the key.
        key: PathBuf,
        /// What is wrong with them.
        source: Unusable,
    },
    /// It is not valid yet.
    #[error("the certificate in {0} is not valid yet; is the clock of this machine right?")]
    TooEarly(PathBuf),
    /// It has ended, or will within a day.
    #[error("the certificate in {path} ends on {ends}")]
    Ends {
        /// Which file.
        path: PathBuf,
        /// When, as HTTP writes it.
        ends: String,
    },
}

/// Reads a certificate with its chain, and its key.
///
/// # Errors
/// When it cannot be served for [`LEAST_LEFT`] from now on.
pub(super) fn read(certificate: &Path, key: &Path, now: SystemTime) -> Result<Identity, UnusableFiles> {
    let unusable = |source| UnusableFiles::Unusable { certificate: certificate.into(), key: key.into(), source };
    let identity = Identity::read(&contents(certificate)?, &contents(key)?).map_err(unusable)?;
    if identity.facts.begins > now {
        return Err(UnusableFiles::TooEarly(certificate.into()));
    }
    if !identity.lasts_for(LEAST_LEFT, now) {
        let ends = httpdate::fmt_http_date(identity.facts.ends);
        return Err(UnusableFiles::Ends { path: certificate.into(), ends });
    }
    Ok(identity)
}

fn contents(path: &Path) -> Result<Vec<u8>, UnusableFiles> {
    std::fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => UnusableFiles::Missing(path.into()),
        _ => UnusableFiles::Unreadable { path: path.into(), source },
    })
}
