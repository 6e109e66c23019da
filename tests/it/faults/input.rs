//! Events that cannot be sent: too large, too deeply nested, or with numbers that JSON cannot hold.

use std::thread;

use serde::Serialize;
use serde_json::{Value, json};
use tracklane::event::{InvalidField, MAX_DEPTH, MAX_EVENT_BYTES};
use tracklane::{RefusalReason, Track};

use crate::support::Trial;

fn sized(text: usize) -> Track {
    Track::new("Sized").message_id("m-900000").user_id("u1").property("text", "i".repeat(text))
}

#[test]
pub(super) fn the_size_limit_is_exact() {
    let trial = Trial::new();
    let too_large = trial.analytics.track(sized(MAX_EVENT_BYTES)).expect_err("with its frame it is too large");
    let RefusalReason::Invalid(InvalidField::TooLarge { bytes }) = too_large.reason() else {
        panic!("{too_large}");
    };
    let fits = 2 * MAX_EVENT_BYTES - bytes;
    assert!(trial.analytics.track(sized(fits + 1)).expect_err("one byte more than fits").is_invalid());
    trial.analytics.track(sized(fits)).expect("it fits");
    trial.settled();
    let body = trial.api.requests()[0].json().expect("a batch");
    let sent = serde_json::to_vec(&body["batch"][0]).expect("JSON");
    assert_eq!(sent.len(), MAX_EVENT_BYTES, "as large as may be, on the wire");
    trial.analytics.track(sized(fits - 1)).expect("one byte less");
    assert!(trial.analytics.track(sized(4 * 1024 * 1024)).expect_err("4 MB").is_invalid());
    trial.settled();
    trial.api.clear();
    trial.survives();
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!([]), |inner, _| Value::Array(vec![inner]))
}

#[test]
pub(super) fn nesting_is_refused_without_recursion() {
    let small_stack = thread::Builder::new().stack_size(256 * 1024);
    let on_a_small_stack = small_stack.spawn(|| {
        let trial = Trial::new();
        let sends = |depth| trial.analytics.track(Track::new("Deep").user_id("u1").property("deep", nested(depth)));
        let limit = (1..=2 * MAX_DEPTH).take_while(|depth| sends(*depth).is_ok()).count();
        assert!((MAX_DEPTH - 2..=MAX_DEPTH).contains(&limit), "{limit}");
        for depth in [limit + 1, 1_000, 1_000_000] {
            let refused = sends(depth).expect_err("too deep");
            assert!(refused.is_invalid(), "{depth}: {refused}");
        }
        trial.settled();
        trial.api.clear();
        trial.survives();
    });
    on_a_small_stack.expect("a thread").join().expect("no overflow");
}

#[derive(Serialize)]
struct Measured {
    value: f64,
    other: u8,
}

#[test]
pub(super) fn numbers_that_json_lacks_are_refused() {
    let trial = Trial::new();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let sent = || Track::new("Measured").user_id("u1");
        for sent in [sent().property("bare", value), sent().property("inner", Measured { value, other: 7 })] {
            let refused = trial.analytics.track(sent).expect_err("it would arrive as null");
            assert!(refused.is_invalid() && refused.to_string().contains("NaN or infinite"), "{refused}");
        }
    }
    trial.survives();
}
