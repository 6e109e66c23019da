//! The destination's service in its lane: called under supervision, and made again when it is dead.

use std::sync::Arc;
use std::task::{Context, Poll};

use tower_service::Service;

use crate::error::BoxError;
use crate::plugin::{Batch, BatchService, ServiceFactory};
use crate::supervise::{self, CatchDrop, Fault, Watched};

/// Services in a row that may die before the destination is given up.
const MAX_REBUILDS: u32 = 5;

pub(super) struct LaneService {
    service: BatchService,
    factory: Option<ServiceFactory>,
    /// Services that have died since the destination took a batch.
    rebuilds: u32,
    watched: Arc<Watched>,
}

/// The answer of a service to the question whether it is ready.
pub(super) enum Readiness {
    Ready,
    /// It will never be ready again.
    Dead(BoxError),
    Panicked(String),
}

/// The future of one call.
pub(super) type CallFuture = CatchDrop<<BatchService as Service<Batch>>::Future>;

impl LaneService {
    pub(super) fn new(service: BatchService, factory: Option<ServiceFactory>, watched: Arc<Watched>) -> Self {
        Self { service, factory, rebuilds: 0, watched }
    }

    pub(super) fn watched(&self) -> &Arc<Watched> {
        &self.watched
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Readiness> {
        let Self { watched, service, .. } = self;
        match supervise::call(watched, || Ok(service.poll_ready(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => Poll::Ready(Readiness::Ready),
            Ok(Poll::Ready(Err(error))) => Poll::Ready(Readiness::Dead(error)),
            Err(Fault::Panicked(message)) => Poll::Ready(Readiness::Panicked(message)),
            Err(fault) => Poll::Ready(Readiness::Panicked(fault.to_string())),
        }
    }

    /// Calls the service, which must be ready.
    pub(super) fn call(&mut self, batch: Batch) -> Result<CallFuture, Fault> {
        let Self { watched, service, .. } = self;
        supervise::call(watched, || Ok(CatchDrop::new(service.call(batch))))
    }

    /// Notes that the destination has taken a batch.
    pub(super) fn record_success(&mut self) {
        self.rebuilds = 0;
    }

    /// Replaces a service that died of `error`. Returns how many have died in a row.
    ///
    /// # Errors
    ///
    /// Returns why the destination takes no more events, if no other service can be made.
    pub(super) fn rebuild(&mut self, error: BoxError) -> Result<(u32, BoxError), BoxError> {
        self.rebuilds += 1;
        let Some(factory) = self.factory.as_mut().filter(|_| self.rebuilds < MAX_REBUILDS) else { return Err(error) };
        let made = supervise::call(&self.watched, || Ok(factory()));
        match made {
            Ok(service) => self.service = service,
            Err(fault) => {
                supervise::discard(error);
                return Err(format!("rebuilding it {fault}").into());
            }
        }
        Ok((self.rebuilds, error))
    }
}
