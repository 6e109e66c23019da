//! A wrong setting is an error of `build` with the setting's name and value. A key never appears in it.

use std::time::Duration;

use serde_json::json;
use tracklane::event::{Context, MAX_EVENT_BYTES};
use tracklane::plugin::{Destination, RetryPolicy, enrichment_fn};
use tracklane::segment::{Region, Segment};
use tracklane::{Analytics, Builder, Event, Settings};

use crate::support::{SOON, api, recorder, track};

fn settings() -> Builder {
    Analytics::builder_for("SECRET_KEY")
}

fn of(segment: Segment) -> Builder {
    Analytics::builder().segment(segment)
}

fn segment() -> Segment {
    Segment::new("SECRET_KEY")
}

fn retry(retry: RetryPolicy) -> Builder {
    of(segment().retry(retry))
}

#[test]
fn a_wrong_setting_is_named_with_its_value() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let longer = DAY + Duration::from_nanos(1);
    let nothing = |_: &mut Event| ();
    let table: Vec<(Builder, &str, &str)> = vec![
        (Analytics::builder_for(""), "write_key", ""),
        (Analytics::builder_for("  \n"), "write_key", ""),
        (Analytics::builder_for("SECRET_KEY".repeat(200)), "write_key", ""),
        (of(segment().host("api.segment.io")), "host", "\"api.segment.io\""),
        (of(segment().host("")), "host", "\"\""),
        (of(segment().host("ftp://api.segment.io")), "host", "\"ftp://api.segment.io\""),
        (of(segment().host("http://api.segment.io")), "host", "\"http://api.segment.io\""),
        (of(segment().host("https://")), "host", "\"https://\""),
        (of(segment().host("https://x.y/?a=b")), "host", "\"https://x.y/?a=b\""),
        (of(segment().host("https://SECRET_KEY:pw@x.y")), "host", ""),
        (of(segment().path("")), "path", "\"/\""),
        (of(segment().path("/v1/batch?x=1")), "path", "\"/v1/batch?x=1\""),
        (of(segment().flush_at(0)), "flush_at", "0"),
        (of(segment().flush_at(2_501)), "flush_at", "2501"),
        (of(segment().flush_interval(Duration::ZERO)), "flush_interval", "0ns"),
        (of(segment().flush_interval(longer)), "flush_interval", "86400.000000001s"),
        (of(segment().flush_interval(Duration::MAX)), "flush_interval", "18446744073709551615.999999999s"),
        (of(segment().http_request_timeout(Duration::ZERO)), "http_request_timeout", "0ns"),
        (of(segment().http_request_timeout(Duration::from_micros(999))), "http_request_timeout", "999µs"),
        (of(segment().http_request_timeout(longer)), "http_request_timeout", "86400.000000001s"),
        (
            retry(RetryPolicy::new().max_total_backoff(30 * DAY + Duration::from_secs(1))),
            "max_total_backoff",
            "2592001s",
        ),
        (retry(RetryPolicy::new().max_rate_limit(30 * DAY + Duration::from_secs(1))), "max_rate_limit", "2592001s"),
        (of(segment().host("https://x.y").region(Region::Dublin)), "host", "\"https://x.y\""),
        (of(segment().host("https://a:SECRET_KEY@x.y").region(Region::Dublin)), "host", "\"…\""),
        (retry(RetryPolicy::new().max_rate_limit(400 * DAY)), "max_rate_limit", "34560000s"),
        (of(segment().max_in_flight(0)), "max_in_flight", "0"),
        (settings().max_queue_size(0), "max_queue_size", "0"),
        (settings().max_queue_bytes(0), "max_queue_bytes", "0"),
        (settings().max_queue_bytes(32_767), "max_queue_bytes", "32767"),
        (settings().context(json!([1])), "context", ""),
        (settings().context(Context::new().with("load", f64::NAN)), "context", ""),
        (settings().plugin(enrichment_fn("", nothing)), "plugin", "\"\""),
        (of(segment().name("")), "name", "\"\""),
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
fn a_key_with_the_end_of_its_line_is_refused_at_once_and_later() {
    let handle = segment().key_handle();
    for key in ["SECRET_KEY\n", "SECRET_KEY\r\n", " SECRET_KEY", "SECRET\tKEY", "SECRET\u{a0}KEY", "SECRET_KEY\u{1}"] {
        let errors = [Analytics::new(key).unwrap_err().to_string(), handle.set_write_key(key).unwrap_err().to_string()];
        for error in errors {
            let said =
                "setting write_key: has white space or control characters: copy it again, without the line's end";
            assert_eq!(error, said, "{key:?}");
        }
    }
}

#[test]
fn what_is_wrong_with_the_context_is_said_in_words() {
    let table = [
        (settings().context(json!([1])), "an array, and must be an object with keys"),
        (settings().context(Context::new().with("load", f64::NAN)), "load: a number is not finite"),
        (settings().context(json!(null)), "null, and must be an object with keys"),
    ];
    for (builder, problem) in table {
        let said = builder.build().unwrap_err().to_string();
        assert_eq!(said, format!("setting context: cannot be sent: {problem}"));
    }
    let large = settings().context(Context::new().with("load", "x".repeat(40_000))).build().unwrap_err();
    let said = "setting context: has 40011 bytes of JSON, and a whole event may have 32768";
    assert_eq!(large.to_string(), said, "every call would be refused");
}

#[test]
fn the_bounds_themselves_are_allowed() {
    const THIRTY_DAYS: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    let policy = RetryPolicy::new;
    let builders = [
        of(segment().flush_at(1).flush_interval(Duration::from_millis(1))),
        of(segment().flush_at(2_500).flush_interval(Duration::from_secs(24 * 60 * 60))),
        of(segment().http_request_timeout(Duration::from_millis(1)).retry(policy().max_retries(0)).max_in_flight(1)),
        retry(policy().max_total_backoff(THIRTY_DAYS).max_rate_limit(THIRTY_DAYS)),
        retry(policy().max_total_backoff(Duration::ZERO).max_rate_limit(Duration::ZERO)),
        settings().max_queue_size(1).max_queue_bytes(32_768),
        retry(policy().max_retries(u32::MAX)).max_queue_size(usize::MAX).max_queue_bytes(usize::MAX),
        of(segment().host("http://127.0.0.1:1")),
        of(segment().host("http://collector.internal").allow_plaintext(true)),
    ];
    for builder in builders {
        builder.build().unwrap();
    }
}

/// Neither order nor absence matters: each setting has one place, and the last value of it counts.
#[test]
fn a_setting_can_be_set_before_and_after_segment() {
    let api = api();
    for first in [true, false] {
        let segment = || segment().host(api.url()).flush_at(1);
        let context = json!({"order": first});
        let builder = match first {
            true => Analytics::builder().segment(Segment::new("other")).segment(segment()).context(context),
            false => Analytics::builder().context(context).segment(segment()),
        };
        let analytics = builder.build().unwrap();
        analytics.track(track("x")).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete());
    }
    let sent: Vec<_> = api.requests().iter().map(|request| request.json().unwrap()).collect();
    for (request, first) in sent.iter().zip([true, false]) {
        assert_eq!(
            (&request["writeKey"], &request["batch"][0]["context"]["order"]),
            (&json!("SECRET_KEY"), &json!(first))
        );
    }
    assert_eq!(sent.len(), 2);
}

