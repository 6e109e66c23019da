//! Settings that are taken and settings that are not.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use tracklane::{Alias, Group};
use tracklane_amplitude::{Amplitude, AmplitudeSettings, Region};

use crate::support::{KEY, amplitude, track};

#[test]
fn settings_that_cannot_be_used_are_named_without_the_key() {
    let table = [
        (Amplitude::new(""), "api_key", "is empty"),
        (Amplitude::new("hunter2 "), "api_key", "white space"),
        (amplitude().host("https://proxy.example?key=x"), "host", "has a query or a fragment"),
        (amplitude().host("api2.amplitude.com"), "host", "has no scheme"),
        (amplitude().host("http://api2.amplitude.com"), "host", "use https, or allow_plaintext"),
        (amplitude().group_type(""), "group_type", "is empty"),
        (amplitude().name(""), "name", "is empty"),
        (amplitude().timeout(Duration::ZERO), "timeout", "is zero"),
    ];
    for (amplitude, setting, problem) in table {
        let shown = format!("{amplitude:?}");
        let error = amplitude.clone().build().unwrap_err();
        assert_eq!(error.setting, setting, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(!error.to_string().contains("hunter2") && !shown.contains("hunter2"), "{error} {shown}");
        assert!(amplitude.explain(track(), UNIX_EPOCH).is_err(), "{setting}: explain checks them, too");
    }
}

#[test]
fn each_region_has_its_host() {
    for (region, host) in [(Region::Us, "api2"), (Region::Eu, "api.eu")] {
        let explanation = amplitude().region(region).explain(track(), UNIX_EPOCH).unwrap();
        assert_eq!(explanation.requests[0].endpoint, format!("https://{host}.amplitude.com/batch"));
    }
}

#[test]
fn a_configuration_file_sets_the_same_and_refuses_what_it_does_not_know() {
    let all = r#"{
        "api_key": "hunter2key", "name": "Product", "region": "eu", "host": "https://proxy.example",
        "allow_plaintext": false, "group_type": "company", "groups_from_context": false, "set_once": ["createdAt"],
        "products": "per_product", "user_mapping": true, "gzip": true, "timeout_seconds": 30, "dry_run": true
    }"#;
    let settings: AmplitudeSettings = serde_json::from_str(all).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let amplitude = Amplitude::from(settings);
    assert_eq!(amplitude.clone().build().unwrap().name(), "Product");
    let shown = amplitude.explain(Group::new("g1").user_id("u1"), UNIX_EPOCH).unwrap().to_string();
    assert!(
        shown.contains("POST https://proxy.example/batch\n") && shown.contains("\"groups\":{\"company\":\"g1\"}"),
        "{shown}"
    );
    assert!(shown.contains("\"client_upload_time\":\"1970-01-01T00:00:00.000Z\"") && !shown.contains(KEY), "{shown}");
    for wrong in [r#"{"api_key": "k", "regions": "us"}"#, r#"{}"#, r#"{"api_key": "k", "products": "some"}"#] {
        assert!(serde_json::from_str::<AmplitudeSettings>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn explain_says_why_an_event_is_not_sent() {
    let table = [
        (
            amplitude().explain(track().integration("Actions Amplitude", false), UNIX_EPOCH),
            "switch \"Actions Amplitude\" off",
        ),
        (amplitude().explain(track().integration("Amplitude", json!(null)), UNIX_EPOCH), "switch \"Amplitude\" off"),
        (amplitude().explain(Alias::new("old", "new"), UNIX_EPOCH), "only with an add-on"),
        (amplitude().explain(track().user_id("null"), UNIX_EPOCH), "refuses the id"),
    ];
    for (explanation, reason) in table {
        let explanation = explanation.unwrap();
        assert!(explanation.why_not.as_ref().is_some_and(|told| told.contains(reason)), "{explanation}");
    }
}
