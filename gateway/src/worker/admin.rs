//! Health and metrics of a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State as With;
use axum::routing::get;
use http::StatusCode;

use super::partition::Counts;
use super::targets::{SharedTargets, Target};
use crate::admin::{prometheus, text};
use crate::metrics::Page;

/// The sources of the metrics.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) targets: SharedTargets,
    pub(super) behind_park: SharedTargets,
    pub(super) counts: Arc<Counts>,
}

pub(super) fn router(told: Told) -> Router {
    Router::new()
        .route("/health/live", get(async || text(StatusCode::OK, "text/plain", "live\n".to_owned())))
        .route("/health/ready", get(async || text(StatusCode::OK, "text/plain", "ready\n".to_owned())))
        .route("/metrics", get(async |With(told): With<Told>| prometheus(told.page())))
        .with_state(told)
}

/// The figure of one destination.
type Figure = fn(&Target) -> &AtomicU64;

impl Told {
    fn page(&self) -> String {
        let mut page = Page::default();
        let figures: [(&str, &str, Figure); 4] = [
            ("delivered", "Events that the destination has.", |target| &target.counts.delivered),
            ("skipped", "Events that are not for the destination.", |target| &target.counts.skipped),
            ("dead", "Events that the destination refused for good.", |target| &target.counts.dead),
            ("parked", "Events that were set apart while it took nothing.", |target| &target.counts.parked),
        ];
        for (name, help, figure) in figures {
            page.family(&format!("tracklane_worker_{name}_total"), "counter", help);
            // A separate client delivers parked events. Both clients have the same destinations in the same order.
            for ((pipeline, target), (_, parked)) in self.targets.all().zip(self.behind_park.all()) {
                let count = [target, parked].map(|target| figure(target).load(Ordering::Relaxed)).iter().sum::<u64>();
                page.value(&[("pipeline", pipeline), ("destination", &target.name)], count as f64);
            }
        }
        page.family("tracklane_worker_parking", "gauge", "1 while what is new for the destination is parked.");
        for (pipeline, target) in self.targets.all() {
            let is_closed = target.gate.as_ref().is_some_and(|gate| gate.is_closed());
            page.value(&[("pipeline", pipeline), ("destination", &target.name)], f64::from(u8::from(is_closed)));
        }
        for (name, help, count) in [
            ("messages", "Messages of the log that were handed over.", &self.counts.messages),
            ("repeats", "Messages that came again after that.", &self.counts.repeats),
        ] {
            page.family(&format!("tracklane_worker_{name}_total"), "counter", help);
            page.value(&[], count.load(Ordering::Relaxed) as f64);
        }
        page.text
    }
}
