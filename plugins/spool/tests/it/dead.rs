//! What the destination refuses for good is kept with its reason, and can be sent again or dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tracklane::Analytics;
use tracklane::plugin::{Answer, Batch, Destination, Verdict};
use tracklane_spool::{Backlog, DeadLetters, Spool};

use crate::support::{Directory, event, wait_until};

/// Refuses every event whose id begins with `bad`, while it is strict.
fn strict(is_strict: &Arc<AtomicBool>) -> Destination {
    let is_strict = Arc::clone(is_strict);
    Destination::from_fn("strict", move |batch: Batch| {
        let bad = batch.messages().any(|message| message.message_id().starts_with("bad"));
        let useless = batch.messages().any(|message| message.message_id().starts_with("useless"));
        let refuse = bad && is_strict.load(Ordering::Acquire);
        async move {
            if useless {
                return Ok(Answer::skip("of no use here"));
            }
            let answer = Answer::new(Verdict::Reject).with_error("its id is bad");
            Ok::<_, std::io::Error>(if refuse { answer } else { Answer::from(()) })
        }
    })
}

fn ids(dead: &DeadLetters) -> Vec<String> {
    let mut ids = Vec::new();
    dead.visit(|letter| ids.extend(letter.message_id())).unwrap();
    ids
}

#[test]
fn a_refused_event_is_kept_and_goes_out_when_it_is_sent_again() {
    let (directory, is_strict) = (Directory::new(), Arc::new(AtomicBool::new(true)));
    let spool = Spool::new(directory.spool()).keep_refused().adopt_every(Duration::from_millis(20));
    let analytics = Analytics::builder().plugin(spool.in_front_of(strict(&is_strict))).build().unwrap();
    for id in ["good-1", "bad-1", "useless-1", "bad-2", "good-2"] {
        assert!(analytics.send_with_receipt(event(id)).unwrap().wait().is_delivered());
    }
    let dead = DeadLetters::of(directory.spool());
    wait_until("both are dead", || ids(&dead).len() == 2);
    wait_until("nothing waits", || spool.stats().files == 0);
    assert_eq!(ids(&dead), ["bad-1", "bad-2"]);
    dead.visit(|letter| {
        assert_eq!((letter.reason.as_str(), letter.error.as_deref()), ("rejected", Some("the attempt failed: its id is bad")));
        assert!(letter.event.get().contains("\"type\":\"track\"") && letter.at.starts_with("20"), "{letter:?}");
    })
    .unwrap();
    assert_eq!((spool.stats().delivered, spool.stats().refused, spool.stats().skipped), (2, 2, 1));

    is_strict.store(false, Ordering::Release);
    assert_eq!(dead.replay("strict", |letter| letter.message_id().as_deref() == Some("bad-2")).unwrap(), 1);
    wait_until("the running spool found and sent it", || spool.stats().delivered == 3);
    assert_eq!(ids(&dead), ["bad-1"]);
    analytics.close_blocking(Duration::from_secs(10));

    assert_eq!(dead.replay("strict", |_| true).unwrap(), 1, "also while no service runs");
    assert_eq!(Backlog::of(directory.spool()).unwrap().events, 1);
    let next = Spool::new(directory.spool()).keep_refused();
    let analytics = Analytics::builder().plugin(next.in_front_of(strict(&is_strict))).build().unwrap();
    wait_until("the next one sends it", || next.stats().delivered == 1);
    analytics.close_blocking(Duration::from_secs(10));
    assert_eq!(ids(&dead), Vec::<String>::new());
}

#[test]
fn letters_are_dropped_one_by_one_and_what_is_none_stays() {
    let directory = Directory::new();
    let spool = Spool::new(directory.spool()).keep_refused();
    let is_strict = Arc::new(AtomicBool::new(true));
    let analytics = Analytics::builder().plugin(spool.in_front_of(strict(&is_strict))).build().unwrap();
    for id in ["bad-1", "bad-2"] {
        assert!(analytics.send_with_receipt(event(id)).unwrap().wait().is_delivered());
    }
    let dead = DeadLetters::of(directory.spool());
    wait_until("both are dead", || ids(&dead).len() == 2);
    let stranger = directory.spool().join("dead/0.jsonl");
    std::fs::write(&stranger, "this is no letter\n").unwrap();
    assert_eq!(dead.remove(|letter| letter.message_id().as_deref() == Some("bad-1")).unwrap(), 1);
    assert_eq!(ids(&dead), ["bad-2"]);
    assert_eq!(dead.remove(|_| true).unwrap(), 1);
    assert_eq!(std::fs::read_to_string(stranger).unwrap(), "this is no letter\n");
}

#[test]
fn while_there_is_no_room_for_dead_letters_their_file_stays_and_counts() {
    let directory = Directory::new();
    let spool = Spool::new(directory.spool()).keep_refused().max_bytes(64 << 10).adopt_every(Duration::from_millis(20));
    std::fs::create_dir_all(directory.spool().join("dead")).unwrap();
    let full = directory.spool().join("dead/1.jsonl");
    std::fs::write(&full, " ".repeat(64 << 10)).unwrap();
    let is_strict = Arc::new(AtomicBool::new(true));
    let analytics = Analytics::builder().plugin(spool.in_front_of(strict(&is_strict))).build().unwrap();
    assert!(analytics.send_with_receipt(event("bad-1")).unwrap().wait().is_delivered());
    wait_until("it was refused", || spool.stats().refused == 1);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!((spool.stats().files, ids(&DeadLetters::of(directory.spool()))), (1, Vec::new()));
    std::fs::remove_file(full).unwrap();
    wait_until("it is kept as soon as there is room", || spool.stats().files == 0);
    assert_eq!(ids(&DeadLetters::of(directory.spool())), ["bad-1"]);
}
