//! The configuration of one lane: the destination's service and its author's settings.

use std::time::Duration;

use crate::plugin::{BatchService, Batching, Destination, QueueLimits, RetryPolicy, Selection, ServiceFactory};

/// The part of a [`Destination`] that its lane needs. Making one runs user code: the layers around the service.
pub(in crate::pipeline) struct LaneConfig {
    pub(super) selection: Selection,
    pub(super) service: BatchService,
    /// Makes the service again, with its layers.
    pub(super) factory: Option<ServiceFactory>,
    pub(super) batching: Batching,
    pub(super) retry: RetryPolicy,
    /// `None` stands for the limits of the client.
    pub(super) queue: Option<QueueLimits>,
    pub(super) max_in_flight: usize,
    pub(super) attempt_timeout: Duration,
    pub(super) max_age: Option<Duration>,
    /// Every event ends here at once.
    pub(super) disabled: bool,
}

impl From<Destination> for LaneConfig {
    fn from(destination: Destination) -> Self {
        let selection = destination.selection();
        let Destination { batching, retry, queue, max_in_flight, attempt_timeout, max_age, disabled, .. } = destination;
        let layers = destination.layers;
        let wrap = move |service| layers.iter().fold(service, |service, layer| layer(service));
        let service = wrap(destination.service);
        let factory = destination.factory.map(|mut make| -> ServiceFactory { Box::new(move || wrap(make())) });
        Self { selection, service, factory, batching, retry, queue, max_in_flight, attempt_timeout, max_age, disabled }
    }
}
