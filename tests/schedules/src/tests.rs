//! Properties that must hold in every order of steps.

use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::worker_state::WorkerState;
use crate::capacity::Capacity;
use crate::pending::{DELIVERED, PendingDestinations};
use crate::sync::Notify;

#[test]
fn of_concurrent_shares_one_makes_the_outcome_and_it_is_the_greatest() {
    for outcomes in [[0, 0, 0], [DELIVERED, 0, 3], [0, 7, 3], [DELIVERED, DELIVERED, DELIVERED]] {
        loom::model(move || {
            let mut shares = PendingDestinations::default();
            shares.set_count(3);
            let shares = Arc::new(shares);
            let [first, others @ ..] = outcomes;
            let threads = others.map(|outcome| {
                let shares = shares.clone();
                thread::spawn(move || shares.complete_one(outcome))
            });
            let mut made = vec![shares.complete_one(first)];
            made.extend(threads.map(|thread| thread.join().unwrap()));
            let made: Vec<u8> = made.into_iter().flatten().collect();
            assert_eq!(made, [outcomes.into_iter().max().unwrap()], "{outcomes:?}");
        });
    }
}

#[test]
fn room_is_freed_once_however_many_destinations_are_done() {
    loom::model(|| {
        let shares = Arc::new(PendingDestinations::default());
        let other = shares.clone();
        let there = thread::spawn(move || other.release_once());
        let here = shares.release_once();
        assert!(here ^ there.join().unwrap());
    });
}

#[test]
fn a_ticket_is_settled_once() {
    loom::model(|| {
        let shares = Arc::new(PendingDestinations::default());
        let other = shares.clone();
        let there = thread::spawn(move || other.settle_once());
        let here = shares.settle_once();
        assert!(here ^ there.join().unwrap());
        assert!(shares.is_settled());
    });
}

#[test]
fn room_is_never_under_counted_while_it_is_used_and_all_of_it_comes_back() {
    loom::model(|| {
        let room = Arc::new(Capacity::default());
        room.accept(10);
        room.accept(5);
        let (early, lane) = (room.clone(), room.clone());
        let threads = [
            thread::spawn(move || {
                early.count_early(10);
                early.call_next();
            }),
            thread::spawn(move || {
                lane.fan_out(5, false);
                lane.count_done(1, 5);
                lane.call_next();
            }),
        ];
        room.accept(3);
        let (events, bytes) = room.used();
        assert!((1..=3).contains(&events) && (3..=18).contains(&bytes), "{events} events of {bytes} bytes");
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(room.used(), (1, 3));
    });
}

/// Waits like `Intake::push_when_room`: until the place belongs to it.
fn wait_until(room: &Capacity, takes_place: impl Fn(&Capacity) -> bool) {
    let mut waiting = room.wait_in_line();
    loop {
        let mut freed = room.freed();
        freed.enable();
        if waiting.is_first() && takes_place(room) {
            break;
        }
        freed.wait();
        waiting.is_called();
    }
}

#[test]
fn two_who_wait_for_room_both_get_it_when_two_places_are_freed_at_once() {
    loom::model(|| {
        let (room, places) = (Arc::new(Capacity::default()), Arc::new(Mutex::new(0)));
        let waits = |(room, places): (Arc<Capacity>, Arc<Mutex<u32>>)| {
            wait_until(&room, |_| {
                let mut places = places.lock().unwrap();
                let free = *places > 0;
                *places -= u32::from(free);
                free
            });
            if *places.lock().unwrap() > 0 {
                room.call_next();
            }
        };
        let other = (room.clone(), places.clone());
        let other = thread::spawn(move || waits(other));
        let frees = (room.clone(), places.clone());
        let frees = thread::spawn(move || {
            *frees.1.lock().unwrap() = 2;
            frees.0.call_next();
        });
        waits((room, places));
        frees.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn whoever_waits_for_room_is_woken_when_a_destination_is_done() {
    loom::model(|| {
        let room = Arc::new(Capacity::default());
        room.accept(1);
        let lane = room.clone();
        let lane = thread::spawn(move || {
            lane.fan_out(1, false);
            lane.count_done(1, 1);
            lane.call_next();
        });
        wait_until(&room, |room| room.used().0 == 0);
        lane.join().unwrap();
    });
}

#[test]
fn where_the_oldest_gives_way_whoever_waits_is_woken_by_the_fan_out() {
    loom::model(|| {
        let room = Arc::new(Capacity::default());
        room.accept(1);
        let pipeline = room.clone();
        // The destination hangs: nothing follows.
        let pipeline = thread::spawn(move || pipeline.fan_out(1, true));
        wait_until(&room, |room| room.used_before_destinations().0 == 0);
        pipeline.join().unwrap();
    });
}

/// The intake without its events: it counts entries. Each method works like its namesake in `Intake`.
#[derive(Clone, Default)]
struct Intake {
    front: Arc<Mutex<(u32, WorkerState)>>,
    wake: Notify,
}

impl Intake {
    fn put(&self, urgent: bool) {
        let wakes = {
            let mut front = self.front.lock().unwrap();
            front.0 += 1;
            if urgent { front.1.wakes() } else { front.1.wakes_for_event(1) }
        };
        if wakes {
            self.wake.notify_one();
        }
    }

    fn take(&self) -> u32 {
        let mut front = self.front.lock().unwrap();
        front.1.poll();
        std::mem::take(&mut front.0)
    }

    fn take_away(&self) -> u32 {
        std::mem::take(&mut self.front.lock().unwrap().0)
    }

    fn wait(&self, events: usize) {
        {
            let mut front = self.front.lock().unwrap();
            if front.0 > 0 {
                return;
            }
            front.1.park(events, usize::MAX);
        }
        self.wake.notified().wait();
    }

    /// The worker: until it has taken so many, woken when `events` wait.
    fn work(&self, entries: u32, events: usize) {
        let mut taken = 0;
        while taken < entries {
            match self.take() {
                0 => self.wait(events),
                some => taken += some,
            }
        }
    }
}

#[test]
fn no_wake_up_is_lost_between_a_put_and_a_wait() {
    loom::model(|| {
        let intake = Intake::default();
        let (first, second) = (intake.clone(), intake.clone());
        let threads = [thread::spawn(move || first.put(false)), thread::spawn(move || second.put(true))];
        intake.work(2, 1);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_worker_that_rests_until_two_wait_is_woken_by_the_second_or_by_what_is_urgent() {
    for urgent in [false, true] {
        loom::model(move || {
            let intake = Intake::default();
            let (first, second) = (intake.clone(), intake.clone());
            let threads = [thread::spawn(move || first.put(false)), thread::spawn(move || second.put(urgent))];
            // No time passes here. The worker must take the earlier entries before it idles, or two entries must wake
            // it.
            let mut taken = 0;
            while taken < 2 {
                match intake.take() {
                    0 => intake.wait(2 - taken as usize),
                    some => taken += some,
                }
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }
}

#[test]
fn a_worker_that_sleeps_is_woken_for_its_end_after_a_close_took_what_was_left() {
    loom::model(|| {
        let intake = Intake::default();
        let closing = intake.clone();
        let closing = thread::spawn(move || {
            closing.take_away();
            closing.put(true);
        });
        intake.work(1, 1);
        closing.join().unwrap();
    });
}
