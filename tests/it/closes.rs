//! Closes at random moments: each event that a client accepted has exactly one end.
//!
//! The test accounts for every id: an event is delivered, dropped with a reason, or returned by exactly one close. Its
//! callback runs once, and no event stays pending. `TRACKLANE_CLOSES` is the number of rounds (docs/LONG_RUNS.md).

mod oracle;
mod round;

use std::time::Instant;

use round::{Ended, Round};

const ROUNDS: u64 = 60;

fn rounds() -> u64 {
    std::env::var("TRACKLANE_CLOSES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS)
}

#[test]
fn whenever_and_however_a_client_ends_each_event_has_one_end() {
    let (start, mut all) = (Instant::now(), Ended::default());
    let first: u64 = std::env::var("TRACKLANE_CLOSES_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    for seed in first..first + rounds() {
        let round = Round::random(seed);
        match round.play() {
            Ok(ended) => all.add(&ended),
            Err(wrong) => panic!("{wrong}\nTRACKLANE_CLOSES_SEED={seed} TRACKLANE_CLOSES=1, {round:?}"),
        }
    }
    println!("{} rounds in {:?}: {all:?}", rounds(), start.elapsed());
}

/// The case that lost events in every round: many chunks wait while a close with no time takes them out.
#[test]
fn a_close_with_a_full_queue_loses_nothing() {
    for seed in 0..5 {
        let round = Round { queue: 20_000, events: 20_000, ..Round::plain(seed) };
        round.play().unwrap_or_else(|wrong| panic!("{wrong}\n{round:?}"));
    }
}
