//! The fate `Complete` with several destinations of which one loses events, and the text of a refusal.

use tracklane::plugin::{Batch, Destination, Verdict, enrichment_fn};
use tracklane::testing::Reply;
use tracklane::{Analytics, BoxError, DeliveryError, Event};

use crate::support::{SOON, api, client, recorder, segment, track};

#[test]
fn the_total_loss_of_one_destination_is_not_complete() {
    let (keeps, arrived) = recorder("keeps");
    let loses = Destination::from_fn("loses", |_: Batch| async { Ok::<_, BoxError>(Verdict::Reject) });
    let analytics = Analytics::builder().plugin(keeps).plugin(loses).build().unwrap();
    for _ in 0..3 {
        analytics.track(track("Bought")).unwrap();
    }
    let flushed = analytics.flush_blocking(SOON);
    assert_eq!((flushed.delivered, flushed.failed, flushed.failed_deliveries), (3, 0, 3));
    assert!(!flushed.is_complete());
    let closed = analytics.close_blocking(SOON);
    assert_eq!((closed.delivered, closed.failed, closed.failed_deliveries), (3, 0, 3));
    assert!(!closed.is_complete());
    assert_eq!(arrived.len(), 3);
    // The next flush has nothing to complain of.
    let (keeps, _) = recorder("keeps");
    let analytics = Analytics::builder().plugin(keeps).build().unwrap();
    analytics.track(track("Bought")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete() && analytics.close_blocking(SOON).is_complete());
}

#[test]
fn a_destination_that_could_not_be_loaded_is_not_complete_either() {
    struct Broken;
    impl tracklane::plugin::Plugin for Broken {
        fn name(&self) -> &str {
            "broken"
        }
        async fn load(&self, _: &tracklane::plugin::Host) -> Result<(), BoxError> {
            Err("no".into())
        }
    }
    let broken = Destination::from_fn("broken", |_: Batch| async { Ok::<(), BoxError>(()) }).lifecycle(Broken);
    let (keeps, arrived) = recorder("keeps");
    let analytics = Analytics::builder().plugin(keeps).plugin(broken).build().unwrap();
    analytics.track(track("Bought")).unwrap();
    let flushed = analytics.flush_blocking(SOON);
    assert_eq!((flushed.delivered, flushed.failed_deliveries, arrived.len()), (1, 1, 1));
    assert!(!flushed.is_complete() && !analytics.close_blocking(SOON).is_complete());
}

#[test]
fn what_plugins_drop_on_purpose_is_complete() {
    let (keeps, _) = recorder("keeps");
    let drops = enrichment_fn("drops", |_: &mut Event| tracklane::plugin::Flow::drop("no consent"));
    let analytics = Analytics::builder().plugin(keeps).plugin(drops).build().unwrap();
    analytics.track(track("Bought")).unwrap();
    let report = analytics.close_blocking(SOON);
    assert!(report.is_complete() && report.dropped == 1, "{report:?}");
}

/// The error with which Segment's destination lost an event, for this answer of the server.
fn refusal(reply: Reply) -> (String, String, Option<String>) {
    let api = api();
    api.set_default(reply);
    let analytics = client(&api).build().unwrap();
    let end = analytics.send_with_receipt(track("Bought")).unwrap().wait_timeout(SOON).unwrap();
    let error: &DeliveryError = end.destinations[0].error.as_deref().unwrap();
    (error.to_string(), format!("{error:?}"), error.body().map(str::to_owned))
}

#[test]
fn a_refusal_has_the_beginning_of_the_body_and_shows_it_to_nobody_else() {
    let (said, debug, body) = refusal(Reply::status(400).body(r#" {"message":"malformed"} "#));
    assert_eq!(body.as_deref(), Some(r#"{"message":"malformed"}"#));
    assert!(!said.contains("malformed") && !debug.contains("malformed"), "{said} {debug}");
    let (.., body) = refusal(Reply::status(422).body("ä".repeat(1_000)));
    assert_eq!(body, Some("ä".repeat(DeliveryError::MAX_BODY_CHARS)));
    assert_eq!(refusal(Reply::status(400)).2, None);
    assert_eq!(refusal(Reply::status(401).body("no such key")).2.as_deref(), Some("no such key"));
}

#[test]
fn a_404_says_which_url_there_is_not() {
    let api = api();
    api.set_default(Reply::status(404));
    let analytics = Analytics::builder().segment(segment(&api).path("/v2/batch")).build().unwrap();
    let end = analytics.send_with_receipt(track("Bought")).unwrap().wait_timeout(SOON).unwrap();
    let said = end.destinations[0].error.as_ref().unwrap();
    let said = format!("{said:#}");
    assert_eq!(said, format!("HTTP status 404 Not Found: there is no {}/v2/batch", api.url().trim_end_matches('/')));
}

#[test]
fn a_host_with_the_endpoint_in_it_is_the_host() {
    let api = api();
    for path in ["/v1/batch", "/v1/batch/", "/v1/track", "/v1"] {
        let analytics = Analytics::builder()
            .segment(segment(&api).host(format!("{}{path}", api.url().trim_end_matches('/'))))
            .build()
            .unwrap();
        analytics.track(track("Bought")).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete());
    }
    assert!(api.requests().iter().all(|request| request.path() == "/v1/batch"));
    assert_eq!(api.events().len(), 4);
}
