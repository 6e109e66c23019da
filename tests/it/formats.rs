//! Events and sections in formats other than JSON, and their `Debug` output.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tracklane::event::{Address, Context, Integrations, Object, Product, Properties, Timestamp, Traits};
use tracklane::plugin::{Batch, Batching, Destination, enrichment_fn};
use tracklane::testing::RecordingDestination;
use tracklane::{Alias, Analytics, Event, Group, Identify, Page, Screen, Track};

use crate::support::{Log, SOON, recorder, track};

fn full() -> Event {
    track("x")
        .message_id("m")
        .timestamp(UNIX_EPOCH)
        .property("list", json!([1, -2, 2.5, "a\"b", null, true, [], {}, [{"deep": [1]}]]))
        .property("big", u64::MAX)
        .property("\"", "quoted")
        .context(json!({"app": {"name": "é"}}))
        .integration("All", false)
        .into()
}

#[test]
fn an_event_is_a_plain_map_in_any_format() {
    let event = full();
    let text = ron::to_string(&event).unwrap();
    assert!(!text.contains("serde_json"), "{text}");
    let as_value: ron::Value = ron::from_str(&text).unwrap();
    assert!(matches!(as_value, ron::Value::Map(_)), "{text}");
    let again: Event = ron::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&event).unwrap(), "{text}");
    let section: Properties = ron::from_str(&ron::to_string(event.section()).unwrap()).unwrap();
    assert_eq!(&*section, event.section());
    assert_eq!(serde_json::to_value(&event).unwrap().to_string().len(), serde_json::to_string(&event).unwrap().len());
}

#[test]
fn a_map_is_written_as_text_is() {
    let mut event = full();
    let text = ron::to_string(&event).unwrap();
    event.section_mut().as_map_mut();
    let again: Event = ron::from_str(&ron::to_string(&event).unwrap()).unwrap();
    assert_eq!(&again.section().to_map(), &ron::from_str::<Event>(&text).unwrap().section().to_map());
}

