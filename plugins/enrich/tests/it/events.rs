//! The plugin in a client: what is read, what is added, and what is left alone.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::testing::RecordingDestination;
use tracklane::{Analytics, Event, Page, Track};
use tracklane_enrich::{Enrich, EnrichSettings};

/// Sends the event through the plugin. The context that arrives, without what the library says of itself.
pub(crate) fn context(enrich: &Enrich, event: impl Into<Event>) -> Value {
    let recording = RecordingDestination::new("Recording");
    let analytics =
        Analytics::builder().plugin(enrich.build().unwrap()).plugin(recording.destination()).build().unwrap();
    analytics.send(event).unwrap();
    assert!(analytics.close_blocking(Duration::from_secs(5)).is_complete());
    let mut seen = serde_json::to_value(&recording.events()[0]).unwrap()["context"].take();
    seen.as_object_mut().unwrap().remove("library");
    seen
}

fn of(sent: Value) -> Value {
    context(&Enrich::new(), Track::new("Ping").user_id("u1").context(sent))
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0";

#[test]
fn what_the_context_tells_is_added_to_it() {
    let sent = json!({
        "page": { "url": "https://shop.example/a?utm_source=news&utm_campaign=spring&gclid=abc#x", "referrer": "https://www.google.de/" },
        "userAgent": FIREFOX,
    });
    let expected = json!({
        "page": {
            "url": "https://shop.example/a?utm_source=news&utm_campaign=spring&gclid=abc#x",
            "referrer": "https://www.google.de/",
            "referring_domain": "google.de",
        },
        "userAgent": FIREFOX,
        "campaign": { "source": "news", "name": "spring", "gclid": "abc" },
        "referrer": { "type": "search", "name": "Google" },
        "browser": { "name": "Firefox", "version": "125.0" },
        "os": { "name": "Linux" },
        "device": { "type": "desktop" },
    });
    assert_eq!(of(sent), expected);
}

#[test]
fn what_is_there_is_left_alone() {
    let rows = [
        json!({ "page": { "url": "https://a.example/?utm_source=b" }, "campaign": { "name": "own" } }),
        json!({ "page": { "url": "https://a.example/?utm_source=b" }, "campaign": null }),
        json!({ "page": { "referrer": "https://t.co/x", "referring_domain": "own" }, "referrer": {} }),
        json!({ "userAgent": FIREFOX, "browser": { "name": "own" }, "os": "own", "device": { "type": "own", "id": "d" } }),
        json!({ "userAgent": "curl/8.5.0", "bot": false }),
        json!({ "page": "no object", "userAgent": 7, "userAgentData": [], "ip": {} }),
        json!({ "page": { "url": 7, "referrer": null, "search": [] } }),
        json!({ "page": { "url": "https://a.example/?page=2", "referrer": "about:blank" }, "userAgent": "Own/1.0" }),
        json!({}),
    ];
    for sent in rows {
        assert_eq!(of(sent.clone()), sent);
    }
    let device = json!({ "userAgent": FIREFOX, "device": { "id": "d" }, "os": {}, "browser": {} });
    assert_eq!(of(device)["device"], json!({ "id": "d", "type": "desktop" }), "a member is added");
}

#[test]
fn client_hints_are_believed_before_the_user_agent() {
    let sent = json!({
        "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
        "userAgentData": { "brands": [{ "brand": "Brave", "version": "124" }, { "brand": "Chromium", "version": "124" }], "platform": "Windows", "platformVersion": "15.0.0" },
    });
    let seen = of(sent);
    assert_eq!(seen["browser"], json!({ "name": "Brave", "version": "124" }));
    assert_eq!(seen["os"], json!({ "name": "Windows", "version": "11" }));
    assert_eq!(seen["device"], json!({ "type": "desktop" }), "which the hints do not tell");
}

#[test]
fn page_calls_are_read_by_their_properties_too() {
    let properties = json!({ "url": "https://a.example/?utm_medium=email", "referrer": "" });
    let seen = context(&Enrich::new(), Page::new("Home").user_id("u1").properties(properties.clone()));
    assert_eq!(seen, json!({ "campaign": { "medium": "email" }, "referrer": { "type": "direct" } }));
    let seen = context(&Enrich::new(), Track::new("Home").user_id("u1").properties(properties));
    assert_eq!(seen, json!({}), "a url of a track call may be any");
    let search = json!({ "page": { "url": "https://a.example/", "search": "?utm_medium=sms" } });
    assert_eq!(of(search)["campaign"], json!({ "medium": "sms" }));
}

#[test]
fn each_part_can_be_switched_off_and_settings_are_data() {
    let sent = || {
        let page = json!({ "url": "https://a.example/?utm_source=b", "referrer": "https://t.co/" });
        Track::new("Ping").user_id("u1").context(json!({ "page": page, "userAgent": FIREFOX }))
    };
    let members = |settings: &str| {
        let settings: EnrichSettings = serde_json::from_str(settings).unwrap();
        let seen = context(&Enrich::from(settings), sent());
        seen.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(members("{}"), "browser campaign device os page referrer userAgent");
    assert_eq!(members(r#"{ "campaign": false }"#), "browser device os page referrer userAgent");
    assert_eq!(members(r#"{ "referrer": false, "user_agent": false }"#), "campaign page userAgent");
    assert!(
        serde_json::from_str::<EnrichSettings>(r#"{ "geo": "x" }"#)
            .unwrap_err()
            .to_string()
            .contains("unknown field `geo`")
    );
    let with_metadata = context(
        &Enrich::new().metadata(true),
        Track::new("Ping").user_id("u1").context(json!({ "host": { "name": "own" } })),
    );
    assert_eq!(with_metadata["host"]["name"], "own");
}
