//! The secret that signs and verifies.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use tracklane_http::{Secret, SettingError};

/// The prefix of a secret.
const PREFIX: &str = "whsec_";
/// Bytes of a secret, as Standard Webhooks has it.
const LEAST: usize = 24;
const MOST: usize = 64;

/// The form of a secret, for errors.
const FORM: &str = "write \"whsec_\" and 24 to 64 random bytes in base64";

/// Padding or none: people lose it when they copy.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A symmetric secret of Standard Webhooks: `whsec_` and 24 to 64 random bytes in base64. `Debug` does not show it.
///
/// ```
/// use tracklane_webhook::SigningSecret;
///
/// let secret = SigningSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// assert_eq!(format!("{secret:?}"), "SigningSecret(…)");
/// # Ok::<(), tracklane_webhook::SettingError>(())
/// ```
#[derive(Clone)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// Reads a secret, with or without `whsec_`.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not base64 of 24 to 64 bytes. The error does not show it.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, SettingError> {
        let secret = secret.into();
        let invalid = |problem: &str| SettingError::new("secrets", format!("one {problem}: {FORM}"));
        if secret.expose().trim().is_empty() {
            return Err(invalid("is empty"));
        }
        if let Some(problem) = secret.problem() {
            return Err(SettingError::new("secrets", format!("one {problem}")));
        }
        let text = secret.expose();
        if text.starts_with("whsk_") || text.starts_with("whpk_") {
            return Err(invalid("is an asymmetric key, and only symmetric secrets are supported"));
        }
        // The error of the decoder would show a letter of it.
        let base64 = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = BASE64.decode(base64).map_err(|_| invalid("is not base64"))?;
        if !(LEAST..=MOST).contains(&bytes.len()) {
            return Err(invalid(&format!("is base64 of {} bytes", bytes.len())));
        }
        Ok(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}
