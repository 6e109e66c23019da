//! Faults of who is told: listeners and callbacks that fail or hang, and user code that answers events with events.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};

use tracklane::plugin::{after_fn, before_fn, enrichment_fn};
use tracklane::{Analytics, Event, Kind, RefusedBecause, Track, signal};

use super::destination::beside_segment;
use super::plugin::block_on;
use crate::support::{SOON, Trial, eventually};
#[test]
fn listeners_that_panic_hang_or_send_do_not_disturb_delivery() {
    let mut trial = Trial::new();
    let heard = Arc::new(AtomicUsize::new(0));
    let (counter, (release, hung)) = (heard.clone(), mpsc::channel::<()>());
    let hung = std::sync::Mutex::new(hung);
    trial.analytics.on(signal::Flush, |_| panic!("on purpose"));
    let slow = trial.analytics.on(signal::HttpRequest, move |_| assert!(hung.lock().expect("alone").recv().is_err()));
    trial.analytics.on(signal::Flush, move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(trial.send_each(1100), (1100, 0));
    eventually("the others are still called", || heard.load(Ordering::SeqCst) + 100 >= 1100);
    assert!(slow.missed() > 0, "a listener that hangs loses signals of its own, which are counted");
    drop(release);
    let ended = trial.survives();
    assert_eq!(ended.api.request_count(), 1101, "nothing is sent twice");
    assert_eq!(ended.failures.len(), 0, "no false alarm");
}

#[test]
fn a_callback_that_panics_is_contained() {
    let trial = Trial::new();
    let event = Track::new("Fault 999999").user_id("u").on_delivery(|_| panic!("on purpose"));
    trial.analytics.track(event).expect("accepted");
    assert_eq!(trial.settled(), (1, 0));
    trial.api.clear();
    trial.survives();
}

/// Where the client is put once there is one, for user code that sends events itself.
type Place = Arc<OnceLock<Analytics>>;

/// Sends another event, if the client is there. Counts the loops that were cut.
fn send_again(place: &Place, cut: &AtomicUsize) {
    let Some(analytics) = place.get() else { return };
    if let Err(refused) = analytics.track(Track::new("Again").user_id("u1")) {
        assert_eq!(*refused.because(), RefusedBecause::Loop);
        cut.fetch_add(1, Ordering::SeqCst);
    }
}

/// Registers user code that answers every event with another one, and checks that it ends.
#[track_caller]
fn is_cut(how: &str, register: impl FnOnce(&Analytics, Place, Arc<AtomicUsize>)) {
    let (place, cut) = (Place::default(), Arc::new(AtomicUsize::new(0)));
    let trial = Trial::new();
    register(&trial.analytics, place.clone(), cut.clone());
    assert!(place.set(trial.analytics.clone()).is_ok());
    trial.analytics.track(Track::new("Once").user_id("u1")).expect("accepted");
    eventually(how, || cut.load(Ordering::SeqCst) == 1);
    trial.flush();
    let stats = trial.assert_books_balance();
    assert_eq!((stats.accepted, stats.refused), (8, 1), "{how}: one led to seven, and the eighth was refused");
    trial.wait_for_failure("the loop is reported", |failure| failure.message.contains("because of its own events"));
    trial.analytics.close_blocking(SOON);
}

#[test]
fn a_loop_of_events_is_cut() {
    let listens = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::Track, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of calls", listens);
    let flushes = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::Flush, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of batches", flushes);
    let requests = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::HttpRequest, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of requests", requests);
    is_cut("an after plugin", |analytics, place, cut| {
        block_on(analytics.register(after_fn("again", move |_, _| send_again(&place, &cut)))).expect("a new name");
    });
    is_cut("a before plugin", |analytics, place, cut| {
        let again = before_fn("again", move |_: &mut Event| send_again(&place, &cut));
        block_on(analytics.register(again)).expect("a new name");
    });
    is_cut("an enrichment plugin", |analytics, place, cut| {
        let again = enrichment_fn("again", move |_: &mut Event| send_again(&place, &cut)).only([Kind::Track]);
        block_on(analytics.register(again)).expect("a new name");
    });
    is_cut("a destination", |analytics, place, cut| {
        let again = beside_segment("again", move || send_again(&place, &cut));
        block_on(analytics.register(again)).expect("a new name");
    });
}

#[test]
fn a_callback_that_sends_with_a_callback_is_cut() {
    fn send(place: Place, cut: Arc<AtomicUsize>) {
        let Some(analytics) = place.get().cloned() else { return };
        let counter = cut.clone();
        let again = Track::new("Again").user_id("u1").on_delivery(move |_| send(place, cut));
        if analytics.track(again).is_err_and(|refused| *refused.because() == RefusedBecause::Loop) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }
    let trial = Trial::new();
    let (place, cut) = (Place::default(), Arc::new(AtomicUsize::new(0)));
    assert!(place.set(trial.analytics.clone()).is_ok());
    send(place, cut.clone());
    eventually("the loop is cut", || cut.load(Ordering::SeqCst) == 1);
    assert_eq!(trial.assert_books_balance().accepted, 8);
    trial.analytics.close_blocking(SOON);
}
