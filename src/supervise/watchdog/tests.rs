//! Tests: the looks one by one, with user code that is in a call for as many of them as is wanted.

use std::future::{pending, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// A watchdog that looks when it is told to.
fn kennel() -> (Watchdog, Receiver<()>) {
    let (ring, rung) = mpsc::sync_channel(1);
    let bell = Bell { watching: Arc::default(), ring };
    (Watchdog { bell, posts: Posts::default() }, rung)
}

impl Watchdog {
    /// Looks once. Whether anybody runs, and the names of who blocks.
    fn look(&self) -> (bool, Vec<String>) {
        let Seen { anybody, blocked } = look(&mut lock(&self.posts));
        (anybody, blocked.iter().map(|(watched, _)| watched.name.to_string()).collect())
    }

    fn looks(&self, times: usize) -> Vec<Vec<String>> {
        (0..times).map(|_| self.look().1).collect()
    }
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn the_same_call_in_three_looks_is_named_once_and_the_next_one_again() {
    let (watchdog, _rung) = kennel();
    let watched = watchdog.watch("blocks", Stage::Plugin("before"));
    assert_eq!(watchdog.look(), (false, none()));
    for _ in 0..2 {
        let seen = watched.during(|| watchdog.looks(5));
        assert_eq!(seen, [none(), none(), vec!["blocks".to_owned()], none(), none()]);
        assert_eq!(watchdog.look(), (false, none()));
    }
}

#[test]
fn quick_calls_are_never_named_however_many_looks_find_one() {
    let (watchdog, _rung) = kennel();
    let watched = watchdog.watch("quick", Stage::Plugin("enrichment"));
    for _ in 0..10 {
        assert_eq!(watched.during(|| watchdog.looks(2)), [none(), none()]);
    }
}

/// Has the watchdog look while it is polled and while it is dropped.
struct Looks<'w>(&'w Watchdog);

impl Future for Looks<'_> {
    type Output = Vec<Vec<String>>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.0.looks(3))
    }
}

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        assert!(self.0.look().0, "its drop counts, too");
    }
}

#[test]
fn a_future_runs_while_it_is_polled_or_dropped_and_not_while_it_awaits() {
    let (watchdog, _rung) = kennel();
    let watched = watchdog.watch("awaits", Stage::Plugin("destination"));
    let mut cx = Context::from_waker(Waker::noop());
    let mut awaits = watched.over(pending::<()>());
    for _ in 0..10 {
        assert!(Pin::new(&mut awaits).poll(&mut cx).is_pending());
        assert_eq!(watchdog.look(), (false, none()));
    }
    let seen = pollster::block_on(watched.over(Looks(&watchdog)));
    assert_eq!(seen[2], ["awaits"]);
    drop(watched.over(Looks(&watchdog)));
    assert_eq!(watchdog.look(), (false, none()));
    pollster::block_on(watched.over(ready(())));
    assert_eq!(watchdog.look(), (false, none()));
}

#[test]
fn the_middleware_is_not_blamed_for_what_runs_inside_of_it() {
    let (watchdog, _rung) = kennel();
    let middleware = watchdog.watch("middleware", Stage::Middleware);
    let plugin = watchdog.watch("plugin", Stage::Plugin("before"));
    middleware.during(|| {
        let seen = plugin.during(|| watchdog.looks(4));
        assert_eq!(seen, [none(), none(), vec!["plugin".to_owned()], none()]);
        let seen = watchdog.looks(3);
        assert_eq!(seen, [none(), none(), vec!["middleware".to_owned()]], "its own time begins now");
    });
}

#[test]
fn a_call_knows_the_hops_of_its_events() {
    let (watchdog, _rung) = kennel();
    let watched = watchdog.watch("sends", Stage::Plugin("before"));
    for count in 0..hops::LIMIT {
        let _scope = hops::set(count);
        assert_eq!(watched.during(|| watched.call().hops()), count);
    }
}

#[test]
fn the_bell_rings_once_for_who_sleeps_and_not_for_who_watches() {
    let (watchdog, rung) = kennel();
    let watched = watchdog.watch("works", Stage::Plugin("before"));
    for _ in 0..2 {
        (0..5).for_each(|_| watched.during(|| ()));
        assert!(rung.try_recv().is_ok());
        assert!(rung.try_recv().is_err(), "it rang once");
        watchdog.bell.watching.store(false, Ordering::Relaxed);
    }
}

#[test]
fn what_is_gone_is_forgotten_and_the_thread_ends_with_the_last() {
    let (watchdog, watch) = Watchdog::new(|_, _| ());
    std::thread::spawn(move || watch.run());
    let (first, second) = ["first", "second"].map(|name| watchdog.watch(name, Stage::Plugin("before"))).into();
    drop(first);
    assert_eq!(watchdog.look(), (false, none()));
    assert_eq!(lock(&watchdog.posts).len(), 1);
    let posts = Arc::downgrade(&watchdog.posts);
    drop(watchdog);
    second.during(|| ());
    drop(second);
    let give_up = Instant::now() + SOON;
    while posts.strong_count() > 0 {
        assert!(Instant::now() < give_up, "the thread holds on");
        std::thread::yield_now();
    }
}
