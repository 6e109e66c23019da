//! Faults of plugins: they fail, panic or hang, and they come and go.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use tracklane::plugin::{
    After, Flow, Host, Plugin, Registration, RetryPolicy, Transform, after, after_fn, before, before_fn, enrichment,
    enrichment_fn, utility,
};
use tracklane::signal::Failure;
use tracklane::testing::ManualClock;
use tracklane::{BoxError, DropReason, Event, RegisterError, Settlement};

use super::destination::beside_segment;
use crate::support::Trial;

/// A plugin that breaks at a chosen step.
struct Breaks {
    name: String,
    at: &'static str,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Error,
    Panic,
    Hang,
}

impl Breaks {
    fn new(at: &'static str, how: How) -> Self {
        Self { name: format!("{how:?} at {at}"), at, how }
    }

    async fn work(&self, at: &str) -> Result<(), BoxError> {
        match self.how {
            _ if at != self.at => Ok(()),
            How::Error => Err("no".into()),
            How::Panic => panic!("on purpose"),
            How::Hang => std::future::pending().await,
        }
    }
}

impl Plugin for Breaks {
    fn name(&self) -> &str {
        &self.name
    }

    async fn load(&self, _: &Host) -> Result<(), BoxError> {
        self.work("load").await
    }

    async fn unload(&self) -> Result<(), BoxError> {
        self.work("unload").await
    }
}

impl Transform for Breaks {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        event.context_mut().insert("half", "done");
        self.work("transform").await.map(|()| Flow::Continue)
    }
}

impl After for Breaks {
    async fn after(&self, _: &tracklane::event::Message, _: &Settlement) -> Result<(), BoxError> {
        self.work("after").await
    }
}

impl Drop for Breaks {
    fn drop(&mut self) {
        assert!(self.at != "drop", "dropped on purpose");
    }
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

/// Moves the clock to the limit of a plugin whenever one is waited for, until it is dropped.
struct TimeRunsOut {
    done: Arc<AtomicBool>,
    clockwork: Option<thread::JoinHandle<()>>,
}

impl TimeRunsOut {
    fn on(clock: ManualClock) -> Self {
        let limits = [Duration::from_secs(1), Duration::from_secs(10)];
        let done = Arc::new(AtomicBool::new(false));
        let stop = done.clone();
        let clockwork = thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                if let Some(next) = clock.next_wake().filter(|next| limits.contains(next)) {
                    clock.advance(next);
                }
                thread::yield_now();
            }
        });
        Self { done, clockwork: Some(clockwork) }
    }
}

impl Drop for TimeRunsOut {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        self.clockwork.take().map(thread::JoinHandle::join);
    }
}

/// A trial whose plugin hangs, panics or fails at `at`; the clock runs on by itself. Two events are sent.
#[track_caller]
fn two_events_past(how: How, plugin: Registration) -> (Trial, tracklane::Stats, TimeRunsOut) {
    let clock = ManualClock::new();
    let name = plugin.name().to_owned();
    // Not one of the plugins' limits, for which the clock runs.
    let request = Duration::from_secs(600);
    let mut trial = Trial::with_both(
        |segment| segment.http_request_timeout(request),
        |settings| settings.clock(clock.clone()).plugin(plugin),
    );
    let time = TimeRunsOut::on(clock);
    trial.send(2);
    trial.flush();
    let stats = trial.assert_books_balance();
    let problem = match how {
        How::Error => "no",
        How::Panic => "panicked: on purpose",
        How::Hang => "did not end within",
    };
    let said = |failure: &Failure| *failure.origin == *name && failure.message.contains(problem);
    trial.wait_for_failure(&format!("{name} is blamed"), said);
    (trial, stats, time)
}

const WAYS: [How; 3] = [How::Error, How::Panic, How::Hang];

#[test]
fn a_before_plugin_that_breaks_drops_the_event() {
    for how in WAYS {
        let (trial, stats, _time) = two_events_past(how, before(Breaks::new("transform", how)));
        assert_eq!((stats.delivered, stats.dropped.total()), (0, 2), "{how:?}: before fails closed");
        let name = format!("{how:?} at transform");
        block_on(trial.analytics.deregister(&name)).expect("it is registered");
        let ended = trial.survives();
        assert_eq!(ended.stats.dropped.get(DropReason::BeforeFailed), 2, "{how:?}");
    }
}

#[test]
fn an_enrichment_plugin_that_breaks_is_rolled_back() {
    for how in WAYS {
        let (trial, stats, _time) = two_events_past(how, enrichment(Breaks::new("transform", how)));
        assert_eq!(stats.delivered, 2, "{how:?}: enrichment fails open");
        block_on(trial.analytics.deregister(&format!("{how:?} at transform"))).expect("it is registered");
        let ended = trial.survives();
        for event in ended.api.events() {
            assert!(event["context"].get("half").is_none(), "{how:?}: what was half done is taken back");
        }
    }
}

#[test]
fn an_after_plugin_that_breaks_changes_nothing() {
    for how in WAYS {
        let (trial, stats, _time) = two_events_past(how, after(Breaks::new("after", how)));
        assert_eq!(stats.delivered, 2, "{how:?}");
        block_on(trial.analytics.deregister(&format!("{how:?} at after"))).expect("it is registered");
        trial.survives();
    }
}

#[test]
fn a_plugin_that_does_not_load_is_not_registered() {
    for how in WAYS {
        let (trial, stats, _time) = two_events_past(how, enrichment(Breaks::new("load", how)));
        assert_eq!(stats.delivered, 2, "{how:?}: the client works without it");
        let unknown = block_on(trial.analytics.deregister(&format!("{how:?} at load")));
        assert!(matches!(unknown, Err(RegisterError::Unknown { .. })), "{how:?}: {unknown:?}");
        trial.survives();
    }
}

