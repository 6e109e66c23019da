//! The private key: as text in the settings, and as a key that signs.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use crate::error::SettingsError;

/// A private key as PEM. It cannot be displayed, not even by `Debug`.
#[derive(Clone)]
pub(super) struct PrivateKeyPem(String);

/// A private key that can sign.
pub(super) struct SigningKey(RsaKeyPair);

impl PrivateKeyPem {
    pub(super) fn new(pem: String) -> Self {
        Self(pem)
    }

    /// Reads PKCS#8 and PKCS#1. No error shows any of the text.
    pub(super) fn parse(&self) -> Result<SigningKey, SettingsError> {
        let invalid = |problem: &str| SettingsError::without_value("private_key", problem);
        let der = PrivateKeyDer::from_pem_slice(self.0.as_bytes())
            .map_err(|_| invalid("holds no unencrypted private key in PEM (PKCS#8 or PKCS#1)"))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(invalid("is not an RSA key: Segment wants one, of 2048 to 4096 bits")),
        };
        let rejected = |reason: KeyRejected| format!("cannot be used as an RSA key of 2048 to 4096 bits: {reason}");
        pair.map(SigningKey).map_err(|reason| invalid(&rejected(reason)))
    }
}

impl SigningKey {
    /// Signs `message` with RS256 (RFC 7518, section 3.3). Returns `None` if the operating system has no randomness.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}
