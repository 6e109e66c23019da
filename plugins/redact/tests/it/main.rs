//! What arrives at a destination behind the plugin.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::testing::RecordingDestination;
use tracklane::{Alias, Analytics, Event, Group, Identify, Page, Track};
use tracklane_redact::{Action, Detector, Redact, RedactError, RedactSettings};

/// Sends the event through the plugin. What arrives, or null.
fn through(redact: &Redact, event: impl Into<Event>) -> Value {
    let recording = RecordingDestination::new("Recording");
    let analytics =
        Analytics::builder().plugin(redact.build().unwrap()).plugin(recording.destination()).build().unwrap();
    analytics.send(event).unwrap();
    let report = analytics.close_blocking(Duration::from_secs(5));
    assert_eq!(report.pending, 0, "the event has an outcome");
    recording.events().first().map_or(Value::Null, |event| serde_json::to_value(event).unwrap())
}

fn track(properties: Value) -> Track {
    Track::new("Order Completed").user_id("u1").properties(properties)
}

#[test]
fn the_secrets_of_a_plain_event_are_gone_and_the_rest_is_as_it_was() {
    let properties = json!({
        "password": "hunter2", "Api-Key": "k", "total": 39.95, "card": "4111 1111 1111 1111", "number": 4111111111111111_u64,
        "nested": [{ "accessToken": "t", "plan": "pro" }, "https://u:p@example.com/?token=abc&page=2"],
        "order_id": "1234567890123456", "email": "ann@example.com", "at": 1_700_000_000_000_u64,
    });
    let seen = through(&Redact::secrets(), track(properties));
    let expected = json!({
        "total": 39.95, "card": "**** **** **** 1111", "number": "************1111",
        "nested": [{ "plan": "pro" }, "https://[redacted]@example.com/?token=[redacted]&page=2"],
        "order_id": "1234567890123456", "email": "ann@example.com", "at": 1_700_000_000_000_u64,
    });
    assert_eq!(seen["properties"], expected);
}

#[test]
fn an_event_without_anything_sensitive_is_not_touched() {
    let redact = Redact::pii().mark(true);
    let event = track(json!({ "total": 39.950, "sku": "G-32", "nested": { "a": [1, null, true] } }));
    let seen = through(&redact, event);
    assert_eq!(seen["properties"], json!({ "total": 39.95, "sku": "G-32", "nested": { "a": [1, null, true] } }));
    assert!(seen["context"].get("redacted").is_none(), "nothing is marked: {seen}");
    assert_eq!(redact.counts().to_string(), "0 by path, 0 by key, 0 not allowed");
}

#[test]
fn personal_data_goes_with_its_preset_only_in_each_kind_of_call() {
    let identify = || Identify::new().user_id("u1").traits(json!({ "email": "ann@example.com", "plan": "pro" }));
    assert_eq!(through(&Redact::secrets(), identify())["traits"]["email"], "ann@example.com");
    assert_eq!(through(&Redact::pii(), identify())["traits"], json!({ "email": "[redacted]", "plan": "pro" }));
    let group = Group::new("g1").user_id("u1").traits(json!({ "owner": "mail ann@example.com" }));
    assert_eq!(through(&Redact::pii(), group)["traits"]["owner"], "mail [redacted]");
    let page = Page::new("Reset for ann@example.com").user_id("u1");
    assert_eq!(through(&Redact::pii(), page)["name"], "Reset for [redacted]", "names are text, too");
    let alias = Alias::new("ann@example.com", "u2");
    assert_eq!(through(&Redact::pii(), alias)["previousId"], "ann@example.com", "ids are changed by path only");
}

#[test]
fn context_is_redacted_and_an_ip_is_cut() {
    let context = json!({ "ip": "203.0.113.7", "page": { "url": "https://x.example/?password=a" } });
    let seen = through(&Redact::gdpr_ip(), track(json!({})).context(context));
    assert_eq!(seen["context"]["ip"], "203.0.113.0");
    assert_eq!(seen["context"]["page"]["url"], "https://x.example/?password=[redacted]");
}

#[test]
fn rules_by_path_win_and_kept_paths_stay() {
    let redact = Redact::secrets()
        .path("properties.**.email", Action::Hash)
        .path("userId", Action::Hash)
        .path("traits.birthday", Action::Generalise)
        .keep("properties.device.token")
        .hash_key("0123456789abcdef");
    let properties = json!({ "a": { "email": "ann@example.com" }, "device": { "token": "push-1" }, "token": "t" });
    let seen = through(&redact, track(properties));
    let hash = seen["properties"]["a"]["email"].as_str().unwrap().to_owned();
    assert_eq!(hash.len(), 32, "{hash}");
    assert_eq!(seen["properties"], json!({ "a": { "email": hash }, "device": { "token": "push-1" } }));
    assert_eq!(seen["userId"].as_str().unwrap().len(), 32);
    assert_eq!(redact.counts().by_path(), 2);
    assert_eq!(redact.counts().by_key(), 1);
}

