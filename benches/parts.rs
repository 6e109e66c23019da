//! Measures single parts: building an event, passing plugins, making batches.
//!
//! ```text
//! cargo bench --bench parts            # everything, about a minute
//! cargo bench --bench parts -- plugins # what has this in its name
//! ```

mod item_purchased;

use std::future::poll_fn;
use std::time::Duration;

use divan::{Bencher, black_box};
use tower::Service;
use tracklane::plugin::{
    Batch, Batching, Destination, Flow, Plugin, QueueLimits, Transform, enrichment, enrichment_fn,
};
use tracklane::segment::Segment;
use tracklane::transport::{Body, HttpClient};
use tracklane::{Analytics, BoxError, Builder, Event};

use item_purchased::{BatchBody, Plain, call, call_with_json_values, plain, properties};

fn main() {
    divan::main();
}

/// The cost for a caller before `track()`.
mod build {
    use super::*;

    #[divan::bench]
    fn call_with_six_properties() -> tracklane::Track {
        call(black_box(4_711))
    }

    #[divan::bench]
    fn call_with_nested_json_values() -> tracklane::Track {
        call_with_json_values(black_box(4_711))
    }

    #[divan::bench]
    fn serde_json_map_of_the_six_properties() -> serde_json::Map<String, serde_json::Value> {
        properties()
    }

    #[divan::bench]
    fn serde_json_map_to_text(bencher: Bencher<'_, '_>) {
        let properties = properties();
        bencher.bench(|| serde_json::to_vec(&properties));
    }
}

/// The cost for a plugin of reading a common field.
mod read {
    use super::*;

    #[divan::bench(sample_count = 200, sample_size = 1000)]
    fn kind(bencher: Bencher<'_, '_>) {
        let event = Event::from(call(1));
        bencher.bench_local(|| black_box(black_box(&event).kind()));
    }

    #[divan::bench(sample_count = 200, sample_size = 1000)]
    fn name(bencher: Bencher<'_, '_>) {
        let event = Event::from(call(1));
        bencher.bench_local(|| black_box(black_box(&event).name()).is_some());
    }

    #[divan::bench(sample_count = 200, sample_size = 1000)]
    fn user_id(bencher: Bencher<'_, '_>) {
        let event = Event::from(call(1));
        bencher.bench_local(|| black_box(black_box(&event).user_id()).is_some());
    }

    /// Reads an event that no code has read before.
    #[divan::bench(sample_count = 200, sample_size = 100)]
    fn name_for_the_first_time(bencher: Bencher<'_, '_>) {
        let event = Event::from(call(1));
        bencher.with_inputs(|| event.clone()).bench_local_refs(|event| black_box(event.name()).is_some());
    }
}

/// One event through the pipeline, driven by hand, to a destination that does nothing.
mod plugins {
    use super::*;

    const NUMBERS: [usize; 5] = [0, 1, 5, 10, 20];

    #[divan::bench(args = NUMBERS, sample_count = 200, sample_size = 100)]
    fn sync_plugins(bencher: Bencher<'_, '_>, plugins: usize) {
        let names = (0..plugins).map(|number| format!("plugin {number}"));
        let settings = names.fold(to_nowhere(), |settings, name| settings.plugin(enrichment_fn(&name, look)));
        drive(bencher, settings);
    }

    #[divan::bench(args = NUMBERS, sample_count = 200, sample_size = 100)]
    fn sync_plugins_that_read_the_name(bencher: Bencher<'_, '_>, plugins: usize) {
        let names = (0..plugins).map(|number| format!("plugin {number}"));
        let read = |event: &mut Event| drop(black_box(event.name()));
        let settings = names.fold(to_nowhere(), |settings, name| settings.plugin(enrichment_fn(&name, read)));
        drive(bencher, settings);
    }

    #[divan::bench(args = NUMBERS, sample_count = 200, sample_size = 100)]
    fn async_plugins(bencher: Bencher<'_, '_>, plugins: usize) {
        let settings =
            (0..plugins).fold(to_nowhere(), |settings, number| settings.plugin(enrichment(Looks(number.to_string()))));
        drive(bencher, settings);
    }

    /// A plugin that does as little as a plugin can, and is called through the same indirection as any other.
    fn look(event: &mut Event) {
        black_box(event.kind());
    }

    struct Looks(String);

    impl Plugin for Looks {
        fn name(&self) -> &str {
            &self.0
        }
    }

    impl Transform for Looks {
        async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
            look(event);
            Ok(Flow::Continue)
        }
    }

    fn drive(bencher: Bencher<'_, '_>, settings: Builder) {
        let analytics = settings.build().expect("the settings are valid");
        let mut pipeline = analytics.pipeline();
        // Ready when the plugins have loaded. A flush of nothing does not wait for that.
        pollster::block_on(poll_fn(|cx| pipeline.poll_ready(cx))).expect("it is ready");
        let event = Event::from(call(1));
        bencher.with_inputs(|| event.clone()).bench_local_values(|event| pollster::block_on(pipeline.call(event)));
    }
}

/// Ten thousand events that are there already into batches of a hundred.
mod batching {
    use super::*;

    const EVENTS: u64 = 10_000;
    const BATCH: usize = 100;

    #[divan::bench(sample_count = 50, sample_size = 1)]
    fn serde_json(bencher: Bencher<'_, '_>) {
        let events: Vec<Plain> = (0..EVENTS).map(plain).collect();
        bencher.counter(EVENTS).bench_local(|| {
            for batch in events.chunks(BATCH) {
                let mut body = BatchBody::new();
                batch.iter().for_each(|event| body.push(event));
                black_box(body.finish());
            }
        });
    }

    #[divan::bench(sample_count = 50, sample_size = 1)]
    fn segment_without_network(bencher: Bencher<'_, '_>) {
        let answers = tower::service_fn(|request: http::Request<Body>| async move {
            black_box(request.into_body());
            Ok::<_, std::io::Error>(http::Response::new(Body::default()))
        });
        let settings = Analytics::builder()
            .segment(Segment::new("WRITE_KEY").http_client(HttpClient::new(answers)).flush_at(BATCH));
        let analytics = settings.max_queue_size(100_000).build().expect("the settings are valid");
        bencher.counter(EVENTS).with_inputs(|| (0..EVENTS).map(call).collect()).bench_local_values(
            |events: Vec<tracklane::Track>| {
                events.into_iter().for_each(|event| analytics.track(event).expect("there is room"));
                assert!(analytics.flush_blocking(PATIENCE).is_complete());
            },
        );
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

fn to_nowhere() -> Builder {
    let nothing = |_: Batch| async { Ok::<_, std::io::Error>(()) };
    let destination = Destination::from_fn("nowhere", nothing)
        .batching(Batching::every(100, Duration::from_secs(1)))
        .queue(QueueLimits::new(usize::MAX / 2, usize::MAX / 2));
    let settings = Analytics::builder().max_queue_size(usize::MAX / 2).max_queue_bytes(usize::MAX / 2);
    settings.plugin(destination)
}
