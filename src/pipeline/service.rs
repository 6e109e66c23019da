//! The pipeline as source middleware finds it: a tower service of any type, behind one name.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::ServiceExt;
use tower::util::BoxService;
use tower_service::Service;

use super::{Pipeline, Shared, SourceMiddleware};
use crate::error::BoxError;
use crate::event::Event;

/// A layer around the pipeline, still to be applied.
pub(crate) type MiddlewareLayer = Box<dyn FnOnce(PipelineService) -> PipelineService + Send>;

/// The pipeline with its type hidden, as [`Builder::layer`](crate::Builder::layer) wraps it.
pub struct PipelineService(BoxService<Event, (), BoxError>);

impl PipelineService {
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: Service<Event, Response = ()> + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        Self(BoxService::new(service.map_err(Into::into)))
    }

    /// The pipeline with the user's layers around it, the last one outermost; none, and nothing.
    pub(crate) fn wrapped(shared: &Arc<Shared>, layers: Vec<MiddlewareLayer>) -> SourceMiddleware {
        if layers.is_empty() {
            return None;
        }
        let innermost = Self::new(Pipeline::new(shared.clone()));
        Some(layers.into_iter().fold(innermost, |inner, layer| layer(inner)).0)
    }
}

impl Service<Event> for PipelineService {
    type Response = ();
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<(), BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, event: Event) -> Self::Future {
        self.0.call(event)
    }
}

impl fmt::Debug for PipelineService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineService").finish_non_exhaustive()
    }
}
