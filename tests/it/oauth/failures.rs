//! A token server that is slow or broken, has a different time, or refuses.

use std::error::Error;
use std::time::SystemTime;

use tracklane::segment::TokenError;
use tracklane::testing::Reply;
use tracklane::{DropReason, Outcome};

use super::*;

/// Returns the reason for the missing token, from the event's settlement.
fn token_error(end: &Settlement) -> TokenError {
    let error = end.destinations[0].error.as_ref().expect("an error");
    error.source().and_then(|source| source.downcast_ref::<TokenError>()).expect("a token error").clone()
}

#[test]
fn a_clock_that_is_wrong_is_learnt_from_the_server() {
    let behind = |time: SystemTime| time - secs(3_600);
    let ahead = |time: SystemTime| time + secs(3_600);
    let skews: [fn(SystemTime) -> SystemTime; 2] = [behind, ahead];
    for skewed in skews {
        let clock = ManualClock::new();
        let time = clock.clone();
        let tokens = TokenServer::start(move || skewed(time.now()));
        let world = World { clock, tokens, api: TrackingApi::start().unwrap() };
        let analytics = world.analytics();
        assert!(deliver(&analytics).is_delivered());
        let answers: Vec<Option<u16>> = world.tokens.api.requests().iter().map(Request::answered).collect();
        assert_eq!(answers, [Some(400), Some(200)], "signed again with the right time, at once");
        world.clock.advance(secs(1_000));
        assert!(deliver(&analytics).is_delivered());
        assert_eq!(world.token_requests(), 3, "and remembered");
    }
}

#[test]
fn a_token_server_that_is_busy_is_left_alone_as_long_as_it_says() {
    let table = [("x-ratelimit-reset", "7", 7), ("retry-after", "8", 8), ("x-nothing", "", 5)];
    for (header, value, pause) in table {
        let world = World::new();
        let analytics = world.analytics();
        world.tokens.api.script([Reply::status(429).header(header, value)]);
        let end = deliver_meanwhile(&analytics);
        assert!(world.clock.wait_for_sleeper(secs(pause)..=secs(pause)), "{header}: {:?}", world.clock.next_wake());
        world.clock.advance(secs(pause) - Duration::from_millis(1));
        assert_eq!(world.token_requests(), 1, "{header}");
        world.clock.advance(Duration::from_millis(1));
        assert!(end.join().unwrap().is_delivered(), "{header}");
        assert_eq!(world.token_requests(), 2, "{header}");
    }
}

#[test]
fn a_server_that_fails_for_the_moment_is_asked_again_within_the_attempt() {
    let world = World::new();
    let analytics = world.analytics();
    world.tokens.api.script([Reply::status(500), Reply::close(), Reply::status(200).body("<html>")]);
    let end = deliver_meanwhile(&analytics);
    world.advance_until("the fourth request", |wait| world.tokens.api.wait_for_requests(4, wait).len() == 4);
    assert!(end.join().unwrap().is_delivered());
    assert_eq!(analytics.stats().destinations[0].attempts, 1);
    assert_eq!(world.authorizations(), [bearer(1)]);
}

#[test]
fn when_the_quick_retries_are_used_up_the_batch_goes_on_by_its_own() {
    let world = World::new();
    let analytics = world.builder(world.oauth().max_retries(1)).build().unwrap();
    let errors = errors(&analytics);
    world.tokens.api.script([Reply::status(500), Reply::status(502)]);
    let end = deliver_meanwhile(&analytics);
    assert_eq!(world.tokens.api.wait_for_requests(2, SOON).len(), 2);
    world.advance_until("the lane's retry", |wait| world.api.wait_for_requests(1, wait).len() == 1);
    assert!(end.join().unwrap().is_delivered());
    assert_eq!(world.token_requests(), 3);
    assert_eq!(world.api.requests()[0].header("x-retry-count"), Some("1"));
    let error = errors.recv_timeout(SOON).expect("somebody is told");
    assert!(error.contains("OAuth: the token server answered 502"), "{error}");
}

#[test]
fn a_server_that_hangs_costs_the_attempt_and_no_more() {
    let world = World::new();
    let analytics = world.analytics();
    world.tokens.api.script([Reply::hang()]);
    let end = deliver_meanwhile(&analytics);
    assert_eq!(world.tokens.api.wait_for_requests(1, SOON).len(), 1);
    assert!(world.clock.wait_for_sleeper(secs(10)..=secs(10)));
    world.clock.advance(secs(10));
    world.advance_until("another request", |wait| world.tokens.api.wait_for_requests(2, wait).len() == 2);
    assert!(end.join().unwrap().is_delivered());
}

#[test]
fn what_cannot_get_better_is_said_and_asked_once() {
    for status in [400, 401, 403, 404, 415, 302] {
        let world = World::new();
        let analytics = world.analytics();
        let errors = errors(&analytics);
        world.tokens.api.script([Reply::status(status).body(r#"{"error":"invalid_client"}"#)]);
        let end = deliver(&analytics);
        assert_eq!(end.outcome, Outcome::Dropped(DropReason::Unauthorized), "{status}");
        let error = token_error(&end);
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert!(!error.is_transient(), "{status}");
        let text = format!("{:#}", end.destinations[0].error.as_ref().unwrap());
        assert!(text.contains(&format!("the token server answered {status}")), "{text}");
        assert!(text.contains("(invalid_client): check the client id"), "{text}");
        assert_eq!((world.token_requests(), world.api.request_count()), (1, 0), "{status}");
        assert!(deliver(&analytics).is_delivered(), "{status}: the next batch asks anew");
        let error = errors.recv_timeout(SOON).expect("somebody is told");
        assert!(error.contains(&text), "{error}");
    }
}
