//! Tests: the looks one by one, with user code that is in a call for as many of them as is wanted.

use std::future::{pending, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// A watchdog that looks when it is told to.
fn watchdog() -> (Watchdog, Receiver<()>) {
    let (sender, wakes) = mpsc::sync_channel(1);
    let wake_handle = WakeHandle { awake: Arc::default(), sender };
    (Watchdog { wake_handle, records: Records::default() }, wakes)
}

impl Watchdog {
    /// Checks once. Returns what foreign code does, and the names of what blocks.
    fn check(&self) -> (Activity, Vec<String>) {
        let CheckResult { activity, blocked } = check(&mut lock(&self.records));
        (activity, blocked.iter().map(|(watched, _)| watched.name.to_string()).collect())
    }

    fn checks(&self, times: usize) -> Vec<Vec<String>> {
        (0..times).map(|_| self.check().1).collect()
    }
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn the_same_call_in_three_looks_is_named_once_and_the_next_one_again() {
    let (watchdog, _wakes) = watchdog();
    let watched = watchdog.watch("blocks", CodeKind::Plugin("before"));
    assert_eq!(watchdog.check(), (Activity::None, none()));
    for _ in 0..2 {
        let seen = watched.run(|| watchdog.checks(5));
        assert_eq!(seen, [none(), none(), vec!["blocks".to_owned()], none(), none()]);
        assert_eq!(watchdog.check(), (Activity::Calls, none()));
        assert_eq!(watchdog.check(), (Activity::None, none()));
    }
}

#[test]
fn quick_calls_are_never_named_however_many_looks_find_one() {
    let (watchdog, _wakes) = watchdog();
    let watched = watchdog.watch("quick", CodeKind::Plugin("enrichment"));
    for _ in 0..10 {
        assert_eq!(watched.run(|| watchdog.checks(2)), [none(), none()]);
    }
}

/// Has the watchdog look while it is polled and while it is dropped.
struct Checks<'w>(&'w Watchdog);

impl Future for Checks<'_> {
    type Output = Vec<Vec<String>>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.0.checks(3))
    }
}

impl Drop for Checks<'_> {
    fn drop(&mut self) {
        assert_eq!(self.0.check().0, Activity::Running, "its drop counts, too");
    }
}

#[test]
fn a_future_runs_while_it_is_polled_or_dropped_and_not_while_it_awaits() {
    let (watchdog, _wakes) = watchdog();
    let watched = watchdog.watch("awaits", CodeKind::Plugin("destination"));
    let mut cx = Context::from_waker(Waker::noop());
    let mut awaits = watched.wrap(pending::<()>());
    for _ in 0..10 {
        assert!(Pin::new(&mut awaits).poll(&mut cx).is_pending());
        assert_eq!(watchdog.check(), (Activity::Calls, none()));
    }
    let seen = pollster::block_on(watched.wrap(Checks(&watchdog)));
    assert_eq!(seen[2], ["awaits"]);
    drop(watched.wrap(Checks(&watchdog)));
    assert_eq!(watchdog.check(), (Activity::Calls, none()));
    pollster::block_on(watched.wrap(ready(())));
    assert_eq!(watchdog.check(), (Activity::Calls, none()));
}

#[test]
fn the_middleware_is_not_blamed_for_what_runs_inside_of_it() {
    let (watchdog, _wakes) = watchdog();
    let middleware = watchdog.watch("middleware", CodeKind::Middleware);
    let plugin = watchdog.watch("plugin", CodeKind::Plugin("before"));
    middleware.run(|| {
        let seen = plugin.run(|| watchdog.checks(4));
        assert_eq!(seen, [none(), none(), vec!["plugin".to_owned()], none()]);
        let seen = watchdog.checks(3);
        assert_eq!(seen, [none(), none(), vec!["middleware".to_owned()]], "its own time begins now");
    });
}

#[test]
fn a_call_knows_the_hops_of_its_events() {
    let (watchdog, _wakes) = watchdog();
    let watched = watchdog.watch("sends", CodeKind::Plugin("before"));
    for count in 0..hops::LIMIT {
        let _scope = hops::set(count);
        assert_eq!(watched.run(|| watched.call().hops()), count);
    }
}

#[test]
fn the_bell_rings_once_for_who_sleeps_and_not_for_who_watches() {
    let (watchdog, wakes) = watchdog();
    let watched = watchdog.watch("works", CodeKind::Plugin("before"));
    for _ in 0..2 {
        (0..5).for_each(|_| watched.run(|| ()));
        assert!(wakes.try_recv().is_ok());
        assert!(wakes.try_recv().is_err(), "it woke once");
        watchdog.wake_handle.awake.store(false, Ordering::Relaxed);
    }
}

#[test]
fn it_checks_often_what_runs_seldom_what_comes_and_ends_and_sleeps_when_nothing_comes() {
    let (_watchdog, thread) = Watchdog::new(|_, _| ());
    let rows = [
        // Found, pause until the next check, awake for the next call.
        (Activity::Running, Some(PAUSE), true),
        (Activity::Calls, Some(LONG_PAUSE), true),
        (Activity::None, Some(PAUSE), false),
        (Activity::None, None, false),
        (Activity::Calls, Some(LONG_PAUSE), true),
        (Activity::Running, Some(PAUSE), true),
        (Activity::None, Some(PAUSE), false),
        (Activity::Running, Some(PAUSE), true),
    ];
    for (row, (found, pause, awake)) in rows.into_iter().enumerate() {
        assert_eq!(thread.next_pause(found), pause, "row {row}");
        assert_eq!(thread.awake.load(Ordering::Relaxed), awake, "row {row}");
    }
}

#[test]
fn what_is_gone_is_forgotten_and_the_thread_ends_with_the_last() {
    let (watchdog, watch) = Watchdog::new(|_, _| ());
    std::thread::spawn(move || watch.run());
    let (first, second) = ["first", "second"].map(|name| watchdog.watch(name, CodeKind::Plugin("before"))).into();
    drop(first);
    assert_eq!(watchdog.check(), (Activity::None, none()));
    assert_eq!(lock(&watchdog.records).len(), 1);
    let records = Arc::downgrade(&watchdog.records);
    drop(watchdog);
    second.run(|| ());
    drop(second);
    let give_up = Instant::now() + SOON;
    while records.strong_count() > 0 {
        assert!(Instant::now() < give_up, "the thread holds on");
        std::thread::yield_now();
    }
}