#[test]
fn what_is_set_in_a_file_can_be_added_to_in_code() {
    let api = api();
    let settings: Settings =
        serde_json::from_value(json!({"write_key": "k", "flush_at": 1, "disable": false})).unwrap();
    let segment = settings.segment().unwrap().host(api.url());
    let (name, names) = std::sync::mpsc::channel();
    let segment = segment.wrap(move |destination| {
        name.send(destination.name().to_owned()).unwrap();
        destination
    });
    let analytics = settings.into_builder().unwrap().segment(segment).build().unwrap();
    assert_eq!(names.try_recv().unwrap(), "Segment.io", "it is wrapped once, and when it is built");
    analytics.track(track("x")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.request_count(), 1);
}

#[test]
fn a_disabled_client_checks_its_settings_all_the_same() {
    for (segment, setting) in [
        (segment().host("nonsense"), "host"),
        (segment().proxy("htp://proxy.example"), "proxy"),
        (segment().max_in_flight(0), "max_in_flight"),
    ] {
        assert_eq!(of(segment).disable(true).build().unwrap_err().setting(), setting);
    }
}

#[tokio::test]
async fn the_largest_event_fits_the_smallest_queue() {
    let api = api();
    let analytics = of(segment().host(api.url()).flush_at(1)).max_queue_bytes(MAX_EVENT_BYTES).build().unwrap();
    let sized = |bytes: usize| track("Large").message_id("m").property("filler", "x".repeat(bytes));
    let largest = (0..MAX_EVENT_BYTES).rev().map(sized).find(|event| analytics.track(event.clone()).is_ok());
    let largest = largest.expect("some event is not too large");
    tokio::time::timeout(SOON, analytics.send_when_ready(largest)).await.expect("there is room for it").unwrap();
    assert!(analytics.close(SOON).await.is_complete());
}

