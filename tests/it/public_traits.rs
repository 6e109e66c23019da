//! The common traits of public values and reports (API guidelines, C-COMMON-TRAITS).
//!
//! Three groups are left out: handles (`Analytics`, `Host`, …), builders and settings with closures (`Segment`,
//! `RetryPolicy`, …), and types with an error of any type that a caller matches on (`Failure`, `Emitted`, `Answer`).

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use serde_json::json;
use tracklane::event::{InvalidField, JsonType, Message, Object};
use tracklane::plugin::{Batch, Batching, Destination, Flow, Overflow, QueueLimits, Role, Verdict};
use tracklane::segment::{Region, WriteKey, rules};
use tracklane::testing::RecordingDestination;
use tracklane::transport::{Body, SendErrorKind};
use tracklane::{
    Alias, Analytics, CallError, CloseReport, Context, DeliveryError, DestinationOutcome, DestinationStats, DropReason,
    Drops, Event, FlushReport, Group, Identify, Integrations, Kind, Outcome, Page, PluginStats, Properties,
    RefusalReason, Screen, Settings, SettingsErrorKind, Settlement, Stats, Stopped, Timestamp, Track, Traits, Unsent,
    signal,
};

use crate::support::SOON;

/// Compiles for types that can be compared and shown, and cross threads.
fn is_value<T: Debug + Eq + Send + Sync + 'static>() {}
/// Compiles for values that can be copied by `clone`, too.
fn is_data<T: Clone + Debug + Eq + Send + Sync + 'static>() {}
/// Compiles for small values that can be keys of a map, too.
fn is_key<T: Copy + Debug + Eq + Hash + Send + Sync + 'static>() {}
/// Compiles for values with a start, too.
fn has_default<T: Clone + Debug + Default + Eq + Send + Sync + 'static>() {}

macro_rules! each {
    ($check:ident: $($type:ty),+ $(,)?) => {
        $($check::<$type>();)+
    };
}

#[test]
fn public_values_have_the_common_traits() {
    each!(has_default: CloseReport, FlushReport, Stats, DestinationStats, PluginStats, Drops, Unsent, Settings);
    each!(has_default: Object, Context, Integrations, Properties, Traits, Body, Flow);
    each!(is_data: Settlement, DestinationOutcome, Message, RefusalReason, InvalidField, Stopped, WriteKey);
    each!(is_data: Event, Alias, Group, Identify, Page, Screen, Track, rules::Violation, QueueLimits, Batching);
    each!(is_data: signal::Flushed, signal::RequestInfo, signal::ResponseInfo, signal::PluginInfo);
    each!(is_data: signal::Initialized, signal::DrainInfo);
    each!(is_value: CallError, DeliveryError);
    each!(is_key: DropReason, Outcome, Kind, Role, Verdict, Overflow, Region, JsonType, Timestamp);
    each!(is_key: SettingsErrorKind, SendErrorKind, rules::Rule, rules::Level, rules::Endpoint);
}

#[test]
fn events_are_equal_if_their_json_has_the_same_members() {
    let call = || Track::new("Signed Up").user_id("u1").message_id("m1").property("plan", "Team").property("seats", 3);
    let json = json!({
        "messageId": "m1", "userId": "u1", "event": "Signed Up", "type": "track",
        "properties": {"seats": 3, "plan": "Team"}, "context": {}, "integrations": {},
    });
    let mut read = Event::try_from(json).unwrap();
    *read.integrations_mut() = Integrations::new();
    let mut sent = Event::from(call());
    assert_ne!(sent, read, "one has integrations");
    *sent.integrations_mut() = Integrations::new();
    assert_eq!(sent, read);
    let others = [
        Event::from(call().user_id("u2")),
        Event::from(call().message_id("m2")),
        Event::from(call().property("seats", 4)),
        Event::from(call().context(Context::new().with("host", "web-1"))),
        Event::from(call().timestamp("2011-05-03T14:05:00.123Z")),
        Event::from(Page::new("Signed Up").user_id("u1").message_id("m1")),
    ];
    for other in others {
        assert_ne!(Event::from(call()), other, "{}", serde_json::to_string(&other).unwrap());
    }
    assert_eq!(Event::from(call()), Event::from(call().on_delivery(|_| {})), "callbacks do not count");
}

#[test]
fn reports_of_the_same_outcome_are_equal() {
    let close = |user: &str, destination: Destination| {
        let client = Analytics::builder().plugin(destination).build().unwrap();
        let event = Track::new("Signed Up").user_id(user).message_id("m1").timestamp("2011-05-03T14:05:00Z");
        client.track(event).unwrap();
        client.close_blocking(Duration::from_millis(50))
    };
    let hung = || Destination::from_fn("hung", |_: Batch| std::future::pending::<Result<(), std::io::Error>>());
    assert_eq!(close("u1", hung()), close("u1", hung()));
    assert_ne!(close("u1", hung()), close("u2", hung()), "another event was left");
}

#[test]
fn settlements_are_equal_if_their_errors_read_the_same() {
    let settle = |problem: &'static str| {
        let refuses = Destination::from_fn("refuses", move |_: Batch| async move {
            let refused = tracklane::plugin::Answer::new(Verdict::Reject).with_error(problem);
            Ok::<_, std::io::Error>(refused)
        });
        let client = Analytics::builder().plugin(refuses).build().unwrap();
        let receipt = client.send_with_receipt(Track::new("Signed Up").user_id("u1").message_id("m1")).unwrap();
        receipt.wait_timeout(SOON).unwrap()
    };
    assert_eq!(settle("no such plan"), settle("no such plan"));
    assert_ne!(settle("no such plan"), settle("no such user"));
    let recording = RecordingDestination::new("recording");
    let client = Analytics::builder().plugin(recording.destination()).build().unwrap();
    let receipt = client.send_with_receipt(Track::new("Signed Up").user_id("u1").message_id("m1")).unwrap();
    assert_ne!(receipt.wait_timeout(SOON).unwrap(), settle("no such plan"));
}
