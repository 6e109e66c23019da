//! A token server on this machine that grants a token only for a valid signature.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tracklane::testing::{Reply, Request, TrackingApi};

pub(super) const PUBLIC_KEY: &str = include_str!("../fixtures/oauth/public.pkcs1.pem");
pub(super) const CLIENT_ID: &str = "client-id";
pub(super) const KEY_ID: &str = "key-id";
/// The beginning of every token. A number follows.
pub(super) const TOKEN: &str = "canary.token~";

/// Grants `TOKEN1`, `TOKEN2`, … for signed requests.
pub(super) struct TokenServer {
    pub(super) api: TrackingApi,
    granted: Arc<AtomicU64>,
    life: Arc<AtomicU64>,
}

impl TokenServer {
    /// Starts a server with the time of `clock`.
    pub(super) fn start(clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        let api = TrackingApi::start().unwrap();
        let (granted, life) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(1_000)));
        let desk = Desk { url: api.url(), granted: granted.clone(), life: life.clone(), seen: Mutex::default() };
        api.reply_with(move |request| {
            let now = clock();
            desk.answer(request, now).header("date", httpdate::fmt_http_date(now))
        });
        Self { api, granted, life }
    }

    /// Sets the lifetime of the tokens that are granted from now on.
    pub(super) fn set_life(&self, life: Duration) {
        self.life.store(life.as_secs(), Ordering::Release);
    }

    pub(super) fn granted(&self) -> u64 {
        self.granted.load(Ordering::Acquire)
    }
}

struct Desk {
    url: String,
    granted: Arc<AtomicU64>,
    life: Arc<AtomicU64>,
    /// The `jti` of every assertion.
    seen: Mutex<HashSet<String>>,
}

impl Desk {
    fn answer(&self, request: &Request, now: SystemTime) -> Reply {
        if let Err(problem) = self.check(request, now) {
            return Reply::status(400)
                .body(json!({ "error": "invalid_request", "error_description": problem }).to_string());
        }
        let token = format!("{TOKEN}{}", self.granted.fetch_add(1, Ordering::AcqRel) + 1);
        let life = self.life.load(Ordering::Acquire);
        let granted =
            json!({ "access_token": token, "expires_in": life, "token_type": "Bearer", "scope": "tracking_api:write" });
        Reply::status(200).body(granted.to_string())
    }

    fn check(&self, request: &Request, now: SystemTime) -> Result<(), String> {
        let form = form(request);
        let is = |name: &str, expected: &str| match form.get(name) {
            Some(value) if value == expected => Ok(()),
            other => Err(format!("{name} is {other:?}")),
        };
        if (request.method().as_str(), request.path()) != ("POST", "/token") {
            return Err(format!("{} {}", request.method(), request.path()));
        }
        if request.header("content-type") != Some("application/x-www-form-urlencoded") {
            return Err("the content type".to_owned());
        }
        is("grant_type", "client_credentials")?;
        is("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")?;
        is("scope", "tracking_api:write")?;
        let assertion = form.get("client_assertion").ok_or("no assertion")?;
        let (header, claims) = verify(assertion)?;
        if header != json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID }) {
            return Err(format!("the header is {header}"));
        }
        self.check_claims(&claims, now)
    }

    fn check_claims(&self, claims: &Value, now: SystemTime) -> Result<(), String> {
        for (name, expected) in [("iss", CLIENT_ID), ("sub", CLIENT_ID), ("aud", &self.url)] {
            if claims[name] != expected {
                return Err(format!("{name} is {}", claims[name]));
            }
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (iat, exp) = (claims["iat"].as_u64().ok_or("no iat")?, claims["exp"].as_u64().ok_or("no exp")?);
        if now < iat {
            return Err("Token used before issued".to_owned());
        }
        if now > exp {
            return Err("Token is expired".to_owned());
        }
        if exp - iat > 60 {
            return Err("it lives too long".to_owned());
        }
        let jti = claims["jti"].as_str().ok_or("no jti")?;
        if self.seen.lock().unwrap().insert(jti.to_owned()) { Ok(()) } else { Err("the jti came twice".to_owned()) }
    }
}

/// The fields of a form.
pub(super) fn form(request: &Request) -> HashMap<String, String> {
    url::form_urlencoded::parse(request.body()).into_owned().collect()
}

/// Header and claims of a JWT whose signature is good.
pub(super) fn verify(jwt: &str) -> Result<(Value, Value), String> {
    let (signed, signature) = jwt.rsplit_once('.').ok_or("not a JWT")?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|error| error.to_string())?;
    let key: String = PUBLIC_KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = STANDARD.decode(key).map_err(|error| error.to_string())?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "the signature is not that of the key".to_owned())?;
    let (header, claims) = signed.split_once('.').ok_or("not a JWT")?;
    Ok((part(header)?, part(claims)?))
}

fn part(encoded: &str) -> Result<Value, String> {
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|error| error.to_string())?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}
