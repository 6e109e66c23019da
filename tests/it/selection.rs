//! The destinations that an event's `integrations` select.

use serde_json::{Value, json};
use tracklane::plugin::Registration;
use tracklane::segment::{NAME, Segment};
use tracklane::{Analytics, DropReason, Event, Kind};

use crate::support::{SOON, api, client, recorder, track};

#[test]
fn a_name_decides_then_an_alias_then_all_and_segment_is_exempt_from_all() {
    let everywhere = ["Segment.io", "Mixpanel", "Vero"].as_slice();
    let table: &[(Value, &[&str])] = &[
        (Value::Null, everywhere),
        (json!({}), everywhere),
        (json!({"All": true}), everywhere),
        (json!({"All": false}), &["Segment.io"]),
        (json!({"all": false}), &["Segment.io"]),
        (json!({"ALL": false}), everywhere),
        (json!({"Mixpanel": false}), &["Segment.io", "Vero"]),
        (json!({"mixpanel": false}), everywhere),
        (json!({"Mixpanel": true, "All": false}), &["Segment.io", "Mixpanel"]),
        (json!({"Mixpanel": {"token": "t"}, "All": false}), &["Segment.io", "Mixpanel"]),
        (json!({"Mixpanel": {}, "All": false}), &["Segment.io", "Mixpanel"]),
        (json!({"Mixpanel (Actions)": true, "All": false}), &["Segment.io", "Mixpanel"]),
        (json!({"Mixpanel (Actions)": false}), &["Segment.io", "Vero"]),
        (json!({"Mixpanel": true, "Mixpanel (Actions)": false}), everywhere),
        (json!({"Mixpanel": false, "Mixpanel (Actions)": true}), &["Segment.io", "Vero"]),
        (json!({"Mixpanel": false, "All": true}), &["Segment.io", "Vero"]),
        (json!({"Segment.io": false}), &["Mixpanel", "Vero"]),
        (json!({"Segment.io": true, "All": false}), &["Segment.io"]),
        (json!({"Unknown": false}), everywhere),
        (json!({"Unknown": true}), everywhere),
        (json!({"Segment.io": false, "All": false}), &[]),
    ];
    let api = api();
    let (mixpanel, to_mixpanel) = recorder("Mixpanel");
    let (vero, to_vero) = recorder("Vero");
    let analytics = client(&api).plugin(mixpanel.alias("Mixpanel (Actions)")).plugin(vero).build().unwrap();
    for (number, (integrations, _)) in table.iter().enumerate() {
        let event = track(&number.to_string());
        let event = if integrations.is_null() { event } else { event.integrations(integrations) };
        analytics.track(event).unwrap();
    }
    assert_eq!(analytics.close_blocking(SOON).pending, 0);
    let stats = analytics.stats();
    assert_eq!((stats.delivered, stats.dropped.total()), (table.len() as u64 - 1, 1));

    let name = |event: &Value| event["event"].as_str().unwrap().to_owned();
    let arrived = [
        (NAME, api.events().iter().map(name).collect::<Vec<_>>()),
        ("Mixpanel", to_mixpanel.names()),
        ("Vero", to_vero.names()),
    ];
    for (number, (integrations, expected)) in table.iter().enumerate() {
        let has_it = |(_, names): &&(&str, Vec<String>)| names.contains(&number.to_string());
        let got: Vec<&str> = arrived.iter().filter(has_it).map(|(destination, _)| *destination).collect();
        assert_eq!(got, *expected, "{integrations}");
    }
    let stats = analytics.stats();
    assert_eq!(stats.dropped.get(DropReason::NoDestination), 1);
    for destination in &stats.destinations {
        let expected = table.iter().filter(|(_, to)| to.contains(&&*destination.name)).count() as u64;
        assert_eq!((destination.accepted, destination.delivered), (expected, expected), "{}", destination.name);
    }
}

#[test]
fn the_exemption_belongs_to_the_destination_and_not_to_its_name() {
    let api = api();
    let eu = Segment::new("k").name("Segment (EU)").host(api.url()).build().unwrap();
    let (named_so, to_named_so) = recorder("Segment.io");
    let (distributor, to_distributor) = recorder("Distributor");
    let analytics =
        Analytics::builder().plugin(eu).plugin(named_so).plugin(distributor.ignores_all(true)).build().unwrap();
    analytics.track(track("x").integration("All", false)).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((api.events().len(), to_named_so.len(), to_distributor.len()), (1, 0, 1));
}

#[test]
fn a_plugin_can_select_destinations() {
    let (a, to_a) = recorder("a");
    let (b, to_b) = recorder("b");
    let route = tracklane::plugin::enrichment_fn("route", |event: &mut Event| {
        let to_a = event.section().get("premium") == Some(true.into());
        event.integrations_mut().insert("a", to_a);
    });
    let analytics = Analytics::builder().plugin(a).plugin(b).plugin(route).build().unwrap();
    analytics.track(track("premium").property("premium", true)).unwrap();
    analytics.track(track("free")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((to_a.names(), to_b.names()), (vec!["premium".to_owned()], vec!["premium".into(), "free".into()]));
}

#[test]
fn a_destination_may_want_some_kinds_only() {
    let (tracks, to_tracks) = recorder("tracks");
    let analytics = Analytics::builder().plugin(Registration::from(tracks).only([Kind::Track])).build().unwrap();
    analytics.track(track("x")).unwrap();
    analytics.alias(tracklane::Alias::new("a", "b")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).pending, 0);
    let stats = analytics.stats();
    assert_eq!((stats.delivered, stats.dropped.get(DropReason::NoDestination), to_tracks.len()), (1, 1, 1));
}

#[test]
fn without_a_destination_every_event_is_counted_as_such() {
    let analytics = Analytics::builder().build().unwrap();
    let end = analytics.send_with_receipt(track("x")).unwrap().wait();
    assert_eq!(end.outcome, tracklane::Outcome::Dropped(DropReason::NoDestination));
    assert!(end.destinations.is_empty());
}
