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

#[cfg(test)]
mod tests {
    use str0m::crypto::from_feature_flags;

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<_> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks_exact(2).map(|pair| (16 * pair[0] + pair[1]) as u8).collect()
    }

    #[test]
    fn keys_are_derived_as_in_rfc_3711_b_3() {
        let agreed = Agreed {
            profile: SrtpProfile::AEAD_AES_128_GCM,
            key: bytes("E1F97A0D3E018BE0D64FA32C06DE4139"),
            salt: bytes("0EC675AD498AFEEBB6960B3AABE6"),
        };
        let crypto = from_feature_flags().srtp_provider;
        assert_eq!(derive::<16>(&agreed, RTP_KEY, crypto)[..], bytes("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derive::<14>(&agreed, RTP_SALT, crypto)[..], bytes("30CBBC08863D8C85D49DB34A9AE1"));
    }

    #[test]
    fn a_packet_is_sealed_as_in_rfc_7714_16_1_1() {
        let key = std::array::from_fn(|at| at as u8);
        let cipher = from_feature_flags().srtp_provider.aead_aes_128_gcm().create_cipher(key, true);
        let salt = bytes("517569642070726f2071756f").try_into().expect("a salt");
        let mut sealer = Sealer { cipher: Cipher::Aes128(cipher), salt };
        let mut datagram = bytes("8040f17b8041f8d35501a0b2");
        sealer.seal(0x5501_a0b2, 0xf17b, b"Gallia est omnis divisa in partes tres", &mut datagram).expect("sealed");
        let sealed = "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a \
            51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce";
        assert_eq!(datagram, bytes(sealed));
    }

    #[test]
    fn the_rollovers_are_part_of_what_is_sealed() {
        let agreed = Agreed { profile: SrtpProfile::AEAD_AES_256_GCM, key: (0..32).collect(), salt: (0..12).collect() };
        let mut sealer = Sealer::new(&agreed, from_feature_flags().srtp_provider).expect("a sealer");
        let [before, after] = [7_u64, 7 + 65_536].map(|index| {
            let mut datagram = vec![0x80; 12];
            sealer.seal(1, index, b"the same", &mut datagram).expect("sealed");
            datagram
        });
        assert_ne!(before, after);
    }
}
