//! The service behind Segment's destination: one batch, one request, one answer.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use tokio::sync::Semaphore;
use tower_service::Service;

use super::authorization::Authorization;
use super::key_handle::Credentials;
use super::{KeyHandle, payload};
use crate::clock::Instant;
use crate::emitter::Emitter;
use crate::emitter::signal::{Emitted, RequestInfo, ResponseInfo};
use crate::error::BoxError;
use crate::event::MAX_BATCH_BYTES;
use crate::plugin::{Answer, Batch, Verdict};
use crate::transport::{Blocking, Body, Exchange, HttpClient};

/// Judges a response: [`verdict`](super::verdict()) unless it was replaced.
pub(super) type VerdictTable = dyn Fn(StatusCode, &HeaderMap, SystemTime) -> Verdict + Send + Sync;

/// The time that the rest of a response may take, once its status is known.
const DRAIN: Duration = Duration::from_secs(5);
/// The time that the next request waits for the rest.
const DRAIN_FIRST: Duration = Duration::from_millis(100);
/// The largest number of responses that are read to their end while nobody waits for them. Others are dropped.
pub(super) const MAX_DRAINS: usize = 4;

/// The largest number of bodies that are compressed at once. Others wait.
pub(super) const MAX_COMPRESSING: usize = 8;

/// Sends batches to one endpoint, with the current key.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) client: HttpClient,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) uri: Uri,
    pub(super) key: KeyHandle,
    /// The length of a key, as JSON, with which the largest batch fits.
    pub(super) key_len: usize,
    pub(super) authorization: Authorization,
    pub(super) user_agent: HeaderValue,
    /// The headers of the settings.
    pub(super) headers: HeaderMap,
    pub(super) verdict: Arc<VerdictTable>,
    pub(super) gzip: bool,
    /// The threads on which bodies are compressed.
    pub(super) compressing: Blocking,
    /// A permit for each response of [`MAX_DRAINS`].
    pub(super) drains: Arc<Semaphore>,
}

impl Service<Batch> for Upload {
    type Response = Answer;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Answer, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        Box::pin(self.clone().send(batch))
    }
}

impl Upload {
    async fn send(self, batch: Batch) -> Result<Answer, BoxError> {
        let Self { client, shared } = self;
        let mut renewed = false;
        loop {
            let token = match shared.authorization.token(&batch).await {
                Ok(token) => token,
                Err(answer) => return Ok(answer),
            };
            let credentials = shared.key.current();
            if shared.has_outgrown(&credentials, &batch) {
                return Ok(Verdict::Split.into());
            }
            let header = token.unwrap_or_else(|| credentials.basic.clone());
            let (head, body) = shared.exchange(client.clone(), &batch, &credentials, header.clone()).await?;
            let verdict = (shared.verdict)(head.status, &head.headers, batch.timer().now());
            let outdated = verdict == Verdict::Unauthorized && shared.key.is_newer_than(&credentials);
            let renewable = shared.authorization.answered(&header, head.status) || outdated;
            if renewable && !std::mem::replace(&mut renewed, true) {
                continue;
            }
            let answer = Answer::new(verdict).with_status(head.status).with_credentials(credentials.number);
            return Ok(match head.status {
                status if status.is_success() => answer,
                StatusCode::NOT_FOUND => answer.with_error(format!("there is no {}", shared.uri)).with_body(&body),
                _ => answer.with_body(&body),
            });
        }
    }
}

impl Shared {
    /// Returns whether the batch was cut for a shorter key, and is too large with this one.
    fn has_outgrown(&self, credentials: &Credentials, batch: &Batch) -> bool {
        let commas = batch.len().saturating_sub(1);
        credentials.json.len() > self.key_len
            && batch.len() > 1
            && payload::frame_len(credentials.json.len()) + batch.bytes() + commas > MAX_BATCH_BYTES
    }

    async fn exchange(
        &self,
        client: HttpClient,
        batch: &Batch,
        credentials: &Credentials,
        authorization: HeaderValue,
    ) -> Result<(http::response::Parts, Bytes), BoxError> {
        // After the token, which may have taken time: `sentAt` is when the request leaves.
        let mut body = payload::body(batch, &credentials.json, batch.timer().now().into());
        if self.gzip {
            let threads = batch.emitter().has_threads().then_some(&self.compressing);
            body = payload::compress(threads, body).await?;
        }
        let request = self.request(body.clone().into(), authorization, batch.attempt())?;
        let info = RequestInfo::new(&request, self.uri.to_string().into(), batch.len(), body.len(), batch.attempt());
        batch.emitter().emit(Emitted::HttpRequest(info.clone()));
        let start = Instant::now();
        let outcome = client.send(request).await;
        let status = outcome.as_ref().ok().map(|exchange| exchange.head.status);
        batch.emitter().emit(Emitted::HttpResponse(ResponseInfo::new(&info, status, start.elapsed())));
        let Exchange { head, body } = outcome?;
        Ok((head, self.drain(body, batch.emitter()).await))
    }

    /// Reads the rest of a response whose status is known, so that the connection can be used again. The next request
    /// waits a moment for that; otherwise it would open another one. Returns the body, if it came in that moment.
    async fn drain(&self, mut body: BoxFuture<'static, Result<Bytes, BoxError>>, client: &Emitter) -> Bytes {
        if let Some(read) = client.timeout(DRAIN_FIRST, &mut body).await {
            return read.unwrap_or_default();
        }
        if let Ok(place) = self.drains.clone().try_acquire_owned() {
            let same = client.clone();
            client.spawn(async move {
                let _ = same.timeout(DRAIN, body).await;
                drop(place);
            });
        }
        Bytes::new()
    }

    fn request(&self, body: Body, authorization: HeaderValue, attempt: u32) -> Result<Request<Body>, BoxError> {
        let mut request = Request::post(self.uri.clone())
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, self.user_agent.clone());
        if self.gzip {
            request = request.header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if attempt > 1 {
            request = request.header("X-Retry-Count", attempt - 1);
        }
        let mut request = request.body(body)?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }
}
