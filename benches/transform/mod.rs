//! Measures a transform: one event through a direct pipeline, with the transform and without it.
//!
//! Each companion crate with a transform has a benchmark that includes this file.

use std::future::poll_fn;
use std::time::Duration;

use divan::Bencher;
use serde_json::json;
use tower_service::Service;
use tracklane::plugin::{Batch, Batching, Destination, QueueLimits, Registration};
use tracklane::{Analytics, Event, Track};

/// The purchase that every benchmark sends, with the context of a browser: about 900 bytes of JSON.
pub(crate) fn event() -> Event {
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

/// Sends the event through a pipeline with these plugins, to a destination that does nothing.
pub(crate) fn through(bencher: Bencher<'_, '_>, plugins: impl IntoIterator<Item = Registration>) {
    let nothing = |_: Batch| async { Ok::<_, std::io::Error>(()) };
    let destination = Destination::from_fn("nowhere", nothing)
        .batching(Batching::every(100, Duration::from_secs(1)))
        .queue(QueueLimits::new(usize::MAX / 2, usize::MAX / 2));
    let builder =
        Analytics::builder().max_queue_size(usize::MAX / 2).max_queue_bytes(usize::MAX / 2).plugin(destination);
    let builder = plugins.into_iter().fold(builder, |builder, plugin| builder.plugin(plugin));
    let analytics = builder.build().expect("the settings are valid");
    let mut pipeline = analytics.pipeline();
    pollster::block_on(poll_fn(|cx| pipeline.poll_ready(cx))).expect("it is ready");
    let event = event();
    bencher.with_inputs(|| event.clone()).bench_local_values(|event| pollster::block_on(pipeline.call(event)));
}
