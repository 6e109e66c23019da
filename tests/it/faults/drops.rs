//! Errors of user code that panic in their drop, in every place where the last copy is dropped.

use std::fmt;
use std::task::{Context, Poll};

use tower_service::Service;
use tracklane::plugin::{
    After, Answer, Batch, Destination, Flow, Host, Plugin, Transform, Verdict, after, before, before_fn, enrichment,
    enrichment_fn, utility,
};
use tracklane::{Analytics, BoxError, Builder, DropReason, Event, Settlement, Stats};

use crate::support::{SOON, quick_retries, recorder, track};

/// An error that panics when it is dropped.
#[derive(Debug)]
struct Mine;

impl fmt::Display for Mine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mine")
    }
}

impl std::error::Error for Mine {}

impl Drop for Mine {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose: an error's drop");
    }
}

fn mine() -> BoxError {
    Box::new(Mine)
}

/// A panic whose payload panics when it is dropped.
fn panic_with_a_mine() {
    std::panic::panic_any(Mine);
}

/// Fails in all that it does.
struct Fails;

impl Plugin for Fails {
    fn name(&self) -> &str {
        "fails"
    }
}

impl Transform for Fails {
    async fn transform(&self, _: &mut Event) -> Result<Flow, BoxError> {
        Err(mine())
    }
}

impl After for Fails {
    async fn after(&self, _: &tracklane::event::Message, _: &Settlement) -> Result<(), BoxError> {
        Err(mine())
    }
}

/// Does not load, or does not unload.
struct Lives {
    loads: bool,
}

impl Plugin for Lives {
    fn name(&self) -> &str {
        "lives"
    }

    async fn load(&self, _: &Host) -> Result<(), BoxError> {
        if self.loads { Ok(()) } else { Err(mine()) }
    }

    async fn unload(&self) -> Result<(), BoxError> {
        Err(mine())
    }
}

/// Adds the failing code to a client.
type Add = Box<dyn FnOnce(Builder) -> Builder>;

/// Sends twelve events through the code that `add` adds. Returns the final counts.
fn twelve(add: impl FnOnce(Builder) -> Builder) -> Stats {
    let (destination, _) = recorder("r");
    let analytics = add(Analytics::builder().plugin(destination)).build().unwrap();
    for _ in 0..12 {
        analytics.track(track("x")).unwrap();
    }
    assert_eq!(analytics.flush_blocking(SOON).pending, 0);
    analytics.close_blocking(SOON);
    analytics.stats()
}

#[test]
fn an_error_that_panics_in_its_drop_changes_nothing_at_a_plugin() {
    let table: [(&str, Add, u64); 9] = [
        ("enrichment", Box::new(|b| b.plugin(enrichment_fn("e", |_: &mut Event| Err::<(), _>(mine())))), 12),
        ("async enrichment", Box::new(|b| b.plugin(enrichment(Fails))), 12),
        ("before", Box::new(|b| b.plugin(before_fn("b", |_: &mut Event| Err::<(), _>(mine())))), 0),
        ("async before", Box::new(|b| b.plugin(before(Fails))), 0),
        ("after", Box::new(|b| b.plugin(after(Fails))), 12),
        ("load", Box::new(|b| b.plugin(utility(Lives { loads: false }))), 12),
        ("unload", Box::new(|b| b.plugin(utility(Lives { loads: true }))), 12),
        // Not called any more after five.
        ("panic", Box::new(|b| b.plugin(enrichment_fn("e", |_: &mut Event| panic_with_a_mine()))), 12),
        ("call context", Box::new(|b| b.call_context(|| std::panic::panic_any(Mine))), 12),
    ];
    for (place, add, delivered) in table {
        let stats = twelve(add);
        assert_eq!(stats.delivered, delivered, "{place}: {stats:?}");
        assert_eq!(stats.dropped.get(DropReason::BeforeFailed), 12 - delivered, "{place}: {stats:?}");
        assert_eq!(stats.dropped.get(DropReason::Internal), 0, "{place}: {stats:?}");
    }
}

/// A service that fails in one place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum FailsIn {
    Ready,
    Future,
    Answer(Verdict),
    Panic,
}

struct Fragile(FailsIn);

impl Service<Batch> for Fragile {
    type Response = Answer;
    type Error = BoxError;
    type Future = futures_util::future::BoxFuture<'static, Result<Answer, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(if self.0 == FailsIn::Ready { Err(mine()) } else { Ok(()) })
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        let place = self.0;
        Box::pin(async move {
            match place {
                FailsIn::Answer(verdict) => Ok(Answer::new(verdict).with_error(mine())),
                FailsIn::Panic => std::panic::panic_any(Mine),
                FailsIn::Future | FailsIn::Ready => Err(mine()),
            }
        })
    }
}

#[test]
fn an_error_that_panics_in_its_drop_changes_nothing_at_a_destination() {
    let table = [
        (FailsIn::Future, DropReason::RetriesExhausted),
        (FailsIn::Answer(Verdict::Retry), DropReason::RetriesExhausted),
        (FailsIn::Answer(Verdict::Reject), DropReason::Rejected),
        (FailsIn::Answer(Verdict::Unauthorized), DropReason::Unauthorized),
        (FailsIn::Answer(Verdict::Split), DropReason::TooLarge),
        (FailsIn::Panic, DropReason::Panicked),
        (FailsIn::Ready, DropReason::Unavailable),
    ];
    for (place, reason) in table {
        let stats = twelve(|b| {
            let fragile = Destination::from_factory("fragile", move || Fragile(place)).retry(quick_retries(2));
            b.plugin(fragile)
        });
        assert_eq!(stats.delivered, 12, "{place:?}: the other has them");
        let fragile = stats.destinations.iter().find(|destination| &*destination.name == "fragile").unwrap();
        assert_eq!(fragile.dropped.get(reason), 12, "{place:?}: {stats:?}");
    }
    let stats = twelve(|b| b.plugin(Destination::new("fragile", Fragile(FailsIn::Answer(Verdict::Delivered)))));
    assert_eq!(stats.destinations[1].delivered, 12, "{stats:?}");
}
