//! A key that the server refuses, and its replacement.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use tracklane::segment::{NAME, Segment};
use tracklane::signal::Failure;
use tracklane::testing::{ManualClock, Reply, Request, TrackingApi};
use tracklane::{Analytics, DropReason, Track};

use crate::support::{SECRET, SOON, Trial, shows_a_secret};

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// Another key, which the search for secrets finds as well.
fn other(name: &str) -> String {
    format!("{SECRET}-{name}")
}

/// Returns whether the request has only this key, in its header and in its body.
fn has_key(request: &Request, key: &str) -> bool {
    let basic = format!("Basic {}", STANDARD.encode(format!("{key}:")));
    let body = request.json().expect("a batch");
    let (in_header, in_body) = (request.header("authorization") == Some(&*basic), body["writeKey"] == key);
    assert_eq!(in_header, in_body, "one request has one key");
    in_header
}

/// Returns how many events each `error` stands for. All must be about the credentials.
#[track_caller]
fn told(failures: &[Failure]) -> Vec<usize> {
    assert!(failures.iter().all(|failure| failure.dropped == Some(DropReason::Unauthorized)), "{failures:?}");
    failures.iter().map(|failure| failure.events).collect()
}

/// Waits for this number of `error` signals, and returns how many events each stands for.
#[track_caller]
fn told_after(trial: &Trial, signals: usize) -> Vec<usize> {
    crate::support::eventually("the error is told", || trial.failures().len() >= signals);
    told(&trial.failures())
}

#[test]
pub(super) fn a_refused_key_is_said_at_once_and_then_once_a_minute_and_every_event_is_counted() {
    let clock = ManualClock::new();
    let mut trial = Trial::with(|settings| settings.clock(clock.clone()));
    trial.api.set_default(Reply::status(401));
    assert_eq!(trial.send_each(5), (0, 5));
    assert_eq!(told_after(&trial, 1), [1], "at once");
    clock.advance(MINUTE - SECOND);
    assert_eq!(trial.send_each(1), (0, 1));
    // No more is sent. Failures that were held back are reported when the minute is over.
    clock.advance(SECOND);
    assert_eq!(told_after(&trial, 2), [1, 5]);
    assert!(trial.failures()[1].message.contains("5 events in 5 batches dropped (unauthorized): HTTP status 401"));
    trial.api.set_default(Reply::status(403));
    assert_eq!(trial.send_each(2), (0, 2));
    clock.advance(MINUTE);
    assert_eq!(told_after(&trial, 3), [1, 5, 2]);
    trial.api.set_default(Reply::as_segment());
    assert_eq!(trial.send_each(1), (1, 0));
    trial.api.script([Reply::status(401)]);
    assert_eq!(trial.send_each(2), (1, 1));
    assert_eq!(told_after(&trial, 4), [1, 5, 2, 1], "at once, because it had worked");
    let ended = trial.survives();
    assert_eq!(ended.stats.dropped.get(DropReason::Unauthorized), 9);
    assert_eq!(told(&ended.failures).iter().sum::<usize>(), 9, "each dropped event is in one report");
    assert_eq!(ended.api.request_count(), 9 + 3, "each batch is asked once");
    let statuses: Vec<u16> = ended.failures.iter().filter_map(|failure| Some(failure.status()?.as_u16())).collect();
    assert_eq!(statuses, [401, 401, 403, 401]);
}

#[test]
pub(super) fn what_was_not_said_yet_is_said_at_the_end() {
    let clock = ManualClock::new();
    let mut trial = Trial::with(|settings| settings.clock(clock.clone()));
    trial.api.set_default(Reply::status(401));
    assert_eq!(trial.send_each(3), (0, 3));
    trial.analytics.deregister(NAME).now_or_never();
    assert_eq!(told_after(&trial, 2), [1, 2]);
    trial.ends();
}

#[test]
pub(super) fn a_key_is_rotated_while_events_flow() {
    let clock = ManualClock::new();
    let mut trial = Trial::with(|settings| settings.clock(clock.clone()));
    let valid = Arc::new(Mutex::new(SECRET.to_owned()));
    let judge = valid.clone();
    trial.api.reply_with(move |request| match has_key(request, &judge.lock().expect("nobody panics with it")) {
        true => Reply::ok(),
        false => Reply::status(401),
    });
    assert_eq!(trial.send_each(2), (2, 0));
    *valid.lock().expect("nobody panics with it") = other("new");
    assert_eq!(trial.send_each(3), (0, 3), "the old key is void");
    trial.key.set_write_key(other("mistyped")).expect("it could be one");
    assert_eq!(trial.send_each(2), (0, 2), "the other is none");
    assert_eq!(told_after(&trial, 2), [1, 3], "at once for each key, and the second has what was not said before");
    trial.key.clone().set_write_key(other("new")).expect("it is one");
    assert_eq!(trial.send_each(3), (3, 0));
    clock.advance(MINUTE);
    assert_eq!(told_after(&trial, 3), [1, 3, 1]);
    trial.api.reply_with(|request| if has_key(request, &other("new")) { Reply::ok() } else { Reply::status(401) });
    trial.send(1);
    trial.settled();
    let ended = trial.ends();
    assert_eq!(ended.stats.delivered, 6);
    assert_eq!(ended.stats.dropped.get(DropReason::Unauthorized), 5);
}

