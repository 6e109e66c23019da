//! Verifies a webhook for its receiver: its content, its sender and its time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use http::HeaderMap;

use crate::secret::SigningSecret;
use crate::signature::{ID, SIGNATURE, TIMESTAMP, mac};

/// Signatures that are looked at; an honest sender has one for each secret.
const MOST_SIGNATURES: usize = 16;

/// A webhook whose signature is right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The header `webhook-id`. It is the same in every attempt, so that a receiver can leave out repetitions.
    pub id: String,
    /// When it was sent, in whole seconds.
    pub sent_at: SystemTime,
}

/// The reason why a webhook cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A header is missing, is there twice, or has the wrong form.
    #[error("the header {header} is missing or not valid")]
    Header {
        /// Its name.
        header: &'static str,
    },
    /// The time is longer ago than the tolerance: it may be a replay.
    #[error("it was sent {age:?} ago, longer than the tolerance")]
    TooOld {
        /// Its age.
        age: Duration,
    },
    /// The time is further in the future than the tolerance: one of the clocks is wrong.
    #[error("it was sent {ahead:?} in the future, further than the tolerance: check the clock")]
    TooNew {
        /// How far it is in the future.
        ahead: Duration,
    },
    /// No signature is that of a secret over this body. Most often the body was read and written again before it came
    /// here: it must be the exact bytes of the request.
    #[error("no signature fits the body: check the secrets, and that the body is the exact bytes of the request")]
    Signature,
}

/// Verifies a webhook by Standard Webhooks: one signature of any of the `secrets` over the exact `body`, sent no longer
/// than `tolerance` ago or ahead (five minutes is usual). Signatures are compared in constant time.
///
/// ```
/// use std::time::Duration;
/// use http::HeaderMap;
/// use tracklane_webhook::{SigningSecret, VerifyError, verify};
///
/// fn handle(headers: &HeaderMap, body: &[u8], secrets: &[SigningSecret]) -> Result<(), VerifyError> {
///     let verified = verify(headers, body, secrets, Duration::from_secs(300))?;
///     println!("{} was sent at {:?}", verified.id, verified.sent_at);
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// Returns an error if it is not to be believed; see [`VerifyError`]. Answer 401 or 400, and say no more than that.
pub fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SigningSecret],
    tolerance: Duration,
) -> Result<Verified, VerifyError> {
    verify_at(headers, body, secrets, tolerance, SystemTime::now())
}

/// [`verify`] at another time than now.
///
/// # Errors
///
/// Returns the errors of [`verify`].
pub fn verify_at(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SigningSecret],
    tolerance: Duration,
    now: SystemTime,
) -> Result<Verified, VerifyError> {
    // With a dot in the id, another id, time and body could have the same signature.
    let id = single(headers, ID).filter(|id| !id.is_empty() && !id.contains('.'));
    let id = id.ok_or(VerifyError::Header { header: ID })?;
    let timestamp = single(headers, TIMESTAMP).ok_or(VerifyError::Header { header: TIMESTAMP })?;
    let sent_at = seconds(timestamp).ok_or(VerifyError::Header { header: TIMESTAMP })?;
    check_time(sent_at, tolerance, now)?;
    let signatures = signatures(headers)?;
    let mut fits = false;
    for secret in secrets {
        let Ok(mac) = mac(secret, id, timestamp, body) else { continue };
        // All of them, so that the time does not reveal which one fits.
        for signature in &signatures {
            fits |= mac.clone().verify_slice(signature).is_ok();
        }
    }
    if fits { Ok(Verified { id: id.to_owned(), sent_at }) } else { Err(VerifyError::Signature) }
}

/// A header that is there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn seconds(text: &str) -> Option<SystemTime> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    UNIX_EPOCH.checked_add(Duration::from_secs(text.parse().ok()?))
}

fn check_time(sent_at: SystemTime, tolerance: Duration, now: SystemTime) -> Result<(), VerifyError> {
    match now.duration_since(sent_at) {
        Ok(age) if age > tolerance => Err(VerifyError::TooOld { age }),
        Err(error) if error.duration() > tolerance => Err(VerifyError::TooNew { ahead: error.duration() }),
        _ => Ok(()),
    }
}

/// The signatures of version 1; others may stand beside them.
fn signatures(headers: &HeaderMap) -> Result<Vec<Vec<u8>>, VerifyError> {
    let invalid = VerifyError::Header { header: SIGNATURE };
    let mut signatures = Vec::new();
    for value in headers.get_all(SIGNATURE) {
        let value = value.to_str().map_err(|_| invalid.clone())?;
        let of_version_1 = value.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
        signatures.extend(of_version_1.filter_map(|base64| STANDARD.decode(base64).ok()));
    }
    signatures.truncate(MOST_SIGNATURES);
    if signatures.is_empty() { Err(invalid) } else { Ok(signatures) }
}
