//! Mixpanel counts a charge each time it is sent: it goes last, and never again if it may have been counted.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::plugin::{Batching, RetryPolicy};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, DropReason, Identify, Outcome, Track};
use tracklane_http::testing::{Reply, Server};
use tracklane_mixpanel::Target;

use crate::support::{SOON, at, client};

const HOUR: Duration = Duration::from_secs(3600);
const REJECTED: Outcome = Outcome::Dropped(DropReason::Rejected);

fn sale(id: &str, revenue: i64) -> Track {
    Track::new("Sale").user_id("u1").message_id(id).property("revenue", revenue)
}

/// The items of all requests to that path.
fn items(server: &Server, path: &str) -> Vec<Value> {
    let requests = server.requests().into_iter().filter(|request| request.path.starts_with(path));
    requests.flat_map(|request| request.json().unwrap().as_array().unwrap().clone()).collect()
}

/// The charges of all requests.
fn charges(server: &Server) -> Vec<Value> {
    let charge = |item: &Value| item.pointer("/$append/$transactions/$amount").cloned();
    items(server, "/engage").iter().filter_map(charge).collect()
}

#[test]
fn a_charge_is_never_sent_again_if_it_may_have_been_counted() {
    let ok = || Reply::new(200);
    // What happens, replies, outcome, events that are sent, charges that are sent.
    let table = [
        ("all is well", vec![], Outcome::Delivered, 1, 1),
        ("the import fails", vec![Reply::new(500)], Outcome::Delivered, 2, 1),
        ("the import is reset", vec![Reply::reset()], Outcome::Delivered, 2, 1),
        ("the import is refused", vec![Reply::new(400)], REJECTED, 1, 0),
        ("the charge fails", vec![ok(), Reply::new(500)], REJECTED, 1, 1),
        ("after a time", vec![ok(), Reply::new(503).header("retry-after", "1")], REJECTED, 1, 1),
        ("the charge was too slow", vec![ok(), Reply::new(408)], REJECTED, 1, 1),
        ("the charge is reset", vec![ok(), Reply::reset()], REJECTED, 1, 1),
        ("its answer is reset", vec![ok(), Reply::new(200).body("{}").reset_in_body()], REJECTED, 1, 1),
        ("the charge is refused", vec![ok(), Reply::new(200).body(r#"{"status":0}"#)], REJECTED, 1, 1),
        ("it comes too early, and is not counted", vec![ok(), Reply::new(429)], Outcome::Delivered, 2, 2),
    ];
    for (what, replies, outcome, events, charged) in table {
        let server = Server::start(replies).unwrap();
        let analytics = client(at(&server).track_charges(true).build().unwrap());
        let end = analytics.send_with_receipt(sale("m1", 5)).unwrap().wait().destinations.remove(0);
        assert_eq!(end.outcome, outcome, "{what}");
        assert_eq!((items(&server, "/import").len(), charges(&server).len()), (events, charged), "{what}");
        if outcome == REJECTED && charged > 0 && what != "the charge is refused" {
            let told = format!("{:#}", end.error.unwrap());
            assert!(told.contains("its charge") && !told.contains("hunter2"), "{what}: {told}");
        }
    }
}

#[test]
fn who_is_told_of_a_charge_that_may_be_missing_learns_that_the_event_is_there() {
    let server = Server::start([Reply::new(200), Reply::new(500).body("as hunter2token says")]).unwrap();
    let analytics = client(at(&server).track_charges(true).build().unwrap().batching(Batching::every(2, HOUR)));
    let receipt = analytics.send_with_receipt(sale("m1", 5)).unwrap();
    let other = analytics.send_with_receipt(Track::new("A").user_id("u1")).unwrap();
    let told = format!("{:#}", receipt.wait().destinations.remove(0).error.unwrap());
    for part in ["event m1: Mixpanel has it, but its charge may be missing", "is not sent again", "500", "as … says"]
    {
        assert!(told.contains(part), "{told}");
    }
    assert!(other.wait().is_delivered(), "an event without a charge has nothing to do with it");
}

#[test]
fn a_charge_goes_with_no_other_change_and_only_of_an_event_that_was_taken() {
    // The first batch is too large, so its halves come again.
    let server = Server::start([Reply::new(200), Reply::new(413)]).unwrap();
    let analytics = client(at(&server).track_charges(true).build().unwrap().batching(Batching::every(3, HOUR)));
    analytics.identify(Identify::new().user_id("u1").with_trait("plan", "Pro")).unwrap();
    (1..3).for_each(|n| analytics.track(sale(&format!("m{n}"), n)).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 3);
    let mut charged = charges(&server);
    charged.sort_by_key(ToString::to_string);
    assert_eq!(charged, [1.0, 2.0]);
    // What is refused is not charged.
    let refused = json!({"code": 400, "failed_records": [{"index": 0, "field": "properties.time", "message": "no"}]});
    let server = Server::start([Reply::new(400).body(refused.to_string())]).unwrap();
    let analytics = client(at(&server).track_charges(true).build().unwrap().batching(Batching::every(2, HOUR)));
    (1..3).for_each(|n| analytics.track(sale(&format!("m{n}"), n)).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 1);
    assert_eq!(charges(&server), [2.0]);
}

#[test]
fn a_charge_that_mixpanel_refuses_is_told_in_its_words() {
    let refused = json!({"code": 400, "failed_records": [{"index": 1, "field": "$append", "message": "no number"}]});
    let server = Server::start([Reply::new(200), Reply::new(400).body(refused.to_string())]).unwrap();
    let analytics = client(at(&server).track_charges(true).build().unwrap().batching(Batching::every(2, HOUR)));
    let receipts: Vec<_> = (1..3).map(|n| analytics.send_with_receipt(sale(&format!("m{n}"), n)).unwrap()).collect();
    let [one, two] = <[_; 2]>::try_from(receipts).unwrap();
    assert!(one.wait().is_delivered());
    let told = format!("{:#}", two.wait().destinations.remove(0).error.unwrap());
    assert!(told.contains("event m2: Mixpanel refuses its charge: $append: no number"), "{told}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn what_a_hook_makes_a_change_that_counts_each_time_is_sent_once_as_well() {
    let server = Server::start([Reply::new(500)]).unwrap();
    let counting = at(&server).map_event(|_, item| {
        if item.target == Target::Engage {
            item.body["$add"] = json!({"logins": 1});
        }
    });
    let analytics = client(counting.build().unwrap());
    let identify = Identify::new().user_id("u1").with_trait("plan", "Pro");
    let end = analytics.send_with_receipt(identify).unwrap().wait().destinations.remove(0);
    assert_eq!((end.outcome, server.requests().len()), (REJECTED, 1));
}

#[test]
fn a_charge_without_an_answer_is_given_up_at_its_deadline_and_an_import_is_sent_again() {
    let seven = Duration::from_secs(7);
    for (hanging, outcome, events, charged) in [(0, Outcome::Delivered, 2, 1), (1, REJECTED, 1, 1)] {
        let replies = (0..=hanging).map(|n| if n == hanging { Reply::hang() } else { Reply::new(200) });
        let server = Server::start(replies).unwrap();
        let clock = ManualClock::new();
        let retry = RetryPolicy::new().schedule(|_| Duration::from_secs(1));
        let destination = at(&server).track_charges(true).timeout(seven).build().unwrap();
        let destination = destination.batching(Batching::single()).retry(retry);
        let analytics = Analytics::builder().clock(clock.clone()).plugin(destination).build().unwrap();
        let receipt = analytics.send_with_receipt(sale("m1", 5)).unwrap();
        assert_eq!(server.wait_for_requests(hanging + 1, SOON).len(), hanging + 1);
        assert!(clock.wait_for_sleeper(seven..=seven), "{:?}", clock.next_wake());
        clock.advance(seven);
        if outcome == Outcome::Delivered {
            let second = Duration::from_secs(1);
            assert!(clock.wait_for_sleeper(second..=second), "{:?}", clock.next_wake());
            clock.advance(second);
        }
        let end = receipt.wait().destinations.remove(0);
        assert_eq!(end.outcome, outcome);
        assert_eq!((items(&server, "/import").len(), charges(&server).len()), (events, charged));
        if let Some(error) = end.error {
            assert!(format!("{error:#}").contains("no answer within 7s"), "{error:#}");
        }
    }
}

#[cfg(feature = "reqwest")]
#[test]
fn without_a_connection_a_charge_is_sent_again() {
    use crate::support::mixpanel;

    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let counting =
        mixpanel().host(&format!("http://{closed}")).map_event(|_, item| item.body["$add"] = json!({"a": 1}));
    let analytics = client(counting.build().unwrap());
    let identify = Identify::new().user_id("u1").with_trait("plan", "Pro");
    let end = analytics.send_with_receipt(identify).unwrap().wait();
    assert_eq!(end.outcome, Outcome::Dropped(DropReason::RetriesExhausted));
}

#[test]
fn a_request_that_fails_keeps_the_charges_back_that_were_not_sent() {
    // Two imports, of which the second fails: no charge goes out, and all events come again.
    let server = Server::start([Reply::new(200), Reply::new(503)]).unwrap();
    let batching = |events: usize| Batching::every(events, HOUR).max_events(events).max_bytes(usize::MAX);
    let analytics = client(at(&server).track_charges(true).build().unwrap().batching(batching(80)));
    let long = "x".repeat(30_000);
    (0..80).for_each(|n| analytics.track(sale(&format!("m{n}"), n).property("long", &*long)).unwrap());
    assert_eq!(analytics.close_blocking(SOON).delivered, 80);
    assert_eq!((items(&server, "/import").len(), charges(&server).len()), (160, 80));
    // Two requests with charges, of which the first fails: the event of the other comes again.
    let server = Server::start([Reply::new(200), Reply::new(200), Reply::new(500)]).unwrap();
    let analytics = client(at(&server).track_charges(true).build().unwrap().batching(batching(2_001)));
    (0..2_001).for_each(|n| analytics.track(sale(&format!("m{n}"), n)).unwrap());
    let report = analytics.close_blocking(SOON);
    assert_eq!((report.delivered, report.failed), (1, 2_000));
    assert_eq!((items(&server, "/import").len(), charges(&server).len()), (2_002, 2_001));
}

#[test]
fn a_dry_run_sends_no_charge() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).track_charges(true).dry_run(true).build().unwrap());
    analytics.track(sale("m1", 5)).unwrap();
    assert_eq!((analytics.close_blocking(SOON).delivered, server.requests().len()), (1, 0));
}
