//! The keys that DTLS agrees on for a session. str0m keeps them to itself, so its DTLS is overheard here.
//!
//! A core is driven by one thread, and what DTLS agrees on becomes known while its session is driven: it is left
//! where that session looks for it right afterwards.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, KeyingMaterial, ProtocolVersion,
    SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

thread_local! {
    static OVERHEARD: Cell<Option<Agreed>> = const { Cell::new(None) };
}

/// What DTLS agreed on: the profile, and the master key and salt for what we send (RFC 5764 4.2).
pub(super) struct Agreed {
    pub(super) profile: SrtpProfile,
    pub(super) key: Vec<u8>,
    pub(super) salt: Vec<u8>,
}

impl Agreed {
    /// The material is the client's key, the server's, the client's salt and the server's.
    fn new(material: &KeyingMaterial, profile: SrtpProfile, as_client: bool) -> Option<Self> {
        let (key, salt) = match profile {
            SrtpProfile::AEAD_AES_128_GCM => (16, 12),
            SrtpProfile::AEAD_AES_256_GCM => (32, 12),
            // Its seal costs twice as much; those few who want it are served by str0m alone.
            _ => return None,
        };
        let (keys, salts) = material.split_at_checked(2 * key)?;
        let of =
            |parts: &[u8], length: usize| parts.chunks_exact(length).nth(usize::from(!as_client)).map(<[u8]>::to_vec);
        Some(Self { profile, key: of(keys, key)?, salt: of(salts, salt)? })
    }
}

/// str0m's own cryptography, with a DTLS that is overheard.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static DTLS: Overheard = Overheard;
    Arc::new(CryptoProvider { dtls_provider: &DTLS, ..from_feature_flags() })
}

/// What the session that was just driven has agreed on, if it has.
pub(super) fn take_agreed() -> Option<Agreed> {
    OVERHEARD.take()
}

#[derive(Debug)]
struct Overheard;

impl DtlsProvider for Overheard {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let dtls = from_feature_flags().dtls_provider.new_dtls(certificate, now, version, mtu)?;
        Ok(Box::new(OverheardDtls(dtls)))
    }
}

/// A DTLS that does as it did before.
struct OverheardDtls(Box<dyn DtlsInstance>);

impl fmt::Debug for OverheardDtls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl DtlsInstance for OverheardDtls {
    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.0.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            OVERHEARD.set(Agreed::new(material, *profile, self.0.is_active()));
        }
        output
    }

    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 16 bytes of key for each side, then 12 of salt, or as many as the profile has.
    fn material(key: u8, salt: u8) -> KeyingMaterial {
        let parts = [(1, key), (2, key), (3, salt), (4, salt)];
        KeyingMaterial::new(&parts.iter().flat_map(|(side, length)| vec![*side; (*length).into()]).collect::<Vec<_>>())
    }

    #[test]
    fn each_side_sends_with_its_own_key() {
        let agreed =
            |as_client| Agreed::new(&material(32, 12), SrtpProfile::AEAD_AES_256_GCM, as_client).expect("agreed");
        let (client, server) = (agreed(true), agreed(false));
        assert_eq!((client.key, client.salt), (vec![1; 32], vec![3; 12]));
        assert_eq!((server.key, server.salt), (vec![2; 32], vec![4; 12]));
    }

    #[test]
    fn what_the_fast_path_does_not_know_goes_the_slow_one() {
        assert!(Agreed::new(&material(16, 14), SrtpProfile::AES128_CM_SHA1_80, false).is_none());
        assert!(Agreed::new(&material(16, 12), SrtpProfile::AEAD_AES_256_GCM, false).is_none(), "too short");
    }
}
