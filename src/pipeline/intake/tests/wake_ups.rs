//! Tests: the intake with its real parts, and callers and a worker on threads of their own.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread;

use crate::background::Background;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::event::{Context, Track};
use crate::ledger::{DropReason, Ledger, Outcome};
use crate::pipeline::intake::Command;
use crate::pipeline::intake::{Dequeued, Intake};
use crate::pipeline::limits::Limits;

const CALLERS: usize = 4;
const CALLS: usize = 500;
/// The number of events that wake the worker.
const ONE: usize = 1;

fn intake(events: u64, drops_oldest: bool) -> (Arc<Intake>, Arc<Ledger>, impl Sized) {
    let (background, keep_alive) = Background::start("wakes").unwrap();
    let ledger = Arc::new(Ledger::new(background.clone(), |_| {}));
    let limits = Limits { events, bytes: u64::MAX, drops_oldest, all_disabled: false };
    let intake = Intake::new(
        limits,
        ledger.clone(),
        Emitter::new(background, Clock::System, None),
        Clock::System,
        Context::new(),
        None,
    );
    (Arc::new(intake), ledger, keep_alive)
}

/// Takes what comes, and sleeps until it is woken in between, until `events` have come. Returns their names in order.
fn work(intake: &Intake, events: usize) -> Vec<String> {
    let mut names = Vec::new();
    while names.len() < events {
        if !intake.take() {
            pollster::block_on(intake.wait(ONE, usize::MAX, None));
            continue;
        }
        while let Some(taken) = intake.next() {
            let Dequeued::Event(event) = taken else { continue };
            names.push(event.name().unwrap().into_owned());
            event.ticket.settle(Outcome::Dropped(DropReason::NoDestination));
        }
    }
    names
}

#[test]
fn every_call_of_every_thread_arrives_once_and_in_the_order_of_its_thread() {
    let (intake, ledger, _keep_alive) = intake(u64::MAX, false);
    let start = Arc::new(Barrier::new(CALLERS + 1));
    let callers = [0, 1, 2, 3].map(|caller| {
        let (intake, start) = (intake.clone(), start.clone());
        thread::spawn(move || {
            start.wait();
            for call in 0..CALLS {
                intake.push(Track::new(format!("{caller} {call:04}")).user_id(caller)).unwrap();
            }
        })
    });
    start.wait();
    let names = work(&intake, CALLERS * CALLS);
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    for caller in 0..CALLERS {
        let expected: Vec<String> = (0..CALLS).map(|call| format!("{caller} {call:04}")).collect();
        let arrived: Vec<&String> = names.iter().filter(|name| name.starts_with(&format!("{caller} "))).collect();
        assert!(arrived.into_iter().eq(&expected), "caller {caller}");
    }
    assert_eq!(ledger.capacity.used(), (0, 0), "all room came back");
    assert_eq!(ledger.accepted(), (CALLERS * CALLS) as u64);
}

#[test]
fn callers_that_wait_for_room_all_get_it_where_there_is_room_for_one() {
    let (intake, ledger, _keep_alive) = intake(1, false);
    let callers = [0, 1, 2, 3].map(|caller| {
        let intake = intake.clone();
        thread::spawn(move || {
            for _ in 0..CALLS / 5 {
                pollster::block_on(intake.push_when_room(Track::new("e").user_id(caller).into(), None)).unwrap();
            }
        })
    });
    assert_eq!(work(&intake, CALLERS * CALLS / 5).len(), CALLERS * CALLS / 5);
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    assert_eq!(ledger.capacity.used(), (0, 0));
}

#[test]
fn a_worker_that_sleeps_is_woken_although_somebody_else_took_what_was_left() {
    let (intake, _ledger, _keep_alive) = intake(u64::MAX, false);
    let mut sleep = pin!(intake.wait(ONE, usize::MAX, None));
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Pending);
    assert!(intake.take_back().is_empty(), "nothing is left");
    intake.command(Command::Flush).unwrap();
    assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Ready(true), "a command wakes the worker");
}