#[tokio::test]
async fn the_largest_event_fits_the_smallest_queue_with_a_callback_too() {
    let api = api();
    let analytics = of(segment().host(api.url()).flush_at(1)).max_queue_bytes(MAX_EVENT_BYTES).build().unwrap();
    let sized = |bytes: usize| track("Large").message_id("m").property("filler", "x".repeat(bytes));
    let is_accepted = |bytes: &usize| analytics.track(sized(*bytes)).is_ok();
    let bytes = (0..MAX_EVENT_BYTES).rev().find(is_accepted).expect("some event is not too large");
    let watched = sized(bytes).on_delivery(|_| {});
    tokio::time::timeout(SOON, analytics.send_when_ready(watched)).await.expect("there is room for it").unwrap();
    assert!(analytics.close(SOON).await.is_complete());
}

#[test]
fn segment_as_a_plain_destination_is_checked_alike() {
    let error = Segment::new("k").user_agent("two\nlines").build().unwrap_err();
    assert_eq!((error.setting(), error.value()), ("user_agent", "\"two\\nlines\""));
    let error = Segment::new("k").flush_at(0).build().unwrap_err();
    assert_eq!((error.setting(), error.value()), ("flush_at", "0"));
    let second: Destination = Segment::new("other").name("Segment (EU)").build().unwrap();
    assert_eq!(second.name(), "Segment (EU)");
    Analytics::builder_for("k").plugin(second).build().unwrap();
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

#[test]
fn the_environment_goes_before_a_file_and_a_place_is_taken_from_one_of_them() {
    let written = |json| serde_json::from_value::<Settings>(json).unwrap();
    let file = json!({"write_key": "k", "region": "dublin", "flush_at": 7, "max_retries": 1});
    let merged = |before| written(before).or(written(file.clone())).into_builder().unwrap().build().unwrap();
    assert!(format!("{:?}", written(json!({})).or(written(file.clone()))).contains("region: Some(Dublin)"));
    // Host and region together would be an error.
    let api = crate::support::api();
    let analytics = merged(json!({"host": api.url(), "flush_at": 1}));
    analytics.track(track("x")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.requests()[0].json().unwrap()["writeKey"], "k");
}

#[test]
fn a_key_must_be_written_unless_the_client_is_disabled() {
    let written = |json| serde_json::from_value::<Settings>(json).unwrap().into_builder();
    let error = written(json!({})).unwrap_err();
    assert_eq!(error.to_string(), "setting write_key: is not set: write it in the file, or set TRACKLANE_WRITE_KEY");
    let analytics = written(json!({"disable": true})).unwrap().build().unwrap();
    analytics.track(track("x")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).dropped, 1);
}

#[test]
fn one_build_says_all_that_is_wrong_a_line_each() {
    let wrong = Segment::new(" ")
        .flush_at(0)
        .flush_interval(Duration::ZERO)
        .host("api.segment.io")
        .user_agent("a\nb")
        .header("host", "h")
        .header("x y", "z")
        .proxy("nowhere");
    let settings = Analytics::builder().segment(wrong).max_queue_size(0).inspector("nowhere").on_name("eror", |_| {});
    let error = settings.build().unwrap_err();
    let said = error.to_string();
    for begin in [
        "setting max_queue_size is 0: ",
        "setting write_key: ",
        "setting flush_at is 0: ",
        "setting flush_interval is 0ns: ",
        "setting host is \"api.segment.io\": has no scheme",
        "setting user_agent is \"a\\nb\": ",
        "setting header is \"host\": ",
        "setting header is \"x y\": is not the name of a header: ",
        "setting proxy: ",
        "setting inspector: ",
        "setting on_name: there is no signal \"eror\"",
    ] {
        assert_eq!(said.lines().filter(|line| line.starts_with(begin)).count(), 1, "{begin}\n{said}");
    }
    assert_eq!(said.lines().count(), 11, "{said}");
}

#[test]
fn what_is_missing_does_not_hide_what_is_wrong() {
    let file: Settings = serde_json::from_str(r#"{"flush_at": 0, "max_queue_size": 0}"#).unwrap();
    let said = file.into_builder().unwrap_err().to_string();
    let begins = ["setting write_key: is not set", "setting flush_at is 0: ", "setting max_queue_size is 0: "];
    assert_eq!(said.lines().count(), begins.len(), "{said}");
    for (line, begin) in said.lines().zip(begins) {
        assert!(line.starts_with(begin), "{line}");
    }
}
