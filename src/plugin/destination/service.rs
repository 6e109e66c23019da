//! The service of a destination, its type hidden.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tower::ServiceExt;
use tower::util::BoxService;
use tower_service::Service;

use crate::error::BoxError;
use crate::plugin::{Answer, Batch};
use crate::supervise::CatchDrop;

/// Makes the service again.
pub(crate) type ServiceFactory = Box<dyn FnMut() -> BatchService + Send>;

/// A layer that is applied on the runtime of the client, which some of tower's layers need.
pub(crate) type BatchLayer = Box<dyn Fn(BatchService) -> BatchService + Send>;

/// A destination's service, its type hidden. [`Destination::layer`](super::Destination::layer) wraps it.
pub struct BatchService(CatchDrop<BoxService<Batch, Answer, BoxError>>);

impl BatchService {
    pub(super) fn new<S>(service: S) -> Self
    where
        S: Service<Batch> + Send + 'static,
        S::Response: Into<Answer>,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        Self(CatchDrop::new(BoxService::new(service.map_response(Into::into).map_err(Into::into))))
    }
}

impl Service<Batch> for BatchService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        self.0.call(batch)
    }
}

impl fmt::Debug for BatchService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchService").finish_non_exhaustive()
    }
}
