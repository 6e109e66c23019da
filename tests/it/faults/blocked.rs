//! User code that blocks its thread: the client reports it by name, and no event is lost.
//!
//! The code blocks in real time, until the test has seen the signal and releases it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{Builder as RuntimeBuilder, Runtime};
use tokio::sync::Semaphore;
use tower::layer::layer_fn;
use tower_service::Service;
use tracklane::plugin::{
    Batch, Destination, Flow, Host, Plugin, Transform, after_fn, before, before_fn, enrichment, enrichment_fn, utility,
};
use tracklane::signal::Failure;
use tracklane::{BoxError, Builder, Event, PipelineService};

use super::destination::beside_segment;
use crate::support::{Ended, SOON, Trial, quick_retries};

/// Blocks the thread that comes first, until it is released.
#[derive(Clone)]
struct Barricade(Arc<Inside>);

struct Inside {
    release: Mutex<Option<Receiver<()>>>,
    blocks: AtomicBool,
}

/// Releases the blocked code when it is dropped.
struct Release(#[expect(dead_code, reason = "its drop is what counts")] SyncSender<()>);

impl Barricade {
    fn new() -> (Self, Release) {
        let (release, released) = sync_channel(0);
        let inside = Inside { release: Mutex::new(Some(released)), blocks: AtomicBool::new(false) };
        (Self(Arc::new(inside)), Release(release))
    }

    fn block(&self) {
        let Some(released) = self.0.release.lock().unwrap().take() else { return };
        self.0.blocks.store(true, Ordering::SeqCst);
        // The channel never gets a value.
        let _ = released.recv_timeout(SOON);
        self.0.blocks.store(false, Ordering::SeqCst);
    }

    fn blocks(&self) -> bool {
        self.0.blocks.load(Ordering::SeqCst)
    }
}

fn is_about_blocking(failure: &Failure) -> bool {
    failure.message.contains("blocks its thread")
}

/// Blocks in `place` while events are sent: `name` must be named at `stage` while it does, once, and every event be
/// delivered when it is released.
#[track_caller]
fn named_while_it_blocks(name: &str, stage: &str, place: impl FnOnce(Builder, Barricade) -> Builder) -> Ended {
    let (barricade, release) = Barricade::new();
    let mut trial = Trial::with(|settings| place(settings, barricade.clone()));
    trial.send(3);
    let failure = trial.wait_for_failure(&format!("{name} is named"), is_about_blocking);
    assert!(barricade.blocks(), "it is named while it blocks");
    assert_eq!((&*failure.origin, failure.dropped, failure.events), (name, None, 0));
    assert!(failure.message.starts_with(&format!("{stage} blocks its thread")), "{failure}");
    assert!(failure.message.contains("for 1s"), "{failure}");
    trial.send(2);
    drop(release);
    assert_eq!(trial.settled(), (5, 0), "{name}: nothing is lost");
    let ended = trial.survives();
    assert_eq!(ended.failures.len(), 1, "{name} is named once, and nobody else: {:?}", ended.failures);
    assert!(ended.stats.destinations.iter().all(|destination| destination.delivered == 6), "{:?}", ended.stats);
    ended
}

/// A plugin that blocks where it is asked to.
struct Blocks {
    at: &'static str,
    barricade: Barricade,
}

impl Blocks {
    fn at(&self, at: &str) {
        if at == self.at {
            self.barricade.block();
        }
    }
}

impl Plugin for Blocks {
    fn name(&self) -> &str {
        "blocks"
    }

    async fn load(&self, _: &Host) -> Result<(), BoxError> {
        self.at("load");
        Ok(())
    }
}

impl Transform for Blocks {
    async fn transform(&self, _: &mut Event) -> Result<Flow, BoxError> {
        tokio::task::yield_now().await;
        self.at("transform");
        Ok(Flow::Continue)
    }
}

#[test]
fn a_before_plugin_that_blocks_is_named_while_it_does() {
    thread::scope(|scope| {
        scope.spawn(|| {
            named_while_it_blocks("blocks", "before plugin", |settings, barricade| {
                settings.plugin(before_fn("blocks", move |_: &mut Event| barricade.block()))
            })
        });
        scope.spawn(|| {
            named_while_it_blocks("blocks", "before plugin", |settings, barricade| {
                settings.plugin(before(Blocks { at: "transform", barricade }))
            })
        });
    });
}

#[test]
fn an_enrichment_plugin_that_blocks_is_named_while_it_does() {
    thread::scope(|scope| {
        scope.spawn(|| {
            named_while_it_blocks("blocks", "enrichment plugin", |settings, barricade| {
                let blocks = enrichment_fn("blocks", move |_: &mut Event| barricade.block());
                settings.plugin(enrichment_fn("quick", |_: &mut Event| ())).plugin(blocks)
            })
        });
        scope.spawn(|| {
            named_while_it_blocks("blocks", "enrichment plugin", |settings, barricade| {
                settings.plugin(enrichment(Blocks { at: "transform", barricade }))
            })
        });
    });
}

/// A destination that blocks in the place that is asked for.
struct BlocksIn(Blocks);

impl Service<Batch> for BlocksIn {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.at("poll_ready");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        self.0.at("call");
        std::future::ready(Ok(()))
    }
}

