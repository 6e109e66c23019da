//! Settings that are taken and settings that are not.

use std::time::Duration;

use tracklane::{Group, Identify};
use tracklane_mixpanel::{Explanation, Mixpanel, MixpanelSettings, Region, ServiceAccount};

use crate::support::{KEY, mixpanel, track};

#[test]
fn settings_that_cannot_be_used_are_named_without_secrets() {
    let table = [
        (Mixpanel::new(""), "project_token", "is empty"),
        (Mixpanel::new("\"hunter2\""), "project_token", "has quotes"),
        (mixpanel().host("https://proxy.example?key=x"), "host", "has a query or a fragment"),
        (mixpanel().host("api.mixpanel.com"), "host", "has no scheme"),
        (mixpanel().host("http://api.mixpanel.com"), "host", "use https, or allow_plaintext"),
        (mixpanel().group_key(""), "group_key", "is empty"),
        (mixpanel().name(" "), "name", "is empty"),
        (mixpanel().timeout(Duration::ZERO), "timeout", "is zero"),
        (mixpanel().service_account(ServiceAccount::new("sa", "", 1)), "service_account", "is empty"),
        (mixpanel().service_account(ServiceAccount::new("s:a", "hunter2", 1)), "user", "has a colon"),
    ];
    for (mixpanel, setting, problem) in table {
        let shown = format!("{mixpanel:?}");
        let error = mixpanel.clone().build().unwrap_err();
        assert_eq!(error.setting, setting, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(!error.to_string().contains("hunter2") && !shown.contains("hunter2"), "{error} {shown}");
        assert!(mixpanel.explain(track()).is_err(), "{setting}: explain checks them, too");
    }
}

#[test]
fn each_region_has_its_host() {
    let table = [(Region::Us, "api"), (Region::Eu, "api-eu"), (Region::In, "api-in")];
    for (region, host) in table {
        let explanation = mixpanel().region(region).explain(track()).unwrap();
        assert_eq!(explanation.requests[0].endpoint, format!("https://{host}.mixpanel.com/import"));
    }
}

#[test]
fn a_configuration_file_sets_the_same_and_refuses_what_it_does_not_know() {
    let all = r#"{
        "project_token": "hunter2token", "service_account": {"username": "sa", "secret": "hunter2", "project_id": 42},
        "name": "Product", "region": "eu", "host": "https://proxy.example", "allow_plaintext": false,
        "id_merge": "original", "group_key": "company", "groups_from_context": false, "products": "per_product",
        "track_charges": true, "gzip": false, "timeout_seconds": 30, "dry_run": true
    }"#;
    let settings: MixpanelSettings = serde_json::from_str(all).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let mixpanel = Mixpanel::from(settings);
    assert_eq!(mixpanel.clone().build().unwrap().name(), "Product");
    let shown = mixpanel.explain(Group::new("g1").user_id("u1")).unwrap().to_string();
    assert!(
        shown.contains("POST https://proxy.example/groups\n") && shown.contains("\"$group_key\":\"company\""),
        "{shown}"
    );
    assert!(!shown.contains(KEY) && !shown.contains("hunter2"), "{shown}");
    for wrong in
        [r#"{"project_token": "k", "regions": "us"}"#, r#"{}"#, r#"{"project_token": "k", "id_merge": "best"}"#]
    {
        assert!(serde_json::from_str::<MixpanelSettings>(wrong).is_err(), "{wrong}");
    }
}

fn endpoints(explanation: Explanation) -> Vec<String> {
    explanation.requests.into_iter().map(|request| request.endpoint).collect()
}

#[test]
fn explain_shows_each_request_and_why_an_event_is_not_sent() {
    let explanation = mixpanel().explain(Group::new("g1").user_id("u1")).unwrap();
    assert_eq!(endpoints(explanation), ["https://api.mixpanel.com/engage", "https://api.mixpanel.com/groups"]);
    let sale = track().property("revenue", 5);
    let charging = mixpanel().track_charges(true).host("https://proxy.example/hunter2").explain(sale).unwrap();
    assert!(charging.requests[1].body.contains("$append"), "a charge goes last: {charging}");
    assert_eq!(endpoints(charging), ["https://proxy.example/…/import", "https://proxy.example/…/engage"]);
    let table = [
        (mixpanel().explain(track().integration("Mixpanel", false)), "its integrations switch \"Mixpanel\" off"),
        (mixpanel().explain(Identify::new().user_id("u1")), "sets no traits"),
        (mixpanel().explain(track().user_id("null")), "refuses the id"),
    ];
    for (explanation, reason) in table {
        let explanation = explanation.unwrap();
        assert!(explanation.why_not.as_ref().is_some_and(|told| told.contains(reason)), "{explanation}");
    }
}
