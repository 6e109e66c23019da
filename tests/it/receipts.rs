//! Receipts and callbacks: they report the end of each event, once.

use std::time::Duration;

use tracklane::segment::NAME;
use tracklane::testing::Reply;
use tracklane::{Analytics, DropReason, Event, Outcome, Receipt, Settlement};

use crate::support::{Log, SOON, api, client, quick_retries, recorder, segment, track};

#[test]
fn a_receipt_tells_the_id_the_outcome_and_each_destination() {
    let api = api();
    let (vero, _) = recorder("Vero");
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).plugin(vero).build().unwrap();
    let given = analytics.send_with_receipt(track("x").message_id("m")).unwrap().wait();
    assert_eq!((given.message_id.as_str(), given.outcome, given.is_delivered()), ("m", Outcome::Delivered, true));
    let mut names: Vec<&str> = given.destinations.iter().map(|end| &*end.destination).collect();
    names.sort_unstable();
    assert_eq!(names, [NAME, "Vero"]);
    assert!(given.destinations.iter().all(|end| end.outcome.is_delivered() && end.error.is_none()));

    let made = analytics.send_with_receipt(track("x").integration("Vero", false)).unwrap().wait();
    assert_eq!(api.delivered_ids()[1], made.message_id);
    assert_eq!(made.destinations.len(), 1);
}

#[test]
fn an_id_that_needs_escapes_is_told_as_it_was_given() {
    let ids: Log<String> = Log::new();
    let (api, seen) = (api(), ids.clone());
    let after = tracklane::plugin::after_fn("ids", move |message: &tracklane::event::Message, _: &Settlement| {
        seen.push(message.message_id().into_owned());
    });
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).plugin(after).build().unwrap();
    let id = "a\"b\\c\u{e9}\n";
    assert_eq!(analytics.send_with_receipt(track("x").message_id(id)).unwrap().wait().message_id, id);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((api.delivered_ids(), ids.all()), (vec![id.to_owned()], vec![id.to_owned()]));
}

#[test]
fn a_drop_is_told_with_its_reason_and_the_last_error() {
    let table = [
        (vec![Reply::status(401)], DropReason::Unauthorized, Some(401)),
        (vec![Reply::status(413)], DropReason::TooLarge, Some(413)),
        (vec![Reply::status(400)], DropReason::Rejected, Some(400)),
        (vec![Reply::status(301).header("location", "/elsewhere")], DropReason::Rejected, Some(301)),
        (vec![Reply::status(500), Reply::status(502)], DropReason::RetriesExhausted, Some(502)),
        (vec![Reply::reset(), Reply::reset()], DropReason::RetriesExhausted, None),
    ];
    for (replies, reason, status) in table {
        let (api, requests) = (api(), replies.len());
        api.script(replies);
        let analytics =
            Analytics::builder().segment(segment(&api).flush_at(1).retry(quick_retries(1))).build().unwrap();
        let end = analytics.send_with_receipt(track("x")).unwrap().wait();
        assert_eq!(end.outcome, Outcome::Dropped(reason), "{status:?}");
        let error = end.destinations[0].error.as_ref().unwrap();
        assert_eq!(error.status().map(|status| status.as_u16()), status, "{error}");
        assert!(status.is_none_or(|status| error.to_string().contains(&status.to_string())), "{error}");
        assert_eq!(api.request_count(), requests);
    }
}

#[test]
fn every_callback_is_called_once_and_also_for_events_that_no_destination_saw() {
    let api = api();
    let drop = tracklane::plugin::before_fn("drop", |event: &mut Event| match event.name().as_deref() {
        Some("drop") => tracklane::plugin::Flow::drop("told to"),
        _ => tracklane::plugin::Flow::Continue,
    });
    let analytics = client(&api).plugin(drop).build().unwrap();
    let told: Log<Settlement> = Log::new();
    for name in ["a", "drop", "b"] {
        let (first, second) = (told.clone(), told.clone());
        let event = track(name)
            .message_id(name)
            .on_delivery(move |end| first.push(end.clone()))
            .on_delivery(move |end| second.push(end.clone()));
        analytics.track(event).unwrap();
    }
    analytics.close_blocking(SOON);
    // Close waits for callbacks: all are there.
    let mut ends: Vec<(String, Outcome)> = told.all().into_iter().map(|end| (end.message_id, end.outcome)).collect();
    ends.sort_by(|one, other| one.0.cmp(&other.0));
    let dropped = Outcome::Dropped(DropReason::Plugin);
    let (a, b, drop) = (("a", Outcome::Delivered), ("b", Outcome::Delivered), ("drop", dropped));
    assert_eq!(ends, [a, a, b, b, drop, drop].map(|(id, end)| (id.to_owned(), end)));
}