#[test]
fn a_plugin_that_does_not_unload_is_gone_all_the_same() {
    for how in [How::Error, How::Panic] {
        let mut trial = Trial::with(|settings| settings.plugin(utility(Breaks::new("unload", how))));
        trial.send(1);
        let name = format!("{how:?} at unload");
        let unloaded = block_on(trial.analytics.deregister(&name));
        assert!(matches!(unloaded, Err(RegisterError::Unload { .. })), "{how:?}: {unloaded:?}");
        assert!(matches!(block_on(trial.analytics.deregister(&name)), Err(RegisterError::Unknown { .. })));
        trial.survives();
    }
}

#[test]
fn a_plugin_that_panics_in_its_drop_is_contained() {
    let roles: [fn(Breaks) -> Registration; 4] = [before, enrichment, after, utility];
    for role in roles {
        let mut trial = Trial::with(|settings| settings.plugin(role(Breaks::new("drop", How::Panic))));
        trial.send(1);
        let _ = block_on(trial.analytics.deregister("Panic at drop"));
        // Refused registrations are dropped, too.
        let doubles = [role(Breaks::new("drop", How::Panic)), role(Breaks::new("drop", How::Panic))];
        let [first, second] = doubles.map(|double| block_on(trial.analytics.register(double)));
        assert!(first.is_ok() && matches!(second, Err(RegisterError::Duplicate { .. })));
        trial.survives();
    }
}

#[test]
pub(super) fn a_plugin_that_keeps_breaking_is_not_called_any_more() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let breaks = move |_: &mut Event| {
        counter.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose")
    };
    let breaks = enrichment_fn("breaks", move |event: &mut Event| -> () { breaks(event) });
    let mut trial = Trial::with(|settings| settings.plugin(breaks));
    trial.send(20);
    assert_eq!(trial.settled(), (20, 0));
    assert_eq!(calls.load(Ordering::SeqCst), 5, "five panics in a row are enough");
    trial.wait_for_failure("quarantine", |failure| failure.message.contains("not called any more"));
    trial.survives();
}

#[test]
pub(super) fn an_after_plugin_that_keeps_breaking_is_not_called_any_more() {
    let (calls, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (breaking, watching) = (calls.clone(), seen.clone());
    let breaks = after_fn("breaks", move |_, _| {
        breaking.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose")
    });
    let watches = after_fn("watches", move |_, _| {
        watching.fetch_add(1, Ordering::SeqCst);
    });
    let mut trial = Trial::with(|settings| settings.plugin(breaks).plugin(watches));
    trial.send(20);
    assert_eq!(trial.settled(), (20, 0));
    trial.wait_for_failure("quarantine", |failure| failure.message.contains("not called any more"));
    let ended = trial.survives();
    assert_eq!(calls.load(Ordering::SeqCst), 5, "five panics in a row are enough");
    assert_eq!(seen.load(Ordering::SeqCst), 21, "the other sees every event");
    let reported: Vec<usize> = ended.failures.iter().map(|failure| failure.events).collect();
    assert_eq!(reported, [1, 4], "the first at once, the end in any case, with what is between: {:?}", ended.failures);
}

#[test]
fn a_plugin_that_blocks_the_thread_delays_events_and_no_caller() {
    let (release, blocked) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (inner, inner_blocked) = (release.clone(), blocked.clone());
    let first = AtomicBool::new(true);
    let blocks = enrichment_fn("blocks", move |_: &mut Event| {
        if first.swap(false, Ordering::SeqCst) {
            inner_blocked.wait();
            inner.wait();
        }
    });
    let mut trial = Trial::with(|settings| settings.plugin(blocks));
    trial.send(1);
    blocked.wait();
    trial.send(100);
    let report = trial.flush_within(Duration::from_millis(50));
    assert_eq!(report.pending, 101, "no call blocks, and a flush ends in time");
    release.wait();
    assert_eq!(trial.settled(), (101, 0));
    trial.survives();
}

#[test]
fn plugins_come_and_go_under_load() {
    let mut trial = Trial::with_segment(|segment| segment.flush_at(50).max_in_flight(4)).unordered();
    let stop = Arc::new(AtomicBool::new(false));
    let registrars: Vec<_> = (0..4)
        .map(|thread| {
            let (analytics, stop) = (trial.analytics.clone(), stop.clone());
            thread::spawn(move || {
                let (name, mut rounds) = (format!("plugin {thread}"), 0_u32);
                while !stop.load(Ordering::SeqCst) || rounds < 10 {
                    let registration: Registration = match thread {
                        0 => enrichment_fn(&name, |_: &mut Event| ()),
                        1 => before_fn(&name, |_: &mut Event| ()),
                        2 => after_fn(&name, |_, _| ()),
                        _ => beside_segment(&name, || ()).retry(RetryPolicy::new()).into(),
                    };
                    block_on(analytics.register(registration)).expect("nobody else uses the name");
                    let again = block_on(analytics.register(enrichment_fn(&name, |_: &mut Event| ())));
                    assert!(matches!(again, Err(RegisterError::Duplicate { .. })));
                    block_on(analytics.deregister(&name)).expect("it is registered");
                    rounds += 1;
                }
                rounds
            })
        })
        .collect();
    for _ in 0..20 {
        trial.send(100);
        trial.assert_books_balance();
    }
    stop.store(true, Ordering::SeqCst);
    let rounds: u32 = registrars.into_iter().map(|registrar| registrar.join().expect("it does not panic")).sum();
    assert!(rounds >= 40);
    assert_eq!(trial.survives().stats.delivered, 2001);
}