#[test]
fn a_destination_that_blocks_is_named_while_it_does() {
    thread::scope(|scope| {
        for at in ["poll_ready", "call"] {
            scope.spawn(move || {
                named_while_it_blocks("warehouse", "destination plugin", |settings, barricade| {
                    settings.plugin(Destination::new("warehouse", BlocksIn(Blocks { at, barricade })))
                })
            });
        }
        scope.spawn(|| {
            named_while_it_blocks("warehouse", "destination plugin", |settings, barricade| {
                settings.plugin(beside_segment("warehouse", move || barricade.block()))
            })
        });
    });
}

#[test]
fn an_after_plugin_that_blocks_is_named_while_it_does() {
    named_while_it_blocks("audit", "after plugin", |settings, barricade| {
        settings.plugin(after_fn("audit", move |_, _| barricade.block()))
    });
}

#[test]
fn a_plugin_that_blocks_while_it_loads_is_named_while_it_does() {
    named_while_it_blocks("blocks", "utility plugin", |settings, barricade| {
        settings.plugin(utility(Blocks { at: "load", barricade }))
    });
}

/// Middleware that blocks before it passes an event on.
struct Gate(PipelineService, Barricade);

impl Service<Event> for Gate {
    type Response = ();
    type Error = BoxError;
    type Future = <PipelineService as Service<Event>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        self.1.block();
        self.0.call(event)
    }
}

#[test]
fn middleware_that_blocks_is_named_and_a_plugin_behind_it_instead_of_it() {
    thread::scope(|scope| {
        scope.spawn(|| {
            named_while_it_blocks("source middleware", "source middleware", |settings, barricade| {
                settings.layer(layer_fn(move |inner| Gate(inner, barricade.clone())))
            })
        });
        scope.spawn(|| {
            named_while_it_blocks("blocks", "before plugin", |settings, barricade| {
                let (open, _) = Barricade::new();
                let settings = settings.layer(layer_fn(move |inner| Gate(inner, open.clone())));
                settings.plugin(before_fn("blocks", move |_: &mut Event| barricade.block()))
            })
        });
    });
}

fn multi_thread() -> Runtime {
    RuntimeBuilder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
fn what_blocks_a_thread_of_the_host_is_named_too() {
    let host = multi_thread();
    // A thread that drives the one-threaded runtime of the host, and is blocked with it.
    let single = RuntimeBuilder::new_current_thread().enable_all().build().expect("a runtime");
    let (single_handle, (end, ended)) = (single.handle().clone(), tokio::sync::oneshot::channel::<()>());
    let driver = thread::spawn(move || single.block_on(ended).is_err());
    thread::scope(|scope| {
        scope.spawn(|| {
            named_while_it_blocks("blocks", "enrichment plugin", |settings, barricade| {
                let blocks = enrichment_fn("blocks", move |_: &mut Event| barricade.block());
                settings.runtime(host.handle().clone()).plugin(blocks)
            })
        });
        scope.spawn(|| {
            named_while_it_blocks("warehouse", "destination plugin", |settings, barricade| {
                // Other tasks of the host go on then, and this lane waits all the same.
                let warehouse = beside_segment("warehouse", move || tokio::task::block_in_place(|| barricade.block()));
                settings.runtime(host.handle().clone()).plugin(warehouse)
            })
        });
        scope.spawn(|| {
            named_while_it_blocks("blocks", "before plugin", |settings, barricade| {
                settings.runtime(single_handle).plugin(before_fn("blocks", move |_: &mut Event| barricade.block()))
            })
        });
    });
    drop(end);
    assert!(driver.join().expect("it does not panic"));
}

#[test]
fn what_awaits_is_not_taken_for_what_blocks() {
    let (gate, (barricade, release)) = (Arc::new(Semaphore::new(0)), Barricade::new());
    let (waits, blocks) = (gate.clone(), barricade.clone());
    let waits = Destination::from_fn("waits", move |_: Batch| {
        let gate = waits.clone();
        async move {
            // The gate stays open once it is closed.
            let _ = gate.acquire().await;
            Ok::<(), BoxError>(())
        }
    });
    let first = AtomicBool::new(true);
    let blocks = enrichment_fn("blocks", move |_: &mut Event| {
        if !first.swap(false, Ordering::SeqCst) {
            blocks.block();
        }
    });
    let host = multi_thread();
    let handle = host.handle().clone();
    let waits = waits.attempt_timeout(10 * SOON).retry(quick_retries(10_000));
    let mut trial = Trial::with(|settings| settings.runtime(handle).plugin(waits).plugin(blocks));
    trial.send(1);
    trial.api.wait_for_events(1, SOON);
    // From here on the first event waits at one plugin as long as the second is blocked at the other.
    trial.send(1);
    let failure = trial.wait_for_failure("what blocks is named", is_about_blocking);
    assert!(barricade.blocks());
    assert_eq!(trial.assert_books_balance().destinations[1].pending, 1, "the other still waits");
    assert_eq!(&*failure.origin, "blocks");
    drop(release);
    gate.close();
    assert_eq!(trial.settled(), (2, 0));
    let ended = trial.survives();
    assert_eq!(ended.failures.len(), 1, "what awaits is not named: {:?}", ended.failures);
}