#[test]
fn a_refused_event_keeps_its_callback_for_the_next_try() {
    let api = api();
    let closed = client(&api).build().unwrap();
    closed.close_blocking(SOON);
    let told = Log::new();
    let log = told.clone();
    let event = track("x").on_delivery(move |end| log.push(end.outcome));
    let event = closed.track(event).unwrap_err().into_event();
    assert_eq!(told.len(), 0, "a call that was refused is told by its error");
    let open = client(&api).build().unwrap();
    open.send(event).unwrap();
    assert!(open.close_blocking(SOON).is_complete());
    assert_eq!(told.all(), [Outcome::Delivered]);
}

#[test]
fn callbacks_stay_with_the_original_and_not_with_a_clone() {
    let api = api();
    let told = Log::new();
    let log = told.clone();
    let event = track("x").on_delivery(move |_| log.push(()));
    let analytics = client(&api).build().unwrap();
    analytics.track(event.clone()).unwrap();
    analytics.track(event).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(told.len(), 1);
}

#[test]
fn a_receipt_that_nobody_awaits_costs_the_event_nothing() {
    let api = api();
    let analytics = client(&api).build().unwrap();
    drop(analytics.send_with_receipt(track("x")).unwrap());
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(api.events().len(), 1);
}

#[test]
fn a_receipt_ends_when_the_client_closes_or_goes_without_delivering() {
    let api = api();
    api.set_default(Reply::hang());
    let analytics = client(&api).build().unwrap();
    let receipts: Vec<Receipt> = (0..3).map(|_| analytics.send_with_receipt(track("x")).unwrap()).collect();
    analytics.close_blocking(Duration::from_millis(50));
    for receipt in receipts {
        assert_eq!(receipt.wait().outcome, Outcome::Dropped(DropReason::Closed));
    }
}

#[test]
fn one_destination_that_has_it_makes_it_delivered() {
    let api = api();
    api.set_default(Reply::status(403));
    let (vero, _) = recorder("Vero");
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1)).plugin(vero).build().unwrap();
    let end = analytics.send_with_receipt(track("x")).unwrap().wait();
    assert_eq!(end.outcome, Outcome::Delivered);
    let at_segment = end.destinations.iter().find(|end| &*end.destination == NAME).unwrap();
    assert_eq!(at_segment.outcome, Outcome::Dropped(DropReason::Unauthorized));
    let stats = analytics.stats();
    assert_eq!((stats.delivered, stats.dropped.total()), (1, 0));
    assert_eq!(stats.destinations[0].dropped.get(DropReason::Unauthorized), 1);
}

#[test]
fn a_receipt_can_be_awaited_on_any_executor() {
    let (destination, _) = recorder("r");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let end = pollster::block_on(async { analytics.send_with_receipt(track("x").message_id("1")).unwrap().await });
    assert_eq!(end.message_id, "1");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let end = runtime.block_on(async { analytics.send_with_receipt(track("x").message_id("2")).unwrap().await });
    assert_eq!(end.message_id, "2");
}

#[test]
fn a_receipt_that_was_waited_for_in_vain_can_be_waited_for_again() {
    let api = api();
    api.script([Reply::hang()]);
    let timeout = Duration::from_millis(500);
    let analytics = Analytics::builder()
        .segment(segment(&api).flush_at(1).http_request_timeout(timeout).retry(quick_retries(1)))
        .build()
        .unwrap();
    let receipt = analytics.send_with_receipt(track("x").message_id("m")).unwrap();
    let receipt = receipt.wait_timeout(Duration::ZERO).unwrap_err();
    let end = receipt.wait_timeout(SOON).unwrap();
    assert_eq!((end.message_id.as_str(), end.outcome), ("m", Outcome::Delivered));
}