#[test]
fn items_of_arrays_have_paths_too() {
    let properties = json!({ "tags": ["a", "b"], "deep": [["x"], [["y"]]], "n": 1 });
    for (path, expected) in [
        ("properties.tags.1", json!({ "tags": ["a", "[redacted]"], "deep": [["x"], [["y"]]], "n": 1 })),
        ("properties.*.0", json!({ "tags": ["[redacted]", "b"], "deep": ["[redacted]", [["y"]]], "n": 1 })),
        ("properties.deep.1.0.*", json!({ "tags": ["a", "b"], "deep": [["x"], [["[redacted]"]]], "n": 1 })),
    ] {
        let redact = Redact::new().path(path, Action::replace());
        assert_eq!(through(&redact, track(properties.clone()))["properties"], expected, "{path}");
    }
}

#[test]
fn a_card_is_found_however_its_number_is_written() {
    for number in ["4111111111111111", "4111111111111111.0", "4.111111111111111e15", "411111111111111.1e1"] {
        let event = format!(r#"{{"type":"track","event":"A","userId":"u","properties":{{"n":{number},"o":1.5e20}}}}"#);
        let seen = through(&Redact::secrets(), serde_json::from_str::<Event>(&event).unwrap());
        assert_eq!(seen["properties"], json!({ "n": "************1111", "o": 1.5e20 }), "{number}");
    }
}

/// A plugin in front may have made a map of a section, which is written in another way.
#[test]
fn strings_with_escapes_are_read_like_any_other() {
    for text in
        ["a \"b\" \\ sk_live_4eC39HqLyjWDarjtT1zdp7dc", "\n4111111111111111\t", "\u{0}https://u:p@x.example/\u{1f600}"]
    {
        let seen = through(&Redact::secrets(), track(json!({ "list": [{ "a\"\\": text }], "b": "\\" })));
        let (shown, secret) = (seen["properties"]["list"][0]["a\"\\"].as_str().unwrap(), ["sk_live", "411111", "u:p"]);
        assert!(secret.iter().all(|secret| !shown.contains(secret)), "{text:?} became {shown:?}");
        let plain = track(json!({ "list": [{ "a\"\\": "q\"\\" }], "b": "\\" }));
        assert_eq!(through(&Redact::secrets(), plain)["properties"]["list"], json!([{ "a\"\\": "q\"\\" }]));
    }
}

#[test]
fn json_with_white_space_is_read_like_any_other() {
    let text = "{\n\t\"list\" : [ 1 , { \"password\" : \"x\" , \"b\":[ ]} , { } ] ,\r\n \"c\": null }";
    let raw = serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
    let whole = format!(r#"{{ "type" : "track", "event":"A","userId":"u", "properties" : {{ "raw" : {text} }} }}"#);
    let events: [Event; 2] =
        [Track::new("A").user_id("u").property("raw", raw).into(), serde_json::from_str(&whole).unwrap()];
    let expected = json!({ "list": [1, { "b": [] }, {}], "c": null });
    for event in events {
        assert_eq!(through(&Redact::secrets(), event)["properties"]["raw"], expected);
    }
}

#[test]
fn with_an_allow_list_nothing_else_passes() {
    let redact = Redact::secrets().allow(["properties.total", "properties.items.*.sku", "context.locale"]);
    let properties = json!({
        "total": 1, "note": "x", "items": [{ "sku": "a", "name": "b" }], "token": "t", "deep": { "total": 2 },
    });
    let context = json!({ "locale": "de", "ip": "1.2.3.4" });
    let seen = through(&redact, track(properties).context(context));
    assert_eq!(seen["properties"], json!({ "total": 1, "items": [{ "sku": "a" }] }));
    assert_eq!(seen["context"]["locale"], "de");
    assert!(seen["context"].get("ip").is_none());
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let redact = Redact::secrets().dry_run(true);
    let properties = json!({ "password": "hunter2", "card": "4111111111111111" });
    assert_eq!(through(&redact, track(properties.clone()))["properties"], properties);
    assert_eq!(redact.counts().by_key(), 1);
    assert_eq!(redact.counts().by_detector(Detector::CreditCard), 1);
    assert_eq!(redact.counts().to_string(), "0 by path, 1 by key, 0 not allowed, 1 by credit_card");
}

#[test]
fn what_was_redacted_is_marked_on_request() {
    let redact = Redact::secrets().mark(true);
    let seen = through(&redact, track(json!({ "a": [{ "password": "x" }], "card": "4111111111111111" })));
    assert_eq!(seen["context"]["redacted"], json!(["properties.a.0.password", "properties.card"]));
}

/// Each part of an event is redacted for itself: what is in one says nothing about another.
#[test]
fn a_secret_is_found_in_each_part_alone_and_in_several() {
    let text = |has_secret: bool| if has_secret { "see sk_live_4eC39HqLyjWDarjtT1zdp7dc" } else { "see" };
    for parts in 0_u32..8 {
        let [name, section, context] = [1, 2, 4].map(|part| parts & part != 0);
        let event = || {
            let event = Track::new(text(name)).user_id("u1").properties(json!({ "a": [{ "b": text(section) }] }));
            event.context(json!({ "page": { "title": text(context) } }))
        };
        let redact = Redact::secrets().mark(true);
        let seen = through(&redact, event());
        let shown = |has_secret: bool| if has_secret { "see [redacted]" } else { "see" };
        assert_eq!(seen["event"], shown(name), "{parts}");
        assert_eq!(seen["properties"], json!({ "a": [{ "b": shown(section) }] }), "{parts}");
        assert_eq!(seen["context"]["page"]["title"], shown(context), "{parts}");
        assert_eq!(redact.counts().by_detector(Detector::ApiKey), u64::from(parts.count_ones()), "{parts}");
        let marks = seen["context"].get("redacted").map_or(0, |marks| marks.as_array().unwrap().len());
        assert_eq!(marks, parts.count_ones() as usize, "{parts}");
        let dry = Redact::secrets().mark(true).dry_run(true);
        let seen = through(&dry, event());
        assert_eq!(seen["event"], text(name), "{parts}");
        assert_eq!(seen["properties"], json!({ "a": [{ "b": text(section) }] }), "{parts}");
        assert_eq!(seen["context"]["page"]["title"], text(context), "{parts}");
        assert!(seen["context"].get("redacted").is_none(), "{parts}");
        assert_eq!(dry.counts().by_detector(Detector::ApiKey), u64::from(parts.count_ones()), "{parts}");
    }
}

#[test]
fn nothing_behind_the_plugin_sees_the_original() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (after, sent) = (seen.clone(), RecordingDestination::new("Recording"));
    let analytics = Analytics::builder()
        .plugin(Redact::secrets().build().unwrap())
        .plugin(sent.destination())
        .plugin(tracklane::plugin::after_fn("look", move |message, _| {
            after.lock().unwrap().push(String::from_utf8(message.json().to_vec()).unwrap());
        }))
        .build()
        .unwrap();
    analytics.track(track(json!({ "password": "hunter2" }))).unwrap();
    analytics.close_blocking(Duration::from_secs(5));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].contains("hunter2"), "{}", seen[0]);
}

