//! Settings that are taken and settings that are not.

use tracklane::Identify;
use tracklane_ga4::{Ga4, Ga4Settings, Region};

use crate::support::{SECRET, ga4, track};

#[test]
fn settings_that_cannot_be_used_are_named_without_the_secret() {
    let table = [
        (Ga4::new("UA-1", SECRET), "measurement_id", "use that of a web stream"),
        (Ga4::new("G-", SECRET), "measurement_id", "use that of a web stream"),
        (Ga4::new("G-1&x=y", SECRET), "measurement_id", "use that of a web stream"),
        (Ga4::new("G-ABC123", ""), "api_secret", "is empty"),
        (Ga4::new("G-ABC123", "hunter2&x=y"), "api_secret", "other characters"),
        (ga4().currency("eur"), "currency", "three capital letters"),
        (ga4().host("http://www.google-analytics.com"), "host", "use https, or allow_plaintext"),
    ];
    for (ga4, setting, problem) in table {
        let shown = format!("{ga4:?}");
        let error = ga4.clone().build().unwrap_err();
        assert_eq!(error.setting, setting, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(!error.to_string().contains("hunter2") && !shown.contains("hunter2"), "{error} {shown}");
        assert!(ga4.explain(track("A")).is_err(), "{setting}: explain checks them, too");
    }
}

#[test]
fn a_configuration_file_sets_the_same_and_refuses_what_it_does_not_know() {
    let all = r#"{
        "measurement_id": "G-ABC123", "api_secret": "hunter2secret", "name": "Site", "region": "eu", "currency": "EUR",
        "host": "https://proxy.example", "allow_plaintext": false, "screens": true, "debug": true, "retry_unknown": true,
        "timeout_seconds": 5, "dry_run": true
    }"#;
    let settings: Ga4Settings = serde_json::from_str(all).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let ga4 = Ga4::from(settings);
    assert_eq!(ga4.clone().build().unwrap().name(), "Site");
    let shown = ga4.explain(track("A").property("value", 5)).unwrap().to_string();
    assert!(shown.starts_with("POST https://proxy.example/…\n") && shown.contains("\"debug_mode\":1"), "{shown}");
    assert!(shown.contains("\"currency\":\"EUR\"") && !shown.contains("hunter2"), "{shown}");
    for wrong in [r#"{"measurement_id": "G-A", "api_secret": "s", "regions": "eu"}"#, r#"{"measurement_id": "G-A"}"#] {
        assert!(serde_json::from_str::<Ga4Settings>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn explain_shows_the_request_and_why_there_is_none() {
    let eu = ga4().region(Region::Eu).explain(track("A")).unwrap();
    assert_eq!(eu.requests[0].endpoint, "https://region1.google-analytics.com/…");
    let table = [
        (ga4().explain(track("A").integration("Google Analytics 4 Cloud", false)), "off"),
        (ga4().explain(Identify::new().user_id("u1")), "only says who"),
    ];
    for (explanation, reason) in table {
        let explanation = explanation.unwrap();
        assert!(explanation.why_not.as_ref().is_some_and(|told| told.contains(reason)), "{explanation}");
    }
}
