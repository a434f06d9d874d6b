//! Decides which certificate is served, and keeps it good: files that change, names that change, time that passes.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{TlsConfig, TlsMode};
use crate::data::DataFolder;

use super::files::{self, LEAST_LEFT, UnusableFiles};
use super::identity::Identity;
use super::names::names_of;
use super::own::{Machine, Own, OwnError};
use super::served::{Certificates, Served};

/// How often files, names and the calendar are looked at; SIGHUP has it done at once.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// The folder below `data_dir` that the keys are in.
const FOLDER: &str = "tls";

/// Whoever sees to the certificate.
pub struct Keeper {
    config: TlsConfig,
    folder: DataFolder,
    host: String,
    certificates: Certificates,
    /// The one from the files, while it is good.
    from_files: Option<Identity>,
    own: Option<Own>,
    /// What was complained of since all was well: once is enough.
    complaints: HashSet<String>,
}

impl Keeper {
    /// For the machine of this name. Nothing is read or made yet.
    pub fn new(config: TlsConfig, data_dir: &Path, host: String, certificates: Certificates) -> Self {
        let (folder, complaints) = (DataFolder::new(data_dir.join(FOLDER)), HashSet::new());
        Self { config, folder, host, certificates, from_files: None, own: None, complaints }
    }

    /// Sees to it that the right certificate is served at this time, on a machine with these addresses.
    pub fn look(&mut self, addresses: &[IpAddr], now: SystemTime) {
        if self.config.mode == TlsMode::Off {
            return;
        }
        if self.config.mode == TlsMode::Auto && self.look_at_files(now) {
            return;
        }
        if let Err(error) = self.look_after_own(addresses, now) {
            self.complain(format!("no certificate can be made, so there is no https: {error}"));
        }
    }

    /// Looks every minute, and at SIGHUP. Runs until it is dropped.
    pub async fn run(mut self, addresses: impl Fn() -> Vec<IpAddr>) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        loop {
            let _ = tokio::time::timeout(LOOK_INTERVAL, next(&mut hangup)).await;
            let addresses = addresses();
            // Disks may be slow.
            let look = tokio::task::spawn_blocking(move || {
                self.look(&addresses, SystemTime::now());
                self
            });
            match look.await {
                Ok(keeper) => self = keeper,
                Err(error) => {
                    tracing::error!(%error, "nobody sees to the certificate any more");
                    return;
                }
            }
        }
    }

    /// Whether the certificate in the files is served. While they are being replaced, certificate and key
    /// may not fit: what was read before goes on then.
    fn look_at_files(&mut self, now: SystemTime) -> bool {
        match files::read(&self.config.certificate, &self.config.key, now) {
            Ok(identity) => {
                self.complaints.clear();
                self.from_files = Some(identity);
            }
            Err(refusal) => {
                self.from_files.take_if(|identity| !identity.lasts_for(LEAST_LEFT, now));
                self.refuse(&refusal);
            }
        }
        let Some(identity) = self.from_files.clone() else { return false };
        self.serve(Served { identity, authority: None });
        true
    }

    fn look_after_own(&mut self, addresses: &[IpAddr], now: SystemTime) -> Result<(), OwnError> {
        let machine = Machine { host: self.host.clone(), names: names_of(&self.host, addresses) };
        match &mut self.own {
            Some(own) => own.renew_if_due(&machine, now)?,
            None => self.own = Some(Own::open(&self.folder, &machine, now)?),
        }
        if let Some(own) = &self.own {
            let authority = Some(own.authority.public().clone());
            self.serve(Served { identity: own.identity.clone(), authority });
        }
        Ok(())
    }

    fn serve(&self, served: Served) {
        let before = self.certificates.served();
        if before.is_some_and(|before| before.identity.is(&served.identity)) {
            return;
        }
        let ends = httpdate::fmt_http_date(served.identity.facts.ends);
        let names = served.identity.facts.names.len();
        match &served.authority {
            Some(authority) => {
                tracing::info!(
                    fingerprint = authority.fingerprint(),
                    names,
                    ends,
                    "https with a certificate of our own"
                );
            }
            None => tracing::info!(path = %self.config.certificate.display(), names, ends, "https"),
        }
        self.certificates.serve(served);
    }

    /// That there is no certificate is no fault: most homes have none.
    fn refuse(&mut self, refusal: &UnusableFiles) {
        match refusal {
            UnusableFiles::Missing(_) if self.from_files.is_none() => {
                tracing::debug!(%refusal, "no certificate in files");
            }
            _ => self.complain(refusal.to_string()),
        }
    }

    fn complain(&mut self, complaint: String) {
        if !self.complaints.contains(&complaint) {
            tracing::warn!("{complaint}");
            self.complaints.insert(complaint);
        }
    }
}

async fn next(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
