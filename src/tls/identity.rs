//! A certificate with its key, and what the certificate itself says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::time::ASN1Time;

use super::names::{Name, Subtree};

/// The text holds no certificate that can be served.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is none.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// There is none, or it is encrypted.
    #[error("there is no key in it that can be read")]
    NoKey,
    /// It is no X.509 certificate.
    #[error("the certificate is broken")]
    Broken,
    /// The key is of an unknown kind, or another certificate's.
    #[error("the key is not that of the certificate: {0}")]
    Key(rustls::Error),
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// It is valid from then on.
    pub begins: SystemTime,
    /// It is valid until then.
    pub ends: SystemTime,
    /// What it is for; wildcards as they are written.
    pub names: Vec<Name>,
    /// What an authority is confined to.
    pub confines: Vec<Subtree>,
}

impl CertificateFacts {
    fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let validity = certificate.validity();
        let names = certificate.subject_alternative_name().ok()?;
        let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(name_of).collect();
        let confines = certificate.name_constraints().ok()?;
        let confines = confines.iter().filter_map(|confines| confines.value.permitted_subtrees.as_ref()).flatten();
        let confines = confines.filter_map(|subtree| subtree_of(&subtree.base)).collect();
        Some(Self { begins: time_of(validity.not_before), ends: time_of(validity.not_after), names, confines })
    }
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// As TLS needs it.
    pub key: Arc<CertifiedKey>,
    /// What the certificate says.
    pub facts: CertificateFacts,
}

impl Identity {
    /// Reads a certificate, its chain and its key, in PEM.
    ///
    /// # Errors
    /// When one of them is not there, or they do not belong together.
    pub fn read(chain: &[u8], key: &[u8]) -> Result<Self, Unusable> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|_| Unusable::NoCertificate)?;
        let facts = CertificateFacts::read(chain.first().ok_or(Unusable::NoCertificate)?).ok_or(Unusable::Broken)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Unusable::NoKey)?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(Unusable::Key)?;
        Ok(Self { key: Arc::new(key), facts })
    }

    /// Whether it ends no sooner than so long from now. That it has begun is not asked: a machine that has lost
    /// its clock would throw away what is good.
    pub fn lasts_for(&self, time: Duration, now: SystemTime) -> bool {
        now + time <= self.facts.ends
    }

    /// Whether both are the same certificate.
    pub fn is(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }
}

fn time_of(time: ASN1Time) -> SystemTime {
    // Before 1970 is as good as then.
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.timestamp().try_into().unwrap_or(0))
}

fn name_of(name: &GeneralName<'_>) -> Option<Name> {
    match name {
        GeneralName::DNSName(name) => Some(Name::Dns(name.to_lowercase())),
        GeneralName::IPAddress(bytes) => address_of(bytes).map(Name::Ip),
        _ => None,
    }
}

/// An address and its mask, of four bytes or sixteen each, or a domain.
fn subtree_of(base: &GeneralName<'_>) -> Option<Subtree> {
    match base {
        GeneralName::DNSName(domain) => Some(Subtree::Domain(domain.to_lowercase())),
        GeneralName::IPAddress(bytes) => {
            let (address, mask) = bytes.split_at(bytes.len() / 2);
            let prefix = mask.iter().map(|byte| byte.leading_ones() as u8).sum();
            Some(Subtree::Network(address_of(address)?, prefix))
        }
        _ => None,
    }
}

fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|octets| Ipv4Addr::from(octets).into());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|octets| Ipv6Addr::from(octets).into())).ok()
}
