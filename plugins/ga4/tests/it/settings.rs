//! Settings that are taken and settings that are not.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use tracklane::event::{Context, Timestamp};
use tracklane::{Event, Identify};
use tracklane_ga4::{Ga4, Ga4Settings, Region};

use crate::support::{SECRET, ga4, track};

#[test]
fn settings_that_cannot_be_used_are_named_without_the_secret() {
    let table = [
        (Ga4::new("UA-1", SECRET), "measurement_id", "use that of a web stream"),
        (Ga4::new("G-", SECRET), "measurement_id", "use that of a web stream"),
        (Ga4::new("G-1&x=y", SECRET), "measurement_id", "use that of a web stream"),
        (Ga4::firebase("G-ABC123", SECRET), "firebase_app_id", "use the app id of Firebase's project settings"),
        (Ga4::firebase("1:12:linux:3a", SECRET), "firebase_app_id", "use the app id"),
        (Ga4::firebase("1:12:ios:3a&x=y", SECRET), "firebase_app_id", "use the app id"),
        (Ga4::new("G-ABC123", ""), "api_secret", "is empty"),
        (ga4().user_properties(["plan", "user_id"]), "user_properties", "have \"user_id\", which Google refuses"),
        (ga4().user_properties(["x".repeat(25)]), "user_properties", "at most 24 letters"),
        (ga4().user_properties(["ga_plan"]), "user_properties", "have \"ga_plan\""),
        (ga4().user_properties((0..26).map(|n| format!("p{n}"))), "user_properties", "are 26, and Google takes 25"),
        (Ga4::new("G-ABC123", "hunter2&x=y"), "api_secret", "other characters"),
        (ga4().currency("eur"), "currency", "three capital letters"),
        (ga4().name(" "), "name", "is empty"),
        (ga4().timeout(Duration::ZERO), "timeout", "is zero"),
        (ga4().host("http://www.google-analytics.com"), "host", "use https, or allow_plaintext"),
        (ga4().host("https://proxy.example?key=x"), "host", "has a query or a fragment"),
        (ga4().host("https://proxy.example/#top"), "host", "has a query or a fragment"),
    ];
    for (ga4, setting, problem) in table {
        let shown = format!("{ga4:?}");
        let error = ga4.clone().build().unwrap_err();
        assert_eq!(error.setting, setting, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(!error.to_string().contains("hunter2") && !shown.contains("hunter2"), "{error} {shown}");
        assert!(ga4.explain(track("A"), UNIX_EPOCH).is_err(), "{setting}: explain checks them, too");
    }
}

#[test]
fn a_configuration_file_sets_the_same_and_refuses_what_it_does_not_know() {
    let all = r#"{
        "measurement_id": "G-ABC123", "api_secret": "hunter2secret", "name": "Site", "region": "eu", "currency": "EUR",
        "host": "https://proxy.example", "allow_plaintext": false, "screens": true, "debug": true, "retry_unknown": true,
        "timeout_seconds": 5, "dry_run": true, "user_properties": ["plan"], "ad_user_data": "granted",
        "ad_personalization": "denied"
    }"#;
    let settings: Ga4Settings = serde_json::from_str(all).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let ga4 = Ga4::from(settings);
    assert_eq!(ga4.clone().build().unwrap().name(), "Site");
    let shown = ga4.explain(track("A").property("value", 5), UNIX_EPOCH).unwrap().to_string();
    assert!(
        shown.starts_with("POST https://proxy.example/mp/collect\n") && shown.contains("\"debug_mode\":1"),
        "{shown}"
    );
    assert!(shown.contains("\"currency\":\"EUR\"") && !shown.contains("hunter2"), "{shown}");
    assert!(shown.contains(r#""consent":{"ad_personalization":"DENIED","ad_user_data":"GRANTED"}"#), "{shown}");
    let app = r#"{"firebase_app_id": "1:12:android:3a", "api_secret": "s"}"#;
    let app = Ga4::from(serde_json::from_str::<Ga4Settings>(app).unwrap());
    assert!(app.explain(track("A"), UNIX_EPOCH).is_ok());
    for unclear in
        [r#"{"api_secret": "s"}"#, r#"{"measurement_id": "G-A", "firebase_app_id": "1:1:ios:a", "api_secret": "s"}"#]
    {
        let error = Ga4::from(serde_json::from_str::<Ga4Settings>(unclear).unwrap()).build().unwrap_err();
        assert_eq!(error.setting, "measurement_id", "{unclear}: {error}");
    }
    for wrong in [r#"{"measurement_id": "G-A", "api_secret": "s", "regions": "eu"}"#, r#"{"measurement_id": "G-A"}"#] {
        assert!(serde_json::from_str::<Ga4Settings>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn explain_shows_the_request_and_why_there_is_none() {
    let eu = ga4().region(Region::Eu).explain(track("A"), UNIX_EPOCH).unwrap();
    assert_eq!(eu.requests[0].endpoint, "https://region1.google-analytics.com/mp/collect");
    let at = UNIX_EPOCH + Duration::from_secs(100 * 60 * 60);
    let aged = |hours: u64| track("A").timestamp(Timestamp::from(at - Duration::from_secs(hours * 60 * 60)));
    assert!(ga4().explain(aged(72), at).unwrap().why_not.is_none());
    let table = [
        (ga4().explain(aged(73), at), "older than the 72 hours"),
        (ga4().explain(track("A").integration("Google Analytics 4 Cloud", false), UNIX_EPOCH), "off"),
        (ga4().explain(Identify::new().user_id("u1"), UNIX_EPOCH), "only says who"),
    ];
    for (explanation, reason) in table {
        let explanation = explanation.unwrap();
        assert!(explanation.why_not.as_ref().is_some_and(|told| told.contains(reason)), "{explanation}");
    }
}

#[test]
fn explain_says_what_is_left_out_or_cut() {
    let options = |options: Value| track("A").integration("Google Analytics 4", options);
    let properties = |properties: Value| track("A").properties(properties);
    let order = |properties: Value| track("Order Completed").properties(properties);
    let tags: Vec<usize> = (0..27).collect();
    let products: Vec<Value> = (0..202).map(|n| json!({ "product_id": n })).collect();
    let traits = json!({ "plan": "x".repeat(37), "seats": 5 });
    let table: [(Event, &[&str]); 17] = [
        (options(json!({ "sessionId": null })).into(), &[]),
        (properties(json!({ "a b": 1, "empty": "", "none": null, "list": [], "text": "x".repeat(100) })).into(), &[]),
        (
            properties(json!({ "tags": tags })).into(),
            &["left out, because Google takes 25 parameters: tags_24, tags_25, tags_26"],
        ),
        (properties(json!({ "ga_x": 1 })).into(), &["\"ga_x\" is left out: Google takes no such name"]),
        (properties(json!({ "1x": [2] })).into(), &["\"1x_0\" is left out: Google takes no such name"]),
        (
            properties(json!({ "x": { ("y".repeat(40)): 1 } })).into(),
            &["is left out: its name has more than 40 letters"],
        ),
        (properties(json!({ "x": ["y".repeat(101)] })).into(), &["\"x_0\" is cut to 100 letters"]),
        (properties(json!({ "a b": 1, "a_b": 2 })).into(), &["\"a_b\" is there more than once: the last one counts"]),
        (properties(json!({ "items": [1, {}] })).into(), &["1 of the items is left out: Google takes 200 objects"]),
        (properties(json!({ "session_id": "s1" })).into(), &["\"session_id\" is left out: it is not a number"]),
        (
            options(json!({ "sessionId": "GS1.1.17" })).into(),
            &["the option \"sessionId\" is left out: it is not a number"],
        ),
        (options(json!({ "engagement_time_msec": [] })).into(), &["the option \"engagement_time_msec\" is left out"]),
        (order(json!({ "total": 5 })).into(), &["the value is left out: it has no currency"]),
        (
            order(json!({ "products": [{ "sku": "a", "brand": "b".repeat(101) }, { "price": 5 }] })).into(),
            &[
                "item_brand of products[0] is cut to 100 letters",
                "products[1] is left out: it has neither an id nor a name",
            ],
        ),
        (order(json!({ "products": products })).into(), &["2 of the items are left out: Google takes 200 objects"]),
        (track(&"x".repeat(41)).into(), &["the name of the event is cut to 40 letters"]),
        (
            track("A").context(Context::new().with("traits", traits)).into(),
            &["the user property \"plan\" is cut to 36 letters"],
        ),
    ];
    for (event, notes) in table {
        let explanation = ga4().user_properties(["plan", "seats", "absent"]).explain(event, UNIX_EPOCH).unwrap();
        assert_eq!(explanation.notes.len(), notes.len(), "{notes:?} {:?}", explanation.notes);
        for (told, note) in explanation.notes.iter().zip(notes) {
            assert!(told.contains(note), "{note}: {told}");
        }
    }
    let none = ga4().explain(Identify::new().user_id("u1").with_trait("x", "y".repeat(101)), UNIX_EPOCH).unwrap();
    assert!(none.notes.is_empty(), "nothing is sent: {none}");
}