#[test]
fn where_the_oldest_gives_way_the_fan_out_wakes_whoever_waits_for_room() {
    let (intake, ledger, _keep_alive) = intake(1, true);
    intake.push(Track::new("first").user_id("u")).unwrap();
    let mut second = pin!(intake.push_when_room(Track::new("second").user_id("u").into(), None));
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert!(second.as_mut().poll(&mut cx).is_pending(), "there is room for one");
    ledger.capacity.fan_out(100, true);
    assert!(second.as_mut().poll(&mut cx).is_ready(), "the first is with its destination, which may hang");
}

/// Makes one call for each name, polled once. Each has its place in the line.
fn waiting<'i>(intake: &'i Intake, names: &[&str]) -> Vec<(String, PushFuture<'i>)> {
    let mut cx = TaskContext::from_waker(Waker::noop());
    let begin = |name: &&str| {
        let mut push: PushFuture<'i> = Box::pin(intake.push_when_room(Track::new(name).user_id("u").into(), None));
        assert!(push.as_mut().poll(&mut cx).is_pending(), "there is no room for {name}");
        ((*name).to_owned(), push)
    };
    names.iter().map(begin).collect()
}

type PushFuture<'i> = std::pin::Pin<Box<dyn Future<Output = Result<(), crate::CallError>> + 'i>>;

/// Takes one event out and settles it, which frees one place.
fn work_one(intake: &Intake) {
    assert_eq!(work(intake, 1).len(), 1);
}

#[test]
fn of_those_who_wait_for_room_one_is_woken_for_each_place_the_first_first() {
    let (intake, _ledger, _keep_alive) = intake(1, false);
    intake.push(Track::new("there").user_id("u")).unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut cx = TaskContext::from_waker(&waker);
    let mut line = waiting(&intake, &["a", "b", "c"]);
    line.iter_mut().for_each(|(_, push)| assert!(push.as_mut().poll(&mut cx).is_pending()));
    for expected in ["a", "b", "c"] {
        let before = woken.0.load(Ordering::SeqCst);
        work_one(&intake);
        assert_eq!(woken.0.load(Ordering::SeqCst) - before, 1, "one is woken for {expected}");
        let (name, mut first) = line.remove(0);
        assert!(first.as_mut().poll(&mut cx).is_ready(), "{name} has its turn");
        assert_eq!(name, expected);
    }
}

#[test]
fn who_comes_later_waits_behind_those_who_wait() {
    let (intake, _ledger, _keep_alive) = intake(1, false);
    intake.push(Track::new("there").user_id("u")).unwrap();
    let mut line = waiting(&intake, &["first"]);
    work_one(&intake);
    let later = waiting(&intake, &["later"]);
    assert!(line[0].1.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_ready());
    drop(later);
}

#[test]
fn whoever_was_woken_for_room_and_goes_has_the_next_one_woken() {
    let (intake, _ledger, _keep_alive) = intake(1, false);
    intake.push(Track::new("there").user_id("u")).unwrap();
    let mut line = waiting(&intake, &["goes", "stays"]);
    work_one(&intake);
    drop(line.remove(0));
    assert!(line[0].1.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_ready(), "the place is not lost");
}

#[test]
fn places_that_are_freed_at_once_are_passed_on_along_the_line() {
    let (intake, ledger, _keep_alive) = intake(3, false);
    (0..3).for_each(|_| intake.push(Track::new("there").user_id("u")).unwrap());
    let mut line = waiting(&intake, &["a", "b", "c", "d"]);
    assert_eq!(work(&intake, 3).len(), 3);
    let mut cx = TaskContext::from_waker(Waker::noop());
    let through = line.iter_mut().filter_map(|(_, push)| push.as_mut().poll(&mut cx).is_ready().then_some(())).count();
    assert_eq!((through, ledger.capacity.used().0), (3, 3));
}

#[test]
fn a_close_refuses_everybody_who_waits_for_room() {
    let (intake, ledger, _keep_alive) = intake(1, false);
    intake.push(Track::new("there").user_id("u")).unwrap();
    let line = waiting(&intake, &["a", "b", "c"]);
    intake.close();
    ledger.capacity.wake_all();
    for (name, mut push) in line {
        let polled = push.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(refused)) if refused.is_closed()), "{name}");
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
