//! Tower services and layers as plugins.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;

use super::{Flow, Plugin, Registration, Transform, before, enrichment};
use crate::error::BoxError;
use crate::event::Event;

/// Registers a tower service as a before plugin; see [`before`]. It takes an event and answers with the event that goes
/// on.
pub fn before_service<S>(name: &str, service: S) -> Registration
where
    S: Service<Event, Response = Event> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    before(EventService::new(name, service))
}

/// Registers a tower service as an enrichment plugin; see [`enrichment`]. It takes an event and answers with the event
/// that goes on.
pub fn enrichment_service<S>(name: &str, service: S) -> Registration
where
    S: Service<Event, Response = Event> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    enrichment(EventService::new(name, service))
}

/// Registers a tower layer as an enrichment plugin; see [`enrichment`]. It wraps a service that answers with its event.
pub fn enrichment_layer<L>(name: &str, layer: L) -> Registration
where
    L: Layer<ReturnEvent>,
    L::Service: Service<Event, Response = Event> + Clone + Send + 'static,
    <L::Service as Service<Event>>::Error: Into<BoxError>,
    <L::Service as Service<Event>>::Future: Send,
{
    enrichment_service(name, layer.layer(ReturnEvent))
}

/// The service that [`enrichment_layer`] wraps: it answers with its event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReturnEvent;

impl Service<Event> for ReturnEvent {
    type Response = Event;
    type Error = Infallible;
    type Future = Ready<Result<Event, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: Event) -> Self::Future {
        ready(Ok(event))
    }
}

struct EventService<S> {
    name: String,
    /// Cloned for each event, because readiness belongs to one instance.
    service: Mutex<S>,
}

impl<S> EventService<S> {
    fn new(name: &str, service: S) -> Self {
        Self { name: name.to_owned(), service: Mutex::new(service) }
    }
}

impl<S: Send + 'static> Plugin for EventService<S> {
    fn name(&self) -> &str {
        &self.name
    }
}

impl<S> Transform for EventService<S>
where
    S: Service<Event, Response = Event> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        let service = self.service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let changed = service.oneshot(event.clone()).await.map_err(Into::into)?;
        event.replace_content(changed);
        Ok(Flow::Continue)
    }
}
