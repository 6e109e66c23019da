//! The lifetime of a token: it is renewed in time, and discarded when it is refused.

use std::time::Instant;

use tracklane::testing::Reply;

use super::*;

/// Sends events until one carries this token.
fn deliver_until_token(world: &World, analytics: &Analytics, number: u32) {
    let give_up = Instant::now() + SOON;
    loop {
        assert!(deliver(analytics).is_delivered());
        if world.authorizations().last() == Some(&bearer(number)) {
            return;
        }
        assert!(Instant::now() < give_up, "token {number} is never used");
    }
}

#[test]
fn a_token_is_renewed_at_half_its_life_and_serves_on_meanwhile() {
    let world = World::new();
    let analytics = world.analytics();
    assert!(deliver(&analytics).is_delivered());
    world.clock.advance(secs(499));
    assert!(deliver(&analytics).is_delivered());
    assert_eq!(world.token_requests(), 1, "before half of 1,000 s nothing is asked");

    world.tokens.api.script([Reply::hang()]);
    world.clock.advance(secs(1));
    assert!(deliver(&analytics).is_delivered());
    assert_eq!(world.tokens.api.wait_for_requests(2, SOON).len(), 2, "renewal has begun");
    for _ in 0..3 {
        assert!(deliver(&analytics).is_delivered(), "nobody waits for the renewal");
    }
    assert_eq!(world.authorizations(), vec![bearer(1); 6]);
    assert_eq!(world.token_requests(), 2, "and nobody begins another");

    // The server never answers: the client gives up after 30 s, reports it, and tries again a minute later.
    let errors = errors(&analytics);
    assert!(world.clock.wait_for_sleeper(secs(30)..=secs(30)));
    world.clock.advance(secs(30));
    let error = errors.recv_timeout(SOON).expect("somebody is told");
    assert!(error.contains("could not be renewed") && error.contains("within 30s"), "{error}");
    world.clock.advance(secs(59));
    assert!(deliver(&analytics).is_delivered());
    assert_eq!(world.token_requests(), 2);
    world.clock.advance(secs(1));
    deliver_until_token(&world, &analytics, 2);
    assert_eq!(world.token_requests(), 3);
}

#[test]
fn renewal_that_is_told_to_wait_waits() {
    let world = World::new();
    let analytics = world.analytics();
    let errors = errors(&analytics);
    assert!(deliver(&analytics).is_delivered());
    world.tokens.api.script([Reply::status(429).header("x-ratelimit-reset", "200")]);
    world.clock.advance(secs(500));
    assert!(deliver(&analytics).is_delivered());
    let error = errors.recv_timeout(SOON).expect("somebody is told");
    assert!(error.contains("answered 429"), "{error}");
    world.clock.advance(secs(199));
    assert!(deliver(&analytics).is_delivered());
    assert_eq!(world.token_requests(), 2);
    world.clock.advance(secs(1));
    deliver_until_token(&world, &analytics, 2);
}

#[test]
fn an_expired_token_is_not_sent() {
    let world = World::new();
    world.tokens.set_life(secs(100));
    let analytics = world.analytics();
    assert!(deliver(&analytics).is_delivered());
    world.clock.advance(secs(100));
    assert!(deliver(&analytics).is_delivered());
    assert_eq!(world.authorizations(), [bearer(1), bearer(2)]);
}

#[test]
fn a_token_that_is_refused_is_replaced_within_the_attempt() {
    for status in [401, 403] {
        let world = World::new();
        let analytics = world.analytics();
        assert!(deliver(&analytics).is_delivered());
        world.api.script([Reply::status(status)]);
        assert!(deliver(&analytics).is_delivered(), "{status}");
        assert_eq!(world.authorizations(), [bearer(1), bearer(1), bearer(2)], "{status}");
        assert_eq!(analytics.stats().destinations[0].retries, 0, "{status}: it spends no retry");
        assert_eq!(world.tokens.granted(), 2);
    }
}

#[test]
fn a_fresh_token_that_is_refused_too_is_final() {
    for status in [401, 403] {
        let world = World::new();
        let analytics = world.analytics();
        world.api.script([Reply::status(status), Reply::status(status)]);
        let end = deliver(&analytics);
        assert_eq!(end.outcome, tracklane::Outcome::Dropped(tracklane::DropReason::Unauthorized), "{status}");
        let error = end.destinations[0].error.as_ref().unwrap();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert!(deliver(&analytics).is_delivered());
        assert_eq!(world.authorizations(), [bearer(1), bearer(2), bearer(3)], "{status}");
    }
}

#[test]
fn after_511_the_batch_is_retried_with_another_token() {
    let world = World::new();
    let analytics = world.analytics();
    world.api.script([Reply::status(511)]);
    let end = deliver_meanwhile(&analytics);
    assert_eq!(world.api.wait_for_requests(1, SOON).len(), 1);
    world.advance_until("the retry", |wait| world.api.wait_for_requests(2, wait).len() == 2);
    assert!(end.join().unwrap().is_delivered());
    assert_eq!(world.authorizations(), [bearer(1), bearer(2)]);
    assert_eq!(world.api.requests()[1].header("x-retry-count"), Some("1"));
}

#[test]
fn after_400_the_batch_is_refused_and_the_token_given_up() {
    let world = World::new();
    let analytics = world.analytics();
    world.api.script([Reply::status(400)]);
    assert!(!deliver(&analytics).is_delivered());
    assert!(deliver(&analytics).is_delivered());
    assert_eq!(world.authorizations(), [bearer(1), bearer(2)]);
}

#[test]
fn other_failures_leave_the_token_alone() {
    for status in [404, 413, 501, 505] {
        let world = World::new();
        let analytics = world.analytics();
        world.api.script([Reply::status(status)]);
        assert!(!deliver(&analytics).is_delivered(), "{status}");
        assert!(deliver(&analytics).is_delivered());
        assert_eq!(world.authorizations(), [bearer(1), bearer(1)], "{status}");
    }
}
