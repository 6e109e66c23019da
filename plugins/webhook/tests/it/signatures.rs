//! Signatures and their verification, without a network.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName};
use proptest::prelude::*;
use tracklane::Track;
use tracklane_webhook::{SigningSecret, VerifyError, Webhook, verify, verify_at};

use crate::support::{OTHER, SECRET, secret};

const TOLERANCE: Duration = Duration::from_secs(300);
/// What Standard Webhooks publishes.
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIME: u64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const WRONG: &str = "v1,AAhM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    headers
}

fn published(signature: &str) -> HeaderMap {
    headers(&[("webhook-id", ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", signature)])
}

#[test]
fn the_published_vector_is_verified() {
    let verified = verify_at(&published(SIGNATURE), BODY, &[secret(SECRET)], TOLERANCE, at(TIME)).unwrap();
    assert_eq!((&*verified.id, verified.sent_at), (ID, at(TIME)));
    // The same without the space, as it is when a receiver reads the JSON and writes it again.
    let other = published("v1,Vif40peJBP7Iyl0XGmu61n4MwdrcHov5CFREBpE0svs=");
    assert!(verify_at(&other, br#"{"test":2432232314}"#, &[secret(SECRET)], TOLERANCE, at(TIME)).is_ok());
}

#[test]
fn one_signature_of_one_secret_is_enough_and_nothing_less() {
    let two = format!("{WRONG} {SIGNATURE}");
    let other_version = format!("v1a,abc {SIGNATURE} v2,abc");
    let (known, stranger) = (secret(SECRET), secret(OTHER));
    let wrong = Err(VerifyError::Signature);
    let no_header = Err(VerifyError::Header { header: "webhook-signature" });
    let many = format!("{}{SIGNATURE}", format!("{WRONG} ").repeat(16));
    let table: [(&str, Vec<SigningSecret>, Result<(), VerifyError>); 14] = [
        (SIGNATURE, vec![known.clone()], Ok(())),
        (SIGNATURE, vec![stranger.clone(), known.clone()], Ok(())),
        (&two, vec![known.clone(), stranger.clone()], Ok(())),
        (&other_version, vec![known.clone()], Ok(())),
        (SIGNATURE, vec![stranger], wrong.clone()),
        (SIGNATURE, vec![], wrong.clone()),
        (WRONG, vec![known.clone()], wrong.clone()),
        // Cut off.
        ("v1,g0hM9SsE", vec![known.clone()], wrong.clone()),
        ("v1,", vec![known.clone()], wrong.clone()),
        // An honest sender has not so many.
        (&many, vec![known.clone()], wrong),
        ("", vec![known.clone()], no_header.clone()),
        ("v1,not base64", vec![known.clone()], no_header.clone()),
        (SIGNATURE.trim_start_matches("v1,"), vec![known.clone()], no_header.clone()),
        ("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", vec![known], no_header),
    ];
    for (signature, secrets, expected) in table {
        let answer = verify_at(&published(signature), BODY, &secrets, TOLERANCE, at(TIME)).map(|_| ());
        assert_eq!(answer, expected, "{signature:?} with {} secrets", secrets.len());
    }
}

#[test]
fn headers_that_are_missing_twice_there_or_not_valid_are_refused() {
    let (id, time, signature) =
        (("webhook-id", ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", SIGNATURE));
    let table = [
        (vec![time, signature], "webhook-id"),
        (vec![id, signature], "webhook-timestamp"),
        (vec![id, time], "webhook-signature"),
        (vec![id, id, time, signature], "webhook-id"),
        (vec![id, time, time, signature], "webhook-timestamp"),
        (vec![("webhook-id", ""), time, signature], "webhook-id"),
        // "a.b" at 1 could be "a" at b.
        (vec![("webhook-id", "a.b"), time, signature], "webhook-id"),
        (vec![id, ("webhook-timestamp", "+1614265330"), signature], "webhook-timestamp"),
        (vec![id, ("webhook-timestamp", "-1"), signature], "webhook-timestamp"),
        (vec![id, ("webhook-timestamp", "1614265330.0"), signature], "webhook-timestamp"),
        (vec![id, ("webhook-timestamp", "99999999999999999999"), signature], "webhook-timestamp"),
        (vec![id, ("webhook-timestamp", "18446744073709551615"), signature], "webhook-timestamp"),
        (vec![id, ("webhook-timestamp", ""), signature], "webhook-timestamp"),
    ];
    for (pairs, header) in table {
        let answer = verify_at(&headers(&pairs), BODY, &[secret(SECRET)], TOLERANCE, at(TIME));
        assert_eq!(answer, Err(VerifyError::Header { header }), "{pairs:?}");
    }
}

#[test]
fn a_time_beyond_the_tolerance_is_refused_on_either_side() {
    let second = Duration::from_secs(1);
    let table = [
        (at(TIME) + TOLERANCE, None),
        (at(TIME) - TOLERANCE, None),
        (at(TIME) + TOLERANCE + second, Some(VerifyError::TooOld { age: TOLERANCE + second })),
        (at(TIME) - TOLERANCE - second, Some(VerifyError::TooNew { ahead: TOLERANCE + second })),
    ];
    for (now, expected) in table {
        let answer = verify_at(&published(SIGNATURE), BODY, &[secret(SECRET)], TOLERANCE, now);
        assert_eq!(answer.err(), expected, "{now:?}");
    }
    let old = verify(&published(SIGNATURE), BODY, &[secret(SECRET)], TOLERANCE);
    assert!(matches!(old, Err(VerifyError::TooOld { .. })), "the vector of 2021 is accepted today");
}

#[test]
fn a_secret_has_24_to_64_bytes_of_base64_and_is_not_shown() {
    let of = |bytes: usize| format!("whsec_{}", base64(&vec![7; bytes]));
    let good =
        [SECRET.to_owned(), SECRET.replace("whsec_", ""), OTHER.to_owned(), OTHER.replace('=', ""), of(24), of(64)];
    for text in good {
        assert!(SigningSecret::new(text.as_str()).is_ok(), "{text}");
    }
    let bad = [
        of(23),
        of(65),
        of(0),
        String::new(),
        format!("{SECRET}\n"),
        format!("\"{SECRET}\""),
        SECRET.replace('M', "*"),
        SECRET.replace("whsec_", "whsk_"),
        SECRET.replace("whsec_", "WHSEC_"),
    ];
    for text in bad {
        let error = SigningSecret::new(text.as_str()).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.starts_with("setting secrets: one ") && !told.contains("fKQ9r8GKYqrT"), "{text:?}: {told}");
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for letter in 0..4 {
            let is_there = letter <= three.len();
            text.push(if is_there { LETTERS[(bits >> (18 - 6 * letter)) as usize & 63] as char } else { '=' });
        }
    }
    text
}

/// A request for an event with that name, id and time, signed with both secrets.
fn signed(name: &str, id: &str, seconds: u64) -> (HeaderMap, Vec<u8>) {
    let webhook = Webhook::new("https://hooks.example").secret(SECRET).secret(OTHER);
    let event = Track::new(name).user_id("u1").message_id(id);
    let [request] = <[_; 1]>::try_from(webhook.explain(event, at(seconds)).unwrap().requests).unwrap();
    let pairs = request.headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    (pairs.collect::<HeaderMap>(), request.body.into_bytes())
}

proptest! {
    #[test]
    fn what_is_signed_is_verified_whatever_it_is(
        name in "\\PC{1,80}",
        id in "\\PC{1,60}",
        seconds in 0_u64..10_000_000_000,
    ) {
        let (headers, body) = signed(&name, &id, seconds);
        for text in [SECRET, OTHER] {
            let verified = verify_at(&headers, &body, &[secret(text)], Duration::ZERO, at(seconds));
            prop_assert!(verified.is_ok(), "{:?}: {:?}", headers, verified);
            let is_kept = verified.unwrap().id == id;
            let is_plain = id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
            prop_assert_eq!(is_kept, is_plain);
        }
    }

    #[test]
    fn a_flipped_bit_fails(name in "\\PC{1,40}", at_byte in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (headers, mut body) = signed(&name, "id", TIME);
        let index = at_byte.index(body.len());
        body[index] ^= 1 << bit;
        let answer = verify_at(&headers, &body, &[secret(SECRET), secret(OTHER)], TOLERANCE, at(TIME));
        prop_assert_eq!(answer, Err(VerifyError::Signature));
    }

    #[test]
    fn a_changed_header_fails(
        which in 0_usize..3,
        at_byte in any::<prop::sample::Index>(),
        letter in "[a-zA-Z0-9]",
    ) {
        let (mut headers, body) = signed("Ping", "an-id", TIME);
        let name = ["webhook-id", "webhook-timestamp", "webhook-signature"][which];
        let mut text = headers[name].to_str().unwrap().as_bytes().to_vec();
        if which == 2 {
            // One signature alone, whose last letters hold no bits that count.
            text.truncate(46);
        }
        let index = at_byte.index(if which == 2 { 45 } else { text.len() });
        prop_assume!(text[index] != letter.as_bytes()[0]);
        text[index] = letter.as_bytes()[0];
        headers.insert(name, http::HeaderValue::from_bytes(&text).unwrap());
        let answer = verify_at(&headers, &body, &[secret(SECRET), secret(OTHER)], TOLERANCE, at(TIME));
        prop_assert!(answer.is_err(), "{:?}", headers);
    }

    #[test]
    fn no_headers_make_it_panic(
        id in prop::collection::vec(any::<u8>(), 0..20),
        time in prop::collection::vec(any::<u8>(), 0..20),
        signature in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut headers = HeaderMap::new();
        for (name, bytes) in [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)] {
            if let Ok(value) = http::HeaderValue::from_bytes(&bytes) {
                headers.insert(name, value);
            }
        }
        prop_assert!(verify_at(&headers, BODY, &[secret(SECRET)], Duration::MAX, at(TIME)).is_err());
    }
}
