//! Sealing of RTP packets by AES-GCM (RFC 7714), with keys derived as SRTP wants them (RFC 3711 4.3).
//!
//! The ciphers are those that str0m uses, by the interface that it gives to them.

use str0m::crypto::dtls::SrtpProfile;
use str0m::crypto::{AeadAes128Gcm, AeadAes128GcmCipher, AeadAes256GcmCipher, CryptoError, SrtpProvider};

use super::keys::Agreed;

/// Bytes that are added to each packet.
pub(super) const TAG: usize = AeadAes128Gcm::TAG_LEN;

/// What is derived from a master key for RTP, by its label (RFC 3711 4.3.1).
const RTP_KEY: u8 = 0;
const RTP_SALT: u8 = 2;

/// Bytes of one block of AES.
const BLOCK: usize = 16;

/// Seals what is sent to one remote.
pub(super) struct Sealer {
    cipher: Cipher,
    salt: [u8; AeadAes128Gcm::SALT_LEN],
}

enum Cipher {
    Aes128(Box<dyn AeadAes128GcmCipher>),
    Aes256(Box<dyn AeadAes256GcmCipher>),
}

impl Sealer {
    /// Derives the session's keys from what was agreed.
    pub(super) fn new(agreed: &Agreed, crypto: &dyn SrtpProvider) -> Option<Self> {
        let cipher = match agreed.profile {
            SrtpProfile::AEAD_AES_128_GCM => {
                Cipher::Aes128(crypto.aead_aes_128_gcm().create_cipher(derive(agreed, RTP_KEY, crypto), true))
            }
            SrtpProfile::AEAD_AES_256_GCM => {
                Cipher::Aes256(crypto.aead_aes_256_gcm().create_cipher(derive(agreed, RTP_KEY, crypto), true))
            }
            _ => return None,
        };
        Some(Self { cipher, salt: derive(agreed, RTP_SALT, crypto) })
    }

    /// Appends the sealed payload to the header that the datagram holds. No index of an SSRC may come twice: AES-GCM
    /// keeps nothing secret then.
    pub(super) fn seal(
        &mut self,
        ssrc: u32,
        index: u64,
        payload: &[u8],
        datagram: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        // The lower 48 bits, as the receiver counts them: rollovers, then what is on the wire.
        let nonce = AeadAes128Gcm::rtp_iv(self.salt, ssrc, (index >> 16) as u32, index as u16);
        let header = datagram.len();
        datagram.resize(header + payload.len() + TAG, 0);
        let (header, body) = datagram.split_at_mut(header);
        match &mut self.cipher {
            Cipher::Aes128(cipher) => cipher.encrypt(&nonce, header, payload, body),
            Cipher::Aes256(cipher) => cipher.encrypt(&nonce, header, payload, body),
        }
    }
}

/// AES in counter mode over the salt with the label in it (RFC 3711 4.3.3, RFC 7714 11).
fn derive<const LENGTH: usize>(agreed: &Agreed, label: u8, crypto: &dyn SrtpProvider) -> [u8; LENGTH] {
    let mut input = [0; BLOCK];
    input[..agreed.salt.len()].copy_from_slice(&agreed.salt);
    input[7] ^= label;
    let mut derived = [0; LENGTH];
    for (counter, part) in derived.chunks_mut(BLOCK).enumerate() {
        input[BLOCK - 1] = counter as u8;
        // The provider's interface wants room for two blocks.
        let mut output = [0; 2 * BLOCK];
        match agreed.key.len() {
            16 => crypto.srtp_aes_128_ecb_round(&agreed.key, &input, &mut output),
            _ => crypto.srtp_aes_256_ecb_round(&agreed.key, &input, &mut output),
        }
        part.copy_from_slice(&output[..part.len()]);
    }
    derived
}