#[test]
pub(super) fn a_batch_that_failed_with_the_old_key_goes_on_with_the_new_one() {
    let mut trial = Trial::new();
    trial.api.reply_with(|request| if has_key(request, SECRET) { Reply::status(503) } else { Reply::ok() });
    trial.send(2);
    assert!(trial.api.wait_for_requests(3, SOON).len() >= 3, "it is tried again and again");
    trial.key.set_write_key(other("new")).expect("it is a key");
    assert_eq!(trial.settled(), (2, 0));
    let ended = trial.survives();
    let requests = ended.api.requests();
    let first = requests.iter().find(|request| !has_key(request, SECRET)).expect("one has the new key");
    assert!(first.header("x-retry-count").is_some(), "the batch is that which failed with the old one");
}

#[test]
pub(super) fn a_request_that_is_refused_while_the_key_changes_is_repeated_with_the_new_one() {
    let mut trial = Trial::new();
    let (arrived, arrivals) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    trial.api.reply_with(move |request| {
        if !has_key(request, SECRET) {
            return Reply::ok();
        }
        arrived.send(()).expect("the test waits");
        gate.lock().expect("nobody panics with it").recv_timeout(SOON).expect("the test lets it go");
        Reply::status(401)
    });
    trial.send(1);
    arrivals.recv_timeout(SOON).expect("the request with the old key");
    trial.key.set_write_key(other("new")).expect("it is a key");
    go.send(()).expect("the server waits");
    assert_eq!(trial.settled(), (1, 0));
    let ended = trial.survives();
    assert_eq!(ended.stats.destinations[0].attempts, 2, "one for each event");
    assert!(ended.failures.is_empty(), "{:?}", ended.failures);
}

#[test]
pub(super) fn a_key_that_cannot_be_used_changes_nothing() {
    let mut trial = Trial::new();
    for key in [String::new(), " ".to_owned(), SECRET.repeat(100)] {
        let error = trial.key.set_write_key(key).expect_err("no write key");
        assert_eq!((error.setting(), error.value()), ("write_key", ""));
        assert!(!shows_a_secret(&format!("{error} {error:?}")), "{error:?}");
    }
    assert_eq!(trial.send_each(1), (1, 0));
    assert!(has_key(&trial.api.requests()[0], SECRET), "the old key stays");
    trial.survives();
}

#[test]
fn any_segment_destination_can_have_its_key_changed() {
    let api = TrackingApi::start().expect("a free port");
    let segment = Segment::new(SECRET).host(api.url()).flush_at(1);
    let rotation = segment.key_handle();
    let destination = segment.build().expect("the settings are valid");
    let analytics = Analytics::builder().plugin(destination).build().expect("the settings are valid");
    rotation.set_write_key(other("new")).expect("it is a key");
    rotation.set_write_key("").expect_err("it is none");
    assert!(analytics.send_with_receipt(Track::new("Keyed").user_id("u1")).expect("accepted").wait().is_delivered());
    assert!(has_key(&api.requests()[0], &other("new")));
    assert!(!shows_a_secret(&format!("{rotation:?}")));
}

/// Batches are cut for the key that there was at first.
#[test]
fn a_longer_key_makes_no_batch_too_large() {
    let api = TrackingApi::start().expect("a free port");
    let hour = Duration::from_secs(60 * 60);
    let segment = Segment::new("k").host(api.url()).flush_at(2_500).flush_interval(hour);
    let handle = segment.key_handle();
    let analytics = Analytics::builder().segment(segment).build().expect("the settings are valid");
    let key = "k".repeat(1_000);
    handle.set_write_key(key.as_str()).expect("it is a key");
    // The batch has less room left than one event takes, and an event is shorter than the key.
    for number in 0..2_000 {
        let event = Track::new("Sized").user_id("u1").property("number", number).property("text", "x".repeat(200));
        analytics.track(event).expect("accepted");
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    let requests = api.requests();
    assert!(requests.iter().all(|request| request.body().len() <= 500_000 && has_key(request, &key)));
    assert_eq!(api.delivered_ids().len(), 2_000);
    assert!(requests.iter().any(|request| request.body().len() > 200_000), "only the one that is too large is split");
}
