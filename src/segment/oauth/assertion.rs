//! The client assertion: a JWT that proves who the client is (RFC 7523, section 2.2).

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::private_key::SigningKey;
use crate::random;

/// The lifetime of an assertion in seconds: the longest that Segment accepts.
const LIFETIME: i64 = 60;
/// The seconds by which an assertion begins in the past, because clocks agree to the second at best.
const LEEWAY: i64 = 5;

/// The two parties of an assertion, and the key that signs it.
pub(super) struct AssertionParties {
    pub(super) client_id: String,
    pub(super) key_id: String,
    pub(super) key: SigningKey,
    /// The token server's URL.
    pub(super) audience: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Returns when an assertion that is signed at `now` is valid, in seconds since 1970 by the server's clock.
pub(super) fn validity(now: i64) -> Range<i64> {
    let from = now.saturating_sub(LEEWAY);
    from..from.saturating_add(LIFETIME)
}

impl AssertionParties {
    /// Signs a new assertion. No two are the same. Returns `None` if it cannot be signed.
    pub(super) fn assert(&self, validity: &Range<i64>) -> Option<String> {
        let header = Header { alg: "RS256", typ: "JWT", kid: &self.key_id };
        let claims = Claims {
            iss: &self.client_id,
            sub: &self.client_id,
            aud: &self.audience,
            iat: validity.start,
            exp: validity.end,
            jti: random::uuid().to_string(),
        };
        let mut jwt = format!("{}.{}", encode(&header)?, encode(&claims)?);
        let signature = self.key.sign(jwt.as_bytes())?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Some(jwt)
    }
}

fn encode(part: &impl Serialize) -> Option<String> {
    serde_json::to_vec(part).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}
