//! The destination's service: one batch, one request, one answer.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::StatusCode;
use tower_service::Service;
use tracklane::BoxError;
use tracklane::emitter::signal::Failure;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane_http::{Client, Received, Secret, ShownRequest};

use crate::request::{Signed, Signer};
use crate::verdict;

pub(crate) struct WebhookService {
    pub(crate) client: Client,
    pub(crate) shared: Arc<Shared>,
}

/// The shared state of requests under way.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) signer: Signer,
    pub(crate) max_body_bytes: usize,
    pub(crate) client_errors_are_final: bool,
    pub(crate) dry_run: bool,
    /// Secrets that a server may repeat, to be removed from errors.
    pub(crate) secrets: Vec<Secret>,
    /// Set once the endpoint has answered 410 Gone.
    pub(crate) is_gone: AtomicBool,
}

impl Service<Batch> for WebhookService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let (client, shared) = (self.client.clone(), self.shared.clone());
        Box::pin(async move {
            if shared.is_gone.load(Ordering::Relaxed) {
                return Ok(Answer::new(Verdict::Reject).with_status(StatusCode::GONE).with_error(GONE));
            }
            let signed = match shared.sign(&batch) {
                Ok(signed) => signed,
                Err(error) => return Ok(Answer::new(Verdict::Reject).with_error(error)),
            };
            if signed.plain.bytes().len() > shared.max_body_bytes {
                return Ok(shared.too_large(&signed));
            }
            if shared.dry_run {
                show(&client, signed);
                return Ok(Verdict::Delivered.into());
            }
            let received = client.send(&batch, signed.payload, signed.headers).await?;
            Ok(shared.answer(&received, &client, &batch))
        })
    }
}

/// The refusal of each batch from then on.
const GONE: &str = "the endpoint has answered 410 Gone, and gets nothing more until the client is made again";

impl Shared {
    /// The time is that of the attempt, and so are the signatures.
    fn sign(&self, batch: &Batch) -> Result<Signed, BoxError> {
        let events = batch.messages().map(|message| (message.event(), Cow::Borrowed(message.json())));
        self.signer.sign(events, batch.sent_at())
    }

    fn too_large(&self, signed: &Signed) -> Answer {
        let (bytes, most) = (signed.plain.bytes().len(), self.max_body_bytes);
        Answer::new(Verdict::Split).with_error(format!("the body has {bytes} bytes, and max_body_bytes is {most}"))
    }

    fn answer(&self, received: &Received, client: &Client, batch: &Batch) -> Answer {
        if received.status == StatusCode::GONE && !self.is_gone.swap(true, Ordering::Relaxed) {
            batch.emitter().fail(Failure::of_destination(self.name.as_str(), GONE, 0));
        }
        let now = batch.timer().now();
        let verdict = verdict(received.status, &received.headers, now, self.client_errors_are_final);
        received.answer_with(verdict, client.endpoint(), &self.secrets)
    }
}

fn show(client: &Client, signed: Signed) {
    let request = client.request(signed.payload, signed.headers);
    let shown = ShownRequest::of(&request, client, signed.plain.bytes());
    tracing::info!(target: "tracklane_webhook", "dry run, not sent: {shown}");
}