#[test]
fn a_rule_that_cannot_be_used_is_named() {
    let rows: &[(Redact, &str)] = &[
        (Redact::new().path("props.a", Action::Drop), "the path \"props.a\" begins with \"props\": begin with"),
        (Redact::new().path("properties..a", Action::Drop), "the path \"properties..a\" has an empty member"),
        (Redact::new().key("--", Action::Drop), "the key \"--\" has no letter and no digit"),
        (Redact::new().path("userId", Action::Drop), "the path \"userId\" cannot be dropped"),
        (Redact::new().key("email", Action::Hash), "the key \"email\" hashes, and there is no hash key"),
        (Redact::new().key("a", Action::Hash).hash_key("short"), "the hash key has 5 bytes"),
        (
            Redact::new().value(Detector::Email, Action::TruncateIp),
            "the detector email: truncate_ip is for ip_address only",
        ),
    ];
    for (redact, expected) in rows {
        let error: RedactError = redact.build().unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn settings_say_what_is_wrong_in_them_and_hide_the_key() {
    let read = |text: &str| serde_json::from_str::<RedactSettings>(text);
    let error = read(r#"{ "presets": "pii" }"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `presets`"), "{error}");
    let error = read(r#"{ "keys": [{ "key": "a", "action": "remove" }] }"#).unwrap_err().to_string();
    assert!(error.contains("unknown variant `remove`"), "{error}");
    let settings =
        read(r#"{ "hash_key": "a very long secret", "keys": [{ "key": "email", "action": "hash" }] }"#).unwrap();
    assert!(!format!("{settings:?}").contains("very long"), "{settings:?}");
    let redact = Redact::from(settings);
    assert!(!format!("{redact:?}").contains("very long"), "{redact:?}");
    let seen = through(&redact, track(json!({ "email": "ann@example.com", "password": "x" })));
    assert_eq!(seen["properties"]["email"].as_str().unwrap().len(), 32);
}

mod random;
