//! Records whether the last attempt at the destination failed.
//!
//! It wraps the destination's service and changes nothing. The client behind the spool reports only how a batch ended
//! after its last retry, which may be hours later.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::watch;
use tower_layer::layer_fn;
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, BatchService, Destination, Verdict};

/// The same destination, and whether it fails.
pub(crate) fn watched(destination: Destination) -> (Destination, watch::Receiver<bool>) {
    let (failing, is_failing) = watch::channel(false);
    let failing = Arc::new(failing);
    let layer = layer_fn(move |service: BatchService| Watched { service, failing: failing.clone() });
    (destination.layer(layer), is_failing)
}

struct Watched {
    service: BatchService,
    failing: Arc<watch::Sender<bool>>,
}

/// One that is dropped without an answer has failed: it took too long.
struct Attempt {
    failing: Arc<watch::Sender<bool>>,
    failed: bool,
}

impl Attempt {
    fn answered(mut self, answer: &Result<Answer, BoxError>) {
        self.failed = answer.as_ref().map_or(true, |answer| is_failure(answer.verdict()));
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.failing.send_replace(self.failed);
    }
}

impl Service<Batch> for Watched {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let answer = self.service.call(batch);
        let attempt = Attempt { failing: self.failing.clone(), failed: true };
        Box::pin(async move {
            let answer = answer.await;
            attempt.answered(&answer);
            answer
        })
    }
}

/// A refusal or a split because of the events does not mean that the destination fails.
fn is_failure(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Retry | Verdict::Pause(_) | Verdict::Unauthorized)
}
