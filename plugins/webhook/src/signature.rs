//! Signatures, and the text that is signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::InvalidLength;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::secret::SigningSecret;

/// The headers of Standard Webhooks.
pub(crate) const ID: &str = "webhook-id";
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
pub(crate) const SIGNATURE: &str = "webhook-signature";

/// The code over `id.timestamp.body`, not yet finished. HMAC takes a key of any length, so it does not fail.
pub(crate) fn mac(
    secret: &SigningSecret,
    id: &str,
    timestamp: &str,
    body: &[u8],
) -> Result<Hmac<Sha256>, InvalidLength> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes())?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Ok(mac)
}

/// The header `webhook-signature`: one signature for each secret, with a space between them.
pub(crate) fn sign(secrets: &[SigningSecret], id: &str, timestamp: &str, body: &[u8]) -> Result<String, InvalidLength> {
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let code = mac(secret, id, timestamp, body)?.finalize().into_bytes();
        signatures.push(format!("v1,{}", STANDARD.encode(code)));
    }
    Ok(signatures.join(" "))
}

/// The header `X-Signature` as Segment's own webhooks have it: HMAC-SHA1 of the body, in hexadecimal.
pub(crate) fn segment(secret: &str, body: &[u8]) -> Result<String, InvalidLength> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes())?;
    mac.update(body);
    Ok(hex(&mac.finalize().into_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