#[test]
fn what_json_lacks_is_refused_from_any_format() {
    let table = [
        (r#"{"type":"track","event":"x","properties":{"k":NaN}}"#, "properties.k: a number is not finite"),
        (r#"{"type":"track","event":"x","properties":{"k":[inf]}}"#, "properties.k: a number is not finite"),
        (
            r#"{"type":"track","event":"x","context":{"k":{"$serde_json::private::RawValue":"1"}}}"#,
            "context.k: the key \"$serde_json::private::RawValue\"",
        ),
    ];
    for (text, problem) in table {
        let error = ron::from_str::<Event>(text).unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
    assert!(ron::from_str::<Context>(r#"{"k":NaN}"#).unwrap_err().to_string().contains("k: a number is not finite"));
    let error = ron::to_string(&Event::from(track("x").property("k", f64::NAN))).unwrap_err().to_string();
    assert!(error.contains('k') && error.contains("finite"), "{error}");
    assert!(serde_json::to_string(&Properties::new().with("k", f64::NAN)).is_err(), "no member is left out in silence");
}

/// Inside a structure that serde buffers, as for `flatten`, integers stay exact, and ids are never rounded.
#[test]
fn an_event_can_be_part_of_something_else() {
    #[derive(Deserialize, Serialize)]
    struct Line {
        offset: u64,
        #[serde(flatten)]
        event: Event,
    }
    let line: Line = serde_json::from_str(
        r#"{"offset": 7, "type": "track", "event": "x", "userId": 42, "properties": {"n": 18446744073709551615, "f": 2.5}}"#,
    )
    .unwrap();
    assert_eq!((line.offset, line.event.user_id().as_deref()), (7, Some("42")));
    let written = serde_json::to_string(&line).unwrap();
    assert!(
        written.contains(r#""n":18446744073709551615,"f":2.5"#)
            || written.contains(r#""f":2.5,"n":18446744073709551615"#),
        "{written}"
    );
    let rounded = r#"{"offset": 7, "type": "track", "event": "x", "userId": 123456789012345678901234567890}"#;
    let error = serde_json::from_str::<Line>(rounded).err().expect("no rounded id").to_string();
    assert!(error.contains("userId"), "{error}");
}

#[test]
fn debug_shows_no_content() {
    const SECRET: &str = "anna@example.com";
    let recording = RecordingDestination::new("recording");
    let analytics = Analytics::builder().plugin(recording.destination()).build().unwrap();
    let event = || track(SECRET).user_id(SECRET).property(SECRET, SECRET).context(json!({SECRET: SECRET}));
    analytics.track(event()).unwrap();
    let receipt = analytics.send_with_receipt(event()).unwrap();
    analytics.flush_blocking(SOON);
    let mut map = Object::new();
    map.as_map_mut().insert(SECRET.into(), SECRET.into());
    let refused = analytics.track(Track::new(SECRET).property(SECRET, SECRET)).unwrap_err();
    let mut shown = vec![
        format!("{:?}", Event::from(event())),
        format!("{:?}", event()),
        format!("{:?}", Identify::new().user_id(SECRET).with_trait("k", SECRET)),
        format!("{:?}", Group::new(SECRET)),
        format!("{:?}", Alias::new(SECRET, SECRET)),
        format!("{:?}", Page::new(SECRET)),
        format!("{:?}", Screen::new(SECRET)),
        format!("{map:?} {map:#?}"),
        format!("{:?}", Object::from_iter([(SECRET, SECRET)])),
        format!("{:?}", Properties::new().with("k", SECRET)),
        format!("{:?}", Traits::new().email(SECRET)),
        format!("{:?}", Context::new().with("k", SECRET)),
        format!("{:?}", Integrations::new().with("k", SECRET)),
        format!("{:?}", Address::new().city(SECRET)),
        format!("{:?}", Product::new().name(SECRET)),
        format!("{:?} {:?}", recording.events(), recording.batches()),
        format!("{:?}", recording.batches()[0].messages().collect::<Vec<_>>()),
        format!("{receipt:?} {refused:?} {refused} {:?} {:?}", refused.reason(), analytics),
        format!("{:?}", Analytics::builder().context(Context::new().with("k", SECRET))),
    ];
    let asked = Log::new();
    let log = asked.clone();
    let hangs = Destination::from_fn("hangs", move |_: Batch| {
        log.push(());
        std::future::pending::<Result<(), std::io::Error>>()
    });
    let hung = Analytics::builder().plugin(hangs.batching(Batching::single())).build().unwrap();
    hung.track(event()).unwrap();
    asked.wait_for(1);
    let report = hung.close_blocking(Duration::ZERO);
    assert_eq!(report.unsent.len(), 1);
    shown.push(format!("{report:?} {:?}", report.unsent));
    for text in shown {
        assert!(!text.contains("anna"), "{text}");
    }
    let members = format!("{:?}", Properties::new().with("k", 1).with("l", 2));
    assert!(members.contains('2'), "how many members there are is no secret: {members}");
}

#[test]
fn the_ends_of_the_range_are_timestamps_and_nothing_beyond() {
    let good = [
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("9999-12-31T23:59:59.9999999Z", 253_402_300_799_999),
        ("9999-12-31T22:00:00.000Z", 253_402_293_600_000),
        ("9999-12-31T23:59:59.999+01:00", 253_402_297_199_999),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000),
        ("0000-01-01T00:00:00-01:00", -62_167_215_600_000),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("1970-01-01T00:00:00.0009Z", 0),
        ("2016-12-31T23:59:60Z", 1_483_228_799_000),
    ];
    for (text, millis) in good {
        let timestamp: Timestamp = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(timestamp.as_unix_millis(), millis, "{text}");
        assert_eq!(timestamp, Timestamp::from_unix_millis(millis), "{text}");
        assert_eq!(timestamp.to_string().parse(), Ok(timestamp), "{text}");
        assert_eq!(timestamp.to_string().len(), 24, "{timestamp}");
    }
    let bad = [
        "9999-12-31T23:59:59.999-01:00",
        "0000-01-01T00:00:00+01:00",
        "-000001-12-31T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "",
        "10000-01-01T00:00:00Z",
        "2026-01-01T25:00:00Z",
    ];
    for text in bad {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
}

#[test]
fn time_is_rounded_downwards_whatever_it_comes_from() {
    let before = |nanos| Timestamp::from(UNIX_EPOCH - Duration::from_nanos(nanos)).as_unix_millis();
    let after = |nanos| Timestamp::from(UNIX_EPOCH + Duration::from_nanos(nanos)).as_unix_millis();
    assert_eq!([before(1), before(999_999), before(1_000_000), before(1_000_001)], [-1, -1, -1, -2]);
    assert_eq!([after(1), after(999_999), after(1_000_000)], [0, 0, 1]);
}

#[test]
fn a_system_time_is_rfc_3339_wherever_it_stands() {
    #[derive(Serialize)]
    struct Order {
        placed: SystemTime,
        times: [Option<SystemTime>; 2],
    }
    let time = UNIX_EPOCH + Duration::new(1_304_431_500, 123_999_999);
    let text = "2011-05-03T14:05:00.123Z";
    let mut object = Object::new();
    object.insert("a", time);
    object.insert("b", Order { placed: time, times: [Some(time), None] });
    object.insert("c", std::collections::BTreeMap::from([("t", time)]));
    object.insert_all(Order { placed: UNIX_EPOCH, times: [None, None] });
    let expected = json!({
        "a": text, "b": {"placed": text, "times": [text, null]}, "c": {"t": text},
        "placed": "1970-01-01T00:00:00.000Z", "times": [null, null],
    });
    assert_eq!(serde_json::to_value(&object).unwrap(), expected);
    let mut map = Object::new();
    map.as_map_mut();
    map.insert("a", time);
    assert_eq!(map.get("a"), Some(text.into()));

    // One that only has the name is left alone.
    #[derive(Serialize)]
    #[serde(rename = "SystemTime")]
    struct Other {
        secs_since_epoch: u64,
        zone: &'static str,
    }
    object.insert("a", Other { secs_since_epoch: 1, zone: "UTC" });
    assert_eq!(object.get("a"), Some(json!({"secs_since_epoch": 1, "zone": "UTC"})));
    object.insert("a", Duration::from_millis(1500));
    assert_eq!(object.get("a"), Some(json!({"secs": 1, "nanos": 500_000_000})));
}

#[test]
fn a_time_comes_from_whatever_says_one() {
    const TEXT: &str = "2011-05-03T14:05:00.123Z";
    let (seconds, nanos) = (1_304_431_500, 123_999_999);
    let time = UNIX_EPOCH + Duration::new(seconds as u64, nanos);
    let chrono = chrono::DateTime::from_timestamp(seconds, nanos).unwrap();
    let offset = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap() + Duration::from_nanos(nanos.into());
    let jiff = jiff::Timestamp::new(seconds, nanos.cast_signed()).unwrap();
    let calls: Vec<Event> = vec![
        track("x").timestamp(time).into(),
        track("x").timestamp(Timestamp::from(time)).into(),
        track("x").timestamp(TEXT).into(),
        track("x").timestamp("2011-05-03T16:05:00.1239+02:00".to_owned()).into(),
        track("x").timestamp(chrono).into(),
        track("x").timestamp(chrono.fixed_offset()).into(),
        track("x").timestamp(offset).into(),
        track("x").timestamp(jiff).into(),
        track("x").timestamp(jiff.to_zoned(jiff::tz::TimeZone::UTC)).into(),
    ];
    for event in calls {
        assert_eq!(event.timestamp().unwrap().to_string(), TEXT);
    }
    let traits = Traits::new().created_at(time).birthday("2011-05-03T14:05:00.123Z");
    assert_eq!(
        (traits.get_str("createdAt").as_deref(), traits.get_str("birthday").as_deref()),
        (Some(TEXT), Some(TEXT))
    );

    let before = [
        Timestamp::from(chrono::DateTime::from_timestamp(-1, 999_999_999).unwrap()),
        Timestamp::from(time::OffsetDateTime::from_unix_timestamp_nanos(-1).unwrap()),
        Timestamp::from(jiff::Timestamp::from_nanosecond(-1).unwrap()),
    ];
    assert!(before.iter().all(|time| time.as_unix_millis() == -1), "rounded downwards: {before:?}");

    let timestamp = Timestamp::from(time);
    assert_eq!(serde_json::to_value(timestamp).unwrap(), TEXT);
    assert_eq!(serde_json::from_value::<Timestamp>(json!("2011-05-03T16:05:00.123+02:00")).unwrap(), timestamp);
    assert!(serde_json::from_value::<Timestamp>(json!("yesterday")).unwrap_err().to_string().contains("yesterday"));
}

#[test]
fn a_time_that_is_none_is_refused_by_name() {
    let (destination, arrived) = recorder("r");
    let analytics = Analytics::builder()
        .plugin(destination)
        .plugin(enrichment_fn("late", |event: &mut Event| {
            if event.name().as_deref() == Some("plugin") {
                event.set_timestamp("yesterday");
            }
        }))
        .build()
        .unwrap();
    let table: [(&str, Event); 3] = [
        ("timestamp", track("x").timestamp("yesterday").into()),
        ("timestamp", track("x").timestamp(String::from("2026-01-01")).into()),
        ("traits.createdAt", Identify::new().user_id("u").traits(Traits::new().created_at("yesterday")).into()),
    ];
    for (field, event) in table {
        let error = analytics.send(event).unwrap_err();
        assert!(error.is_invalid() && error.to_string().contains(&format!("{field} ")), "{field}: {error}");
    }
    analytics.track(track("plugin")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    let timestamp = arrived.all()[0]["timestamp"].as_str().unwrap().parse::<Timestamp>();
    assert!(timestamp.is_ok(), "what a plugin broke is taken back");
}
