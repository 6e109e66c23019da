//! Measures transforms: what each adds to an event's way through the pipeline, beside a plugin that does nothing.
//!
//! Each companion crate with a transform has a benchmark that includes this file. A difference of two medians would be
//! noise, because the machine changes its speed while they are measured. So a hundred events go through one pipeline and
//! then through the other, in turn, and each pair of blocks gives one difference. The figure is the median of those, with
//! their quartiles. All work is on one thread: destinations run between the blocks.
//!
//! What is counted is the plugin's call, and whatever its changes make the sealing of the event cost more. What is not is
//! the pipeline itself, with what it takes to call any plugin; that is a row of its own.

use std::fmt;
use std::future::poll_fn;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use serde_json::json;
use tokio::runtime::Runtime;
use tower_service::Service;
use tracklane::plugin::{Batch, Batching, Destination, Flow, QueueLimits, Registration, before_fn};
use tracklane::{Analytics, Event, Track};

/// Pairs of blocks, and events of a block.
const PAIRS: usize = 501;
const EVENTS: usize = 100;

/// The purchase that every benchmark sends, with the context of a browser: about 900 bytes of JSON.
fn event() -> Event {
    Track::new("Item Purchased")
        .user_id("u1")
        .message_id("0a1801fd-3e68-49f8-a7ae-d4ab629a3c20")
        .timestamp("2026-01-02T03:04:05.678Z")
        .property("revenue", 39.95)
        .property("currency", "USD")
        .property("order_id", "50314b8e9bcf000000000000")
        .property("coupon", "MAYDEALS")
        .property("product", json!({
            "product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "name": "Monopoly: 3rd Edition", "price": 19.0, "quantity": 2,
        }))
        .property("tags", ["games", "board games", "family"])
        .context(json!({
            "ip": "81.2.69.160",
            "page": {
                "url": "https://shop.example/games?utm_source=news&utm_medium=email&utm_campaign=spring",
                "referrer": "https://www.google.com/",
            },
            "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
        }))
        .into()
}

/// Measures the transforms, and prints a row for each.
pub(crate) fn compare(transforms: impl IntoIterator<Item = (&'static str, Registration)>) {
    println!("{:<40} {:>10} {:>18} {:>12}", "added to an event", "ns", "quartiles", "allocations");
    println!("{}", Row::of("(any plugin, with the pipeline's copy)", &mut Measured::new(None), &mut nothing()));
    for (name, transform) in transforms {
        println!("{}", Row::of(name, &mut nothing(), &mut Measured::new(Some(transform))));
    }
}

fn nothing() -> Measured {
    Measured::new(Some(before_fn("nothing", |_: &mut Event| Flow::Continue)))
}

/// A pipeline with at most one plugin, to a destination that does nothing.
struct Measured {
    runtime: Runtime,
    analytics: Analytics,
    pipeline: tracklane::Pipeline,
}

impl Measured {
    fn new(plugin: Option<Registration>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let nowhere = Destination::from_fn("nowhere", |_: Batch| async { Ok::<_, std::io::Error>(()) })
            .batching(Batching::every(EVENTS, Duration::from_secs(1)))
            .queue(QueueLimits::new(usize::MAX / 2, usize::MAX / 2));
        let builder = Analytics::builder().runtime(runtime.handle().clone()).plugin(nowhere);
        let builder = plugin.into_iter().fold(builder, |builder, plugin| builder.plugin(plugin));
        let analytics = builder.build().expect("the settings are valid");
        let mut pipeline = analytics.pipeline();
        runtime.block_on(poll_fn(|cx| pipeline.poll_ready(cx))).expect("it is ready");
        Self { runtime, analytics, pipeline }
    }

    /// Sends a block of events. Returns the nanoseconds of one.
    fn block(&mut self) -> f64 {
        let events = self.events();
        let start = Instant::now();
        events.into_iter().for_each(|event| self.send(event));
        let took = start.elapsed();
        self.rest();
        took.as_nanos() as f64 / EVENTS as f64
    }

    /// The allocations of one event.
    fn allocations(&mut self) -> f64 {
        let events = self.events();
        let counted = measure(|| events.into_iter().for_each(|event| self.send(event)));
        self.rest();
        counted.count_total as f64 / EVENTS as f64
    }

    fn events(&self) -> Vec<Event> {
        let event = event();
        (0..EVENTS).map(|_| event.clone()).collect()
    }

    fn send(&mut self, event: Event) {
        // A transform may drop it.
        drop(std::hint::black_box(pollster::block_on(self.pipeline.call(event))));
    }

    /// Lets the destination take what waits.
    fn rest(&self) {
        self.runtime.block_on(async {
            while self.analytics.stats().pending > 0 {
                tokio::task::yield_now().await;
            }
        });
    }
}

/// What the second of two pipelines costs more than the first.
struct Row {
    name: &'static str,
    /// Sorted.
    differences: Vec<f64>,
    allocations: f64,
}

impl Row {
    fn of(name: &'static str, first: &mut Measured, second: &mut Measured) -> Self {
        let pair = |number: usize| {
            // Whoever comes second may find the caches warmer.
            if number.is_multiple_of(2) {
                let before = first.block();
                return second.block() - before;
            }
            let after = second.block();
            after - first.block()
        };
        let mut differences: Vec<f64> = (0..PAIRS).map(pair).collect();
        differences.sort_by(f64::total_cmp);
        Self { name, differences, allocations: second.allocations() - first.allocations() }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, median, high] = [1, 2, 3].map(|quarter| self.differences[PAIRS * quarter / 4]);
        let quartiles = format!("{low:.0} to {high:.0}");
        write!(f, "{:<40} {median:>10.0} {quartiles:>18} {:>12.1}", self.name, self.allocations)
    }
}
