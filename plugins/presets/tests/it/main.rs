//! Each preset against a server on this machine: host, path, authorization, headers.

use std::time::Duration;

use serde_json::json;
use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, DropReason, Identify, Track};
use tracklane_presets::{
    CustomerIoRegion, CustomerIoSettings, HightouchSettings, JitsuSettings, RudderStackSettings, customer_io,
    hightouch, jitsu, rudderstack, traits_in_context,
};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn each_has_its_name_and_its_host() {
    let table = [
        (
            rudderstack("https://example.dataplane.rudderstack.com", "k"),
            "RudderStack",
            "example.dataplane.rudderstack.com",
        ),
        (customer_io(CustomerIoRegion::Us, "k"), "Customer.io", "https://cdp.customer.io"),
        (customer_io(CustomerIoRegion::Eu, "k"), "Customer.io", "https://cdp-eu.customer.io"),
        (hightouch("k"), "Hightouch", "https://us-east-1.hightouch-events.com"),
        (jitsu("https://example.d.jitsu.com", "id:secret"), "Jitsu", "https://example.d.jitsu.com"),
    ];
    for (segment, name, host) in table {
        let shown = format!("{segment:?}");
        assert!(shown.contains(host), "{shown}");
        assert_eq!(segment.build().unwrap().name(), name);
    }
}

#[test]
fn settings_as_data_make_the_same_and_show_no_key() {
    fn made<S: serde::de::DeserializeOwned + std::fmt::Debug + Into<Segment>>(json: &str) -> Segment {
        let settings: S = serde_json::from_str(json).unwrap();
        let shown = format!("{settings:?}");
        assert!(!shown.contains("SECRET"), "{shown}");
        settings.into()
    }
    let table = [
        (
            made::<RudderStackSettings>(r#"{ "data_plane": "https://plane.example", "write_key": "SECRET" }"#),
            rudderstack("https://plane.example", "SECRET"),
        ),
        (
            made::<CustomerIoSettings>(r#"{ "api_key": "SECRET", "region": "eu", "name": "Mail", "gzip": true }"#),
            customer_io(CustomerIoRegion::Eu, "SECRET").name("Mail").gzip(true),
        ),
        (
            made::<HightouchSettings>(r#"{ "write_key": "SECRET", "host": "https://eu.example", "flush_at": 50 }"#),
            hightouch("SECRET").host("https://eu.example").flush_at(50),
        ),
        (
            made::<JitsuSettings>(
                r#"{ "host": "https://site.example", "write_key": "SECRET", "proxy": "http://p:1" }"#,
            ),
            jitsu("https://site.example", "SECRET").proxy("http://p:1"),
        ),
    ];
    for (made, expected) in table {
        assert_eq!(format!("{made:?}"), format!("{expected:?}"));
    }
    let regions = [
        ("us", CustomerIoRegion::Us),
        ("US", CustomerIoRegion::Us),
        ("EU", CustomerIoRegion::Eu),
        ("Eu", CustomerIoRegion::Eu),
    ];
    for (text, region) in regions {
        assert_eq!(serde_json::from_value::<CustomerIoRegion>(json!(text)).unwrap(), region, "{text}");
    }
    let error = serde_json::from_value::<CustomerIoRegion>(json!("asia")).unwrap_err();
    assert_eq!(error.to_string(), "unknown region \"asia\": use us or eu");
    for name in ["", " "] {
        let settings = json!({ "write_key": "SECRET", "name": name });
        let error = serde_json::from_value::<HightouchSettings>(settings).unwrap_err().to_string();
        assert!(error.starts_with("name is empty: write the name that events use in `integrations`"), "{error}");
    }
    let error = serde_json::from_str::<JitsuSettings>(r#"{ "host": "h", "writeKey": "SECRET" }"#).unwrap_err();
    assert!(error.to_string().starts_with("unknown field `writeKey`, expected one of `host`, `write_key`"), "{error}");
}

#[test]
fn each_sends_batches_with_its_key_and_headers() {
    // Base64 of the key and a colon.
    let table: [(Segment, &str, Option<&str>); 4] = [
        (rudderstack("http://localhost", "key"), "Basic a2V5Og==", None),
        (customer_io(CustomerIoRegion::Us, "key"), "Basic a2V5Og==", Some("1")),
        (hightouch("key"), "Basic a2V5Og==", None),
        (jitsu("http://localhost", "id:secret"), "Basic aWQ6c2VjcmV0Og==", None),
    ];
    for (segment, authorization, strict) in table {
        let api = TrackingApi::start().unwrap();
        let shown = format!("{segment:?}");
        let analytics = Analytics::builder().plugin(segment.host(api.url()).build().unwrap()).build().unwrap();
        analytics.track(Track::new("A").user_id("u1").integration("All", false)).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete(), "{shown}");
        let requests = api.requests();
        let [request] = &*requests else { panic!("{shown}: {} requests", requests.len()) };
        assert_eq!(request.path(), "/v1/batch", "{shown}");
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("authorization").as_deref(), Some(authorization), "{shown}");
        assert_eq!(header("x-strict-mode").as_deref(), strict, "{shown}");
    }
}

#[test]
fn a_source_of_rudderstacks_that_is_disabled_is_refused_credentials() {
    for (status, reason) in
        [(404, DropReason::Unauthorized), (401, DropReason::Unauthorized), (301, DropReason::Rejected)]
    {
        let api = TrackingApi::start().unwrap();
        api.script([Reply::status(status)]);
        let analytics = Analytics::builder().plugin(rudderstack(&api.url(), "key").build().unwrap()).build().unwrap();
        analytics.track(Track::new("A").user_id("u1")).unwrap();
        analytics.flush_blocking(SOON);
        assert_eq!(analytics.stats().dropped.get(reason), 1, "{status}");
    }
}

#[test]
fn traits_are_copied_into_the_context_of_identify_calls() {
    let api = TrackingApi::start().unwrap();
    let rudderstack = rudderstack(&api.url(), "key").flush_at(2).build().unwrap();
    let analytics = Analytics::builder().plugin(traits_in_context()).plugin(rudderstack).build().unwrap();
    analytics.identify(Identify::new().user_id("u1").with_trait("plan", "Pro")).unwrap();
    analytics.track(Track::new("A").user_id("u1")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    let events = api.events();
    assert_eq!(events[0]["context"]["traits"], json!({"plan": "Pro"}));
    assert_eq!(events[0]["traits"], json!({"plan": "Pro"}));
    assert!(events[1]["context"]["traits"].is_null());
}
