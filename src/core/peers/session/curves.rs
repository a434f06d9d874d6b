//! Certificates with keys on the curve P-224. GnuTLS makes such where nobody asks for another, and with it FFmpeg for
//! WHIP; the library that speaks DTLS takes P-256 and P-384 alone. What a certificate is worth is decided by its
//! fingerprint in the offer, whatever its curve (RFC 8122 5).

use std::sync::Once;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use dimpl::CryptoError;
use dimpl::crypto::aws_lc_rs::default_provider;
use dimpl::crypto::{CryptoProvider, HashAlgorithm, NamedGroup, SignatureAlgorithm, SignatureVerifier};
use p224::ecdsa::signature::hazmat::PrehashVerifier;
use p224::ecdsa::{DerSignature, VerifyingKey};
use x509_parser::prelude::{FromDer, X509Certificate};

/// secp224r1 (RFC 5480 2.1.1.1).
const P224: &str = "1.3.132.0.33";

/// Has every DTLS of this process take them from now on.
pub(super) fn take_p224() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        CryptoProvider::install_default(CryptoProvider { signature_verification: &WithP224, ..default_provider() });
    });
}

/// As the library does it, and P-224 besides.
#[derive(Debug)]
struct WithP224;

impl SignatureVerifier for WithP224 {
    fn verify_signature(
        &self,
        certificate: &[u8],
        data: &[u8],
        signature: &[u8],
        hash: HashAlgorithm,
        algorithm: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        let Some(key) = p224_key(certificate).filter(|_| algorithm == SignatureAlgorithm::ECDSA) else {
            let usual = default_provider().signature_verification;
            return usual.verify_signature(certificate, data, signature, hash, algorithm);
        };
        let failed =
            CryptoError::SignatureVerificationFailed { signature: algorithm, hash, group: NamedGroup::Secp224r1 };
        let hashed = match hash {
            HashAlgorithm::SHA256 => digest::digest(&SHA256, data),
            HashAlgorithm::SHA384 => digest::digest(&SHA384, data),
            HashAlgorithm::SHA512 => digest::digest(&SHA512, data),
            _ => return Err(failed),
        };
        let is_good =
            DerSignature::try_from(signature).is_ok_and(|it| key.verify_prehash(hashed.as_ref(), &it).is_ok());
        is_good.then_some(()).ok_or(failed)
    }
}

/// The key of a certificate, if it is on this curve.
fn p224_key(certificate: &[u8]) -> Option<VerifyingKey> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let info = certificate.public_key();
    let curve = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
    if curve.to_id_string() != P224 {
        return None;
    }
    VerifyingKey::from_sec1_bytes(&info.subject_public_key.data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by OpenSSL, as the signatures of [`DATA`] are: with its key, of the two hashes that TLS has for ECDSA.
    const CERTIFICATE: &str = "3082016130820110a00302010202140c7457f039186c9c48c479ce2100c478cef29064300a06082a8648ce3d040302300f31\
     0d300b06035504030c04746573743020170d3236313132393135313335375a180f32313236313130353135313335375a300f\
     310d300b06035504030c0474657374304e301006072a8648ce3d020106052b81040021033a000487755349d70199c82ecbe5\
     9b2b4bd93c1f9f5b65e52dca64a6e714c801998bed4ae1a42de9aa3f2537e4d242af56cbb0830f2ad60fcf69eda353305130\
     1d0603551d0e04160414c558b4c0dfb8b063a20b3105196c20ae554dfc99301f0603551d23041830168014c558b4c0dfb8b0\
     63a20b3105196c20ae554dfc99300f0603551d130101ff040530030101ff300a06082a8648ce3d040302033f00303c021c11\
     13465e674222934bb5a90456644e45e33ec4bc919bcd4ed1c78601021c34f2e7139f98ae13a113ca5a601bdaab25b7d2ecb5\
     9fcd3849511b12";
    const DATA: &[u8] = b"what was agreed on";
    const SIGNATURES: [(HashAlgorithm, &str); 2] = [
        (
            HashAlgorithm::SHA256,
            "303c021c07d1990e7986016d34e4abb854bc85de7ab17d2b39d6aaa2b0d2be71021c032ee2b9e86d0dc2ff6c522ace9de41d\
     25a5d3451665359108eb62e4",
        ),
        (
            HashAlgorithm::SHA384,
            "303c021c026bacaa3e32f29f86bbfff1dfae07bfbc667a818ea917636471bcdb021c2e7569338bffeede0774be7aefdc10b7\
     58ac1176a32592fc1fd3e6f4",
        ),
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |index: usize| u8::from_str_radix(&hex[index..index + 2], 16).expect("hexadecimal");
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    #[test]
    fn what_a_key_on_p224_signed_is_taken_and_nothing_else() {
        let certificate = bytes(CERTIFICATE);
        let verify = |data: &[u8], signature: &[u8], hash| {
            WithP224.verify_signature(&certificate, data, signature, hash, SignatureAlgorithm::ECDSA)
        };
        for (hash, signature) in SIGNATURES {
            let signature = bytes(signature);
            assert_eq!(verify(DATA, &signature, hash), Ok(()), "{hash:?}");
            assert!(verify(b"what was not agreed on", &signature, hash).is_err());
            assert!(verify(DATA, &signature, HashAlgorithm::SHA512).is_err());
            assert!(verify(DATA, &[], hash).is_err());
            for bit in 0..signature.len() * 8 {
                let mut bent = signature.clone();
                bent[bit / 8] ^= 1 << (bit % 8);
                assert!(verify(DATA, &bent, hash).is_err(), "{hash:?}, bit {bit}");
            }
        }
    }

    #[test]
    fn other_certificates_are_the_librarys_affair() {
        let signature = bytes(SIGNATURES[0].1);
        for certificate in [vec![], b"nonsense".to_vec(), bytes(CERTIFICATE)[..100].to_vec()] {
            let verify = |verifier: &dyn SignatureVerifier| {
                verifier.verify_signature(
                    &certificate,
                    DATA,
                    &signature,
                    HashAlgorithm::SHA256,
                    SignatureAlgorithm::ECDSA,
                )
            };
            assert_eq!(verify(&WithP224), verify(default_provider().signature_verification));
        }
    }
}
