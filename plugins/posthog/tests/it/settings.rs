//! Settings that are taken and settings that are not.

use std::time::{Duration, UNIX_EPOCH};

use tracklane_posthog::{PostHog, PostHogSettings, Region};

use crate::support::{KEY, posthog, track};

#[test]
fn settings_that_cannot_be_used_are_named_without_the_key() {
    let table = [
        (PostHog::new(""), "project_key", "is empty"),
        (PostHog::new("phx_hunter2"), "project_key", "is a personal key"),
        (PostHog::new("phc_hunter2\n"), "project_key", "white space"),
        (posthog().host("https://proxy.example?key=x"), "host", "has a query or a fragment"),
        (posthog().host("posthog.example"), "host", "has no scheme"),
        (posthog().host("http://posthog.example"), "host", "use https, or allow_plaintext"),
        (posthog().group_type(" "), "group_type", "is empty"),
        (posthog().name(""), "name", "is empty"),
        (posthog().timeout(Duration::ZERO), "timeout", "is zero"),
    ];
    for (posthog, setting, problem) in table {
        let shown = format!("{posthog:?}");
        let error = posthog.clone().build().unwrap_err();
        assert_eq!(error.setting, setting, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(!error.to_string().contains("hunter2") && !shown.contains("hunter2"), "{error} {shown}");
        assert!(posthog.explain(track(), UNIX_EPOCH).is_err(), "{setting}: explain checks them, too");
    }
}

#[test]
fn hosts_are_those_of_the_intake() {
    let table = [
        (posthog(), "https://us.i.posthog.com/batch/"),
        (posthog().region(Region::Eu), "https://eu.i.posthog.com/batch/"),
        (posthog().host("https://app.posthog.com"), "https://us.i.posthog.com/batch/"),
        (posthog().host("https://us.posthog.com/"), "https://us.i.posthog.com/batch/"),
        (posthog().host("https://eu.posthog.com"), "https://eu.i.posthog.com/batch/"),
        (posthog().host("https://ph.example/prefix/"), "https://ph.example/…/batch/"),
        (posthog().host("http://ph.internal").allow_plaintext(true), "http://ph.internal/batch/"),
    ];
    for (posthog, endpoint) in table {
        assert_eq!(posthog.explain(track(), UNIX_EPOCH).unwrap().requests[0].endpoint, endpoint);
    }
}

#[test]
fn a_configuration_file_sets_the_same_and_refuses_what_it_does_not_know() {
    let all = r#"{
        "project_key": "phc_hunter2", "name": "Product", "region": "us", "host": "https://ph.example",
        "allow_plaintext": false, "person_profiles": "never", "group_type": "company", "groups_from_context": false,
        "set_once": ["createdAt"], "context_traits": true, "merge_dangerously": true, "historical": true,
        "gzip": false, "timeout_seconds": 20, "dry_run": true
    }"#;
    let settings: PostHogSettings = serde_json::from_str(all).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let posthog = PostHog::from(settings);
    assert_eq!(posthog.clone().build().unwrap().name(), "Product");
    let at = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let event = track().timestamp(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let explanation = posthog.explain(event, at).unwrap();
    let shown = explanation.to_string();
    assert!(shown.starts_with("POST https://ph.example/batch/\n"), "{shown}");
    assert!(shown.contains("\"historical_migration\":true,\"sent_at\":\"2026-01-01T00:00:00.000Z\""), "{shown}");
    assert!(shown.contains("\"$process_person_profile\":false") && !shown.contains(KEY), "{shown}");
    for wrong in
        [r#"{"project_key": "k", "regions": "us"}"#, r#"{"region": "us"}"#, r#"{"project_key": "k", "region": "mars"}"#]
    {
        assert!(serde_json::from_str::<PostHogSettings>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn explain_says_why_an_event_is_not_sent() {
    let table = [
        (track().integration("PostHog", false), "its integrations switch \"PostHog\" off"),
        (track().integration("All", false), "All: false"),
        (track().user_id("x".repeat(201)), "more than 200 characters"),
    ];
    for (event, reason) in table {
        let explanation = posthog().explain(event, UNIX_EPOCH).unwrap();
        assert!(explanation.why_not.as_ref().is_some_and(|told| told.contains(reason)), "{explanation}");
        assert!(explanation.requests.is_empty() && explanation.to_string().starts_with("not sent: "));
    }
}
