//! A worker, several closes, a drop, a close that nobody waits for, and a lane that drains: each event always has one
//! owner.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::shutdown::Shutdown;
use crate::handover::{Handover, Piece, Pieces};
use crate::wait_group::WaitGroup;
use crate::pending::{DELIVERED, PendingDestinations};

/// Chunks of events, which are numbers.
#[derive(Default)]
struct Front(VecDeque<Chunk>);

#[derive(Default)]
struct Chunk(VecDeque<u32>);

impl Pieces for Front {
    type Piece = Chunk;

    fn pop(&mut self) -> Option<Chunk> {
        self.0.pop_front()
    }

    fn keep(&mut self, done: Chunk) {
        assert!(done.0.is_empty(), "events are overwritten: {:?}", done.0);
    }
}

impl Piece for Chunk {
    type Entry = u32;

    fn next(&mut self) -> Option<u32> {
        self.0.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The shared state of the parties: three events in two chunks.
struct Client {
    queue: Handover<Front>,
    end: Shutdown<(), Vec<u32>>,
}

impl Client {
    fn new() -> Arc<Self> {
        let queue: Handover<Front> = Handover::default();
        queue.front().0.extend([Chunk([1, 2].into()), Chunk([3].into())]);
        Arc::new(Self { queue, end: Shutdown::default() })
    }

    /// The worker, until nothing is left.
    fn work(&self) -> Vec<u32> {
        let mut worked_off = Vec::new();
        loop {
            while let Some(event) = self.queue.next() {
                worked_off.push(event);
            }
            if !self.queue.take_up(self.queue.front()) {
                return worked_off;
            }
        }
    }

    /// A close whose time is over.
    fn close(&self) {
        self.end.give_up(later(), || ((), self.queue.take_back().into_iter().flat_map(|chunk| chunk.0).collect()));
    }

    /// A close with a caller that waits for it.
    fn close_and_report(&self) -> Vec<u32> {
        self.close();
        self.end.take_rest().map(|((), rest)| rest).unwrap_or_default()
    }
}

/// No wait here runs out of time.
fn later() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

fn all_once(parts: [Vec<u32>; 3]) {
    let mut all = parts.concat();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3], "each has one owner");
}

#[test]
fn the_worker_and_two_closes_have_each_event_once() {
    loom::model(|| {
        let client = Client::new();
        let (works, closes) = (client.clone(), client.clone());
        let worker = thread::spawn(move || works.work());
        let other = thread::spawn(move || closes.close_and_report());
        let one = client.close_and_report();
        all_once([one, other.join().unwrap(), worker.join().unwrap()]);
    });
}

#[test]
fn what_a_close_takes_back_that_nobody_waits_for_is_there_for_the_next() {
    loom::model(|| {
        let client = Client::new();
        let (works, forgotten) = (client.clone(), client.clone());
        let worker = thread::spawn(move || works.work());
        let forgotten = thread::spawn(move || forgotten.close());
        let handed_back = client.close_and_report();
        forgotten.join().unwrap();
        all_once([handed_back, worker.join().unwrap(), Vec::new()]);
    });
}

#[test]
fn after_the_end_the_worker_finds_nothing() {
    loom::model(|| {
        let client = Client::new();
        let works = client.clone();
        let worker = thread::spawn(move || works.work());
        // A drop passes no events on, but settles those that it took.
        client.close();
        assert!(client.queue.next().is_none() && !client.queue.take_up(client.queue.front()));
        let settled = client.end.take_rest().map(|((), rest)| rest).unwrap_or_default();
        all_once([settled, worker.join().unwrap(), Vec::new()]);
    });
}

#[test]
fn everybody_waits_for_the_same_end_of_the_worker_who_is_told_once() {
    loom::model(|| {
        let end: Arc<Shutdown<(), ()>> = Arc::default();
        let told = Arc::new(Mutex::new(0));
        let closes = [(); 2].map(|()| {
            let (end, told) = (end.clone(), told.clone());
            thread::spawn(move || {
                if end.tells_worker() {
                    *told.lock().unwrap() += 1;
                    end.worker_ended();
                }
                end.wait_for_worker(later());
            })
        });
        closes.into_iter().for_each(|close| close.join().unwrap());
        assert_eq!(*told.lock().unwrap(), 1);
    });
}

/// A destination's queue. The lock is a model, the settling is real.
type Lane = Arc<Mutex<Vec<Arc<PendingDestinations>>>>;

/// Takes all events and settles them. Returns whether that ended the event.
fn settle_all(lane: &Lane, outcome: u8) -> bool {
    let taken = std::mem::take(&mut *lane.lock().unwrap());
    taken.iter().any(|event| event.complete_one(outcome).is_some() && event.settle_once())
}

#[test]
fn an_event_at_two_destinations_of_which_one_drains_ends_once_and_is_handed_back_once() {
    loom::model(|| {
        let mut shares = PendingDestinations::default();
        shares.set_count(2);
        let event = Arc::new(shares);
        let lanes: [Lane; 2] = [(); 2].map(|()| Arc::new(Mutex::new(vec![event.clone()])));
        let (one, draining) = (lanes[0].clone(), lanes[1].clone());
        let worker = thread::spawn(move || settle_all(&one, DELIVERED));
        let drain = thread::spawn(move || settle_all(&draining, 0));
        // The close takes out of both before it settles.
        let taken: Vec<_> = lanes.iter().flat_map(|lane| std::mem::take(&mut *lane.lock().unwrap())).collect();
        let handed_back = taken.iter().filter(|event| event.hand_back_once()).count();
        let ended = taken.iter().filter(|event| event.complete_one(0).is_some() && event.settle_once()).count();
        let elsewhere = [worker, drain].map(|other| usize::from(other.join().unwrap()));
        assert_eq!(ended + elsewhere.iter().sum::<usize>(), 1);
        assert!(handed_back <= 1 && event.is_settled());
    });
}

#[test]
fn two_that_wait_for_what_runs_are_both_woken_when_it_has_ended() {
    loom::model(|| {
        let running = Arc::new(WaitGroup::default());
        let busy = running.enter();
        let (one, other) = (running.clone(), thread::spawn(move || drop(busy)));
        let waits = thread::spawn(move || one.wait(Duration::from_secs(3_600)));
        running.wait(Duration::from_secs(3_600));
        waits.join().unwrap();
        other.join().unwrap();
    });
}
