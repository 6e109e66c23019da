//! A wrong setting is an error of `build` that names the setting and its value; a key is never shown.

use std::time::Duration;

use serde_json::json;
use tracklane::event::Context;
use tracklane::plugin::{Destination, enrichment_fn};
use tracklane::segment::Segment;
use tracklane::{Analytics, Builder, Event};

use crate::local::recorder;

fn settings() -> Builder {
    Analytics::builder("SECRET_KEY")
}

#[test]
fn a_wrong_setting_is_named_with_its_value() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let longer = DAY + Duration::from_nanos(1);
    let nothing = |_: &mut Event| ();
    let table: Vec<(Builder, &str, &str)> = vec![
        (Analytics::builder(""), "write_key", ""),
        (Analytics::builder("  \n"), "write_key", ""),
        (Analytics::builder("SECRET_KEY".repeat(200)), "write_key", ""),
        (settings().host("api.segment.io"), "host", "\"api.segment.io\""),
        (settings().host(""), "host", "\"\""),
        (settings().host("ftp://api.segment.io"), "host", "\"ftp://api.segment.io\""),
        (settings().host("http://api.segment.io"), "host", "\"http://api.segment.io\""),
        (settings().host("https://"), "host", "\"https://\""),
        (settings().host("https://x.y/?a=b"), "host", "\"https://x.y/?a=b\""),
        (settings().host("https://SECRET_KEY:pw@x.y"), "host", ""),
        (settings().path(""), "path", "\"/\""),
        (settings().path("/v1/batch?x=1"), "path", "\"/v1/batch?x=1\""),
        (settings().flush_at(0), "flush_at", "0"),
        (settings().flush_at(2_501), "flush_at", "2501"),
        (settings().flush_interval(Duration::ZERO), "flush_interval", "0ns"),
        (settings().flush_interval(longer), "flush_interval", "86400.000000001s"),
        (settings().flush_interval(Duration::MAX), "flush_interval", "18446744073709551615.999999999s"),
        (settings().http_request_timeout(Duration::ZERO), "http_request_timeout", "0ns"),
        (settings().http_request_timeout(Duration::from_micros(999)), "http_request_timeout", "999µs"),
        (settings().http_request_timeout(longer), "http_request_timeout", "86400.000000001s"),
        (settings().max_in_flight(0), "max_in_flight", "0"),
        (settings().max_queue_size(0), "max_queue_size", "0"),
        (settings().max_queue_bytes(0), "max_queue_bytes", "0"),
        (settings().context(json!([1])), "context", ""),
        (settings().context(Context::new().with("load", f64::NAN)), "context", ""),
        (settings().plugin(enrichment_fn("a", nothing)).plugin(enrichment_fn("a", nothing)), "plugin", "\"a\""),
        (settings().plugin(recorder("Segment.io").0), "plugin", "\"Segment.io\""),
    ];
    for (builder, setting, value) in table {
        let error = builder.build().unwrap_err();
        assert_eq!((error.setting(), error.value()), (setting, value), "{error}");
        let said = format!("{error} {error:?}");
        assert!(said.contains(setting) && said.contains(value), "{said}");
        assert!(!said.contains("SECRET_KEY"), "{said}");
    }
}

#[test]
fn what_is_wrong_with_the_context_is_said_in_words() {
    let conflict = Context::new().locale("en").extra(json!({"locale": "de"}));
    let table = [
        (settings().context(json!([1])), "an array, and must be an object with keys"),
        (settings().context(Context::new().with("load", f64::NAN)), "load: a number is not finite"),
        (settings().context(conflict), "locale: one value from a setter and another from extra"),
    ];
    for (builder, problem) in table {
        let said = builder.build().unwrap_err().to_string();
        assert_eq!(said, format!("setting context: cannot be sent: {problem}"));
    }
}

#[test]
fn the_bounds_themselves_are_allowed() {
    let builders = [
        settings().flush_at(1).flush_interval(Duration::from_millis(1)),
        settings().flush_at(2_500).flush_interval(Duration::from_secs(24 * 60 * 60)),
        settings().http_request_timeout(Duration::from_millis(1)).max_retries(0).max_in_flight(1),
        settings().max_queue_size(1).max_queue_bytes(1),
        settings().max_queue_size(usize::MAX).max_queue_bytes(usize::MAX).max_retries(u32::MAX),
        settings().host("http://127.0.0.1:1"),
        settings().host("http://collector.internal").allow_plaintext(true),
    ];
    for builder in builders {
        builder.build().unwrap();
    }
}

#[test]
fn segment_as_a_plain_destination_is_checked_alike() {
    let error = Segment::new("k").user_agent("two\nlines").build().unwrap_err();
    assert_eq!((error.setting(), error.value()), ("user_agent", "\"two\\nlines\""));
    let error = Segment::new("k").flush_at(0).build().unwrap_err();
    assert_eq!((error.setting(), error.value()), ("flush_at", "0"));
    let second: Destination = Segment::new("other").name("Segment (EU)").build().unwrap();
    assert_eq!(second.name(), "Segment (EU)");
    Analytics::builder("k").plugin(second).build().unwrap();
}

#[test]
fn the_key_is_in_no_debug_output() {
    let builder = settings();
    assert!(!format!("{builder:?}").contains("SECRET_KEY"));
    let analytics = builder.build().unwrap();
    assert!(!format!("{analytics:?} {:?}", analytics.pipeline()).contains("SECRET_KEY"));
    assert!(!format!("{:?}", Segment::new("SECRET_KEY")).contains("SECRET_KEY"));
}

#[test]
fn the_defaults_are_those_of_the_documents() {
    assert_eq!(Segment::HOST, "https://api.segment.io");
    assert_eq!(Segment::PATH, "/v1/batch");
    assert_eq!(Segment::FLUSH_AT, 15);
    assert_eq!(Segment::FLUSH_INTERVAL, Duration::from_secs(10));
    assert_eq!(Segment::HTTP_REQUEST_TIMEOUT, Duration::from_secs(10));
    assert_eq!(Segment::MAX_IN_FLIGHT, 8);
    assert_eq!(Builder::MAX_QUEUE_SIZE, 10_000);
    assert_eq!(Builder::MAX_QUEUE_BYTES, 32 * 1024 * 1024);
}
