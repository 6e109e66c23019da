//! One batch, one request, one answer.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use tower_service::Service;

use super::{WriteKey, payload};
use crate::emitter::signal::{Emitted, RequestInfo, ResponseInfo};
use crate::error::BoxError;
use crate::plugin::{Answer, Batch, Verdict};
use crate::transport::{Body, Exchange, HttpClient};

/// What decides on a response; [`verdict`](super::verdict()) unless replaced.
pub(super) type VerdictTable = dyn Fn(StatusCode, &HeaderMap, SystemTime) -> Verdict + Send + Sync;

/// How long the rest of a response is waited for, once its status has decided.
const DRAIN: Duration = Duration::from_secs(5);

/// Sends batches to one endpoint with one key.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) client: HttpClient,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) uri: Uri,
    pub(super) write_key: WriteKey,
    pub(super) authorization: HeaderValue,
    pub(super) user_agent: HeaderValue,
    pub(super) verdict: Arc<VerdictTable>,
    pub(super) gzip: bool,
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
        let mut body = payload::body(&batch, &shared.write_key, batch.sent_at().into());
        if shared.gzip {
            body = payload::compress(body).await?;
        }
        let request = shared.request(body.clone().into(), batch.attempt())?;
        let info = RequestInfo::of(&request, shared.uri.to_string().into(), batch.len(), body.len(), batch.attempt());
        batch.emitter().emit(Emitted::HttpRequest(info.clone()));
        let start = Instant::now();
        let outcome = client.send(request).await;
        let status = outcome.as_ref().ok().map(|exchange| exchange.head.status);
        batch.emitter().emit(Emitted::HttpResponse(ResponseInfo::of(&info, status, start.elapsed())));
        let Exchange { head, body } = outcome?;
        drain(body);
        let verdict = (shared.verdict)(head.status, &head.headers, batch.sent_at());
        Ok(Answer::new(verdict).status(head.status))
    }
}

impl Shared {
    fn request(&self, body: Body, attempt: u32) -> Result<Request<Body>, BoxError> {
        let mut request = Request::post(self.uri.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, self.user_agent.clone());
        if self.gzip {
            request = request.header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if attempt > 1 {
            request = request.header("X-Retry-Count", attempt - 1);
        }
        Ok(request.body(body)?)
    }
}

/// The status has decided; what is left of the response is read only so that the connection can be used again.
fn drain(body: BoxFuture<'static, Result<bytes::Bytes, BoxError>>) {
    let mut body = body;
    if (&mut body).now_or_never().is_none() {
        tokio::spawn(tokio::time::timeout(DRAIN, body));
    }
}
