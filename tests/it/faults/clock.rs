//! Clocks that jump.

use std::time::{Duration, SystemTime};

use tracklane::event::Timestamp;
use tracklane::testing::{ManualClock, Reply};

use crate::support::{Trial, eventually};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
pub(super) fn a_jump_of_the_wall_clock_moves_no_timer() {
    let jumps: [fn(&ManualClock); 2] = [|clock| clock.jump_forward(DAY), |clock| clock.jump_back(DAY)];
    for jump in jumps {
        let (clock, interval) = (ManualClock::new(), Duration::from_secs(7));
        let mut trial = Trial::with_both(
            |segment| segment.flush_at(10).flush_interval(interval),
            |settings| settings.clock(clock.clone()),
        );
        trial.api.script([Reply::status(429).header("retry-after", "30")]);
        trial.send(1);
        assert!(clock.wait_for_sleeper(interval..=interval));
        jump(&clock);
        clock.advance(interval - Duration::from_millis(1));
        assert_eq!(trial.api.request_count(), 0, "the batch is not due yet");
        clock.advance(Duration::from_millis(1));
        let pause = Duration::from_secs(30);
        assert!(clock.wait_for_sleeper(pause..=pause), "the pause is 30 s");
        jump(&clock);
        jump(&clock);
        clock.advance(pause);
        eventually("it is delivered", || trial.assert_books_balance().delivered == 1);
        trial.survives();
    }
}

#[test]
pub(super) fn events_and_requests_carry_the_wall_clock_of_their_time() {
    let clock = ManualClock::new();
    let mut trial = Trial::with(|settings| settings.clock(clock.clone()));
    trial.send_each(1);
    clock.jump_back(DAY);
    trial.send_each(1);
    let ended = trial.survives();
    let times: Vec<(String, String)> = ended
        .api
        .requests()
        .iter()
        .map(|request| {
            let body = request.json().expect("a batch");
            let text = |value: &serde_json::Value| value.as_str().expect("a time").to_owned();
            (text(&body["sentAt"]), text(&body["batch"][0]["timestamp"]))
        })
        .collect();
    let at = |time: SystemTime| Timestamp::from(time).to_string();
    let (before, after) = (at(clock.now() + DAY), at(clock.now()));
    assert_eq!(times[0], (before.clone(), before), "before the jump");
    assert_eq!(times[1], (after.clone(), after), "after it, though it is earlier");
}
