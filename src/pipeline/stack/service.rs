//! The pipeline as the user's layers see it: a tower service, its type hidden.

use std::fmt;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower::ServiceExt;
use tower::util::BoxService;
use tower_service::Service;

use crate::error::BoxError;
use crate::event::Event;

/// The rest of the pipeline, its type hidden. [`Builder::layer`](crate::Builder::layer) and its siblings wrap it.
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

    pub(in crate::pipeline) fn into_inner(self) -> BoxService<Event, (), BoxError> {
        self.0
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
