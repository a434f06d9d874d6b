//! The certificate authority of this house: made once, trusted by its phones, confined to what is local.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::identity::{CertificateFacts, Identity, Unusable};
use super::names::{Name, Subtree, confines_of};

const DAY: Duration = Duration::from_secs(86_400);

/// An authority lasts for ten years: a phone is told to trust it by hand.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3_652);

/// From beginning to end. Apple's limit is 398 days for authorities of its own, 825 for those of users; this
/// is within either.
const CERTIFICATE_LIFE: Duration = DAY.saturating_mul(397);

/// A certificate begins so long before it is made: the clocks of phones and of this machine differ.
const BACKDATED: Duration = DAY;

/// So long before its end a certificate is replaced.
pub(super) const RENEWED_BEFORE_END: Duration = DAY.saturating_mul(30);

/// Certificate and key of the authority.
pub(super) struct Authority {
    identity: Identity,
    issuer: Issuer<'static, KeyPair>,
    public: PublicAuthority,
}

/// What everybody may know of the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAuthority {
    /// Its certificate.
    pub pem: String,
    /// SHA-256 of its certificate.
    pub digest: [u8; 32],
    /// What its certificates can be for.
    pub confines: Vec<Subtree>,
    /// It is valid until then.
    pub ends: SystemTime,
}

impl PublicAuthority {
    /// The digest as devices show it: `AB:CD:…`.
    pub fn fingerprint(&self) -> String {
        self.digest.map(|byte| format!("{byte:02X}")).join(":")
    }
}

impl Authority {
    /// Makes one for the machine of this name, and gives the text to keep: certificate and key, in PEM.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub(super) fn make(host: &str, names: &[Name], now: SystemTime) -> Result<String, rcgen::Error> {
        let mut params = params(&format!("Voice Relay {host}"), AUTHORITY_LIFE, now);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let permitted_subtrees = confines_of(names).iter().map(general_subtree).collect();
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
        let key = KeyPair::generate()?;
        Ok(params.self_signed(&key)?.pem() + &key.serialize_pem())
    }

    /// Reads what [`make`](Self::make) gave.
    ///
    /// # Errors
    /// When it is something else.
    pub(super) fn read(text: &str) -> Result<Self, Unusable> {
        let identity = Identity::read(text.as_bytes(), text.as_bytes())?;
        let certificate = identity.key.cert.first().ok_or(Unusable::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| Unusable::NoKey)?;
        let key = KeyPair::try_from(&key).map_err(|_| Unusable::NoKey)?;
        let mut digest_bytes = [0; 32];
        digest_bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        let CertificateFacts { confines, ends, .. } = identity.facts.clone();
        let end = "-----END CERTIFICATE-----\n";
        let (pem, _) = text.split_once(end).ok_or(Unusable::NoCertificate)?;
        let public = PublicAuthority { pem: format!("{pem}{end}"), digest: digest_bytes, confines, ends };
        let issuer = Issuer::from_ca_cert_der(certificate, key).map_err(|_| Unusable::Broken)?;
        Ok(Self { identity, issuer, public })
    }

    /// Makes a certificate for these names, but for those beyond the confines, and gives the text to keep:
    /// certificate, the authority's own, and key, in PEM.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub(super) fn issue(&self, names: &[Name], now: SystemTime) -> Result<String, rcgen::Error> {
        let names = self.within_confines(names);
        let life = CERTIFICATE_LIFE.min(self.remaining(now) + BACKDATED);
        let mut params = params("Voice Relay", life, now);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.subject_alt_names = names.iter().map(general_name).collect::<Result<_, _>>()?;
        // A new key each time; the serial number follows from it, and must never come twice.
        let key = KeyPair::generate()?;
        Ok(params.signed_by(&key, &self.issuer)?.pem() + &self.public.pem + &key.serialize_pem())
    }

    /// Whether it has made this certificate.
    pub(super) fn has_issued(&self, identity: &Identity) -> bool {
        identity.key.cert.get(1) == self.identity.key.cert.first()
    }

    /// Those of the names that its certificates can be for.
    pub(super) fn within_confines(&self, names: &[Name]) -> Vec<Name> {
        let permits = |name: &&Name| self.public.confines.iter().any(|subtree| subtree.contains(name));
        names.iter().filter(permits).cloned().collect()
    }

    /// Whether it is to be replaced.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        !self.identity.lasts_for(RENEWED_BEFORE_END, now)
    }

    /// What everybody may know of it.
    pub(super) fn public(&self) -> &PublicAuthority {
        &self.public
    }

    fn remaining(&self, now: SystemTime) -> Duration {
        self.identity.facts.ends.duration_since(now).unwrap_or_default()
    }
}

fn params(name: &str, life: Duration, now: SystemTime) -> CertificateParams {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::OrganizationName, "Voice Relay");
    distinguished_name.push(DnType::CommonName, name);
    let begins = now - BACKDATED;
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name;
    params.not_before = begins.into();
    params.not_after = (begins + life).into();
    params
}

fn general_subtree(subtree: &Subtree) -> GeneralSubtree {
    match subtree {
        Subtree::Domain(domain) => GeneralSubtree::DnsName(domain.clone()),
        Subtree::Network(address, prefix) => GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, *prefix)),
    }
}

fn general_name(name: &Name) -> Result<SanType, rcgen::Error> {
    Ok(match name {
        Name::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
        Name::Ip(address) => SanType::IpAddress(*address),
    })
}
