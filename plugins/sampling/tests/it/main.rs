//! Which events arrive behind the plugin.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::testing::RecordingDestination;
use tracklane::{Alias, Analytics, Event, Group, Identify, Kind, Page, Track};
use tracklane_sampling::{SampleKey, Sampling, SamplingError, SamplingSettings, in_share};

/// Sends the events through the plugin. What arrives.
fn through(sampling: &Sampling, events: impl IntoIterator<Item = Event>) -> Vec<Value> {
    let recording = RecordingDestination::new("Recording");
    let analytics =
        Analytics::builder().plugin(sampling.build().unwrap()).plugin(recording.destination()).build().unwrap();
    events.into_iter().for_each(|event| analytics.send(event).unwrap());
    let report = analytics.close_blocking(Duration::from_secs(5));
    assert!(report.is_complete(), "what is sampled away was asked for: {report:?}");
    recording.events().iter().map(|event| serde_json::to_value(event).unwrap()).collect()
}

fn user(number: u32) -> Event {
    Track::new("Ping").user_id(format!("user-{number}")).into()
}

#[test]
fn a_user_is_in_the_share_with_all_events_or_with_none() {
    let sampling = Sampling::new(0.3);
    let seen = through(&sampling, (0..1_000).flat_map(|number| [user(number), user(number)]));
    let of = |number: u32| seen.iter().filter(|event| event["userId"] == format!("user-{number}")).count();
    for number in 0..1_000 {
        let expected = if in_share(0.3, "", &format!("user-{number}")) { 2 } else { 0 };
        assert_eq!(of(number), expected, "user-{number}");
    }
    assert!((500..700).contains(&seen.len()), "{} of 2,000 at a rate of 0.3", seen.len());
}

#[test]
fn what_says_who_somebody_is_always_passes_unmarked() {
    let events: [Event; 3] =
        [Identify::new().user_id("u").into(), Group::new("g").user_id("u").into(), Alias::new("a", "u").into()];
    let seen = through(&Sampling::new(0.0).destination("Recording", 0.0), events);
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|event| event["context"].get("sampling").is_none()), "{seen:?}");
}

#[test]
fn the_first_name_wins_over_the_kind_and_the_kind_over_the_rest() {
    let sampling = Sampling::new(0.0).kind(Kind::Page, 1.0).event("Order *", 1.0).event("*", 0.0).event("Home", 1.0);
    let events: [Event; 4] = [
        Track::new("Order Completed").user_id("u").into(),
        Track::new("Home").user_id("u").into(),
        Page::new("Home").user_id("u").into(),
        Page::new("").user_id("u").into(),
    ];
    let seen = through(&sampling, events);
    let kinds: Vec<&str> = seen.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["track", "page"], "the order, and the page without a name: {seen:?}");
}

#[test]
fn a_kept_event_tells_the_rate_and_the_key() {
    let number = (0..).find(|number| in_share(0.5, "", &format!("user-{number}"))).unwrap();
    let seen = through(&Sampling::new(0.5), [user(number)]);
    assert_eq!(seen[0]["context"]["sampling"], json!({ "rate": 0.5, "key": "userId" }));
    let seen = through(&Sampling::new(0.5).mark(false), [user(number)]);
    assert!(seen[0]["context"].get("sampling").is_none());
    let seen = through(&Sampling::new(1.0), [user(number)]);
    assert!(seen[0]["context"].get("sampling").is_none(), "nothing is sampled at a rate of one");
}

#[test]
fn the_key_is_the_first_that_an_event_has() {
    let share = |id: &str| in_share(0.5, "", id);
    let inside = (0..).map(|number| format!("a{number}")).find(|id| share(id)).unwrap();
    let outside = (0..).map(|number| format!("b{number}")).find(|id| !share(id)).unwrap();
    let event = || Event::from(Track::new("Ping").user_id(&outside).anonymous_id(&inside));
    assert!(through(&Sampling::new(0.5), [event()]).is_empty(), "by the user");
    let sampling = Sampling::new(0.5).by([SampleKey::AnonymousId, SampleKey::UserId]);
    assert_eq!(through(&sampling, [event()]).len(), 1, "by the browser");
}

/// The share of a destination is one of all users, so the smaller of the two rates counts there.
#[test]
fn one_destination_can_be_sampled_alone() {
    for (rate, destination) in [(1.0, 0.25), (0.5, 0.25), (0.1, 0.25)] {
        let (all, few) = (RecordingDestination::new("All"), RecordingDestination::new("Few"));
        let analytics = Analytics::builder()
            .plugin(Sampling::new(rate).destination("Few", destination).build().unwrap())
            .plugin(all.destination())
            .plugin(few.destination())
            .build()
            .unwrap();
        (0..400).for_each(|number| analytics.send(user(number)).unwrap());
        analytics.close_blocking(Duration::from_secs(5));
        let share = |rate| (0..400).filter(|number| in_share(rate, "", &format!("user-{number}"))).count();
        assert_eq!((all.events().len(), few.events().len()), (share(rate), share(destination.min(rate))), "{rate}");
        assert!(few.events().iter().all(|event| event.context().get("sampling").is_some() == (rate < 1.0)), "{rate}");
    }
}

#[test]
fn a_rule_that_cannot_be_used_is_named() {
    let rate = |rule: &str, rate| SamplingError::Rate { rule: rule.to_owned(), rate };
    let rows = [
        (Sampling::new(1.5), rate("all events", 1.5)),
        (Sampling::new(0.5).event("A", -0.1), rate("events named \"A\"", -0.1)),
        (Sampling::new(0.5).event("", 0.1), SamplingError::EmptyName { rule: "an event rule" }),
        (Sampling::new(0.5).kind(Kind::Identify, 0.1), SamplingError::Identity { kind: Kind::Identify }),
    ];
    for (sampling, expected) in rows {
        assert_eq!(sampling.build().unwrap_err(), expected);
    }
    assert!(Sampling::new(f64::NAN).build().is_err());
    let error = serde_json::from_str::<SamplingSettings>(r#"{ "rate": 1, "event": [] }"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `event`"), "{error}");
    let error = serde_json::from_str::<SamplingSettings>(r#"{ "rate": 1, "kinds": [{ "kind": "x", "rate": 1 }] }"#);
    assert!(error.unwrap_err().to_string().contains("unknown kind \"x\""));
}
