//! The token server: requests one token, and keeps the difference between its clock and ours.

use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, DATE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Uri};
use url::form_urlencoded;

use super::TokenError;
use super::assertion::{self, AssertionParties};
use super::token::Token;
use crate::emitter::Emitter;
use crate::emitter::signal::{Emitted, RequestInfo, ResponseInfo};
use crate::plugin::Timer;
use crate::transport::{Body, Exchange, HttpClient};

pub(super) struct TokenServer {
    /// Behind a lock only because a tower service need not be `Sync`. It is cloned for each request.
    client: Mutex<HttpClient>,
    uri: Uri,
    /// The [`uri`](Self::uri) for signals.
    url: Arc<str>,
    user_agent: HeaderValue,
    scope: String,
    identity: AssertionParties,
    /// The seconds from our time of day to the server's.
    skew: AtomicI64,
}

impl TokenServer {
    pub(super) fn new(
        client: HttpClient,
        uri: Uri,
        user_agent: HeaderValue,
        scope: String,
        identity: AssertionParties,
    ) -> Self {
        let url = uri.to_string().into();
        Self { client: Mutex::new(client), uri, url, user_agent, scope, identity, skew: AtomicI64::new(0) }
    }

    /// Asks for a token once. `attempt` counts from 1.
    pub(super) async fn ask(&self, timer: &Timer, emitter: &Emitter, attempt: u32) -> Result<Token, TokenError> {
        let asked_at = timer.now();
        let validity = assertion::validity(seconds(asked_at).saturating_add(self.skew.load(Ordering::Relaxed)));
        let form = self.form(&validity)?;
        let Exchange { head, body } = self.exchange(form, emitter, attempt).await?;
        let date = self.learn_skew(&head.headers, timer.now());
        let body = body.await.map_err(TokenError::unanswered)?;
        if head.status.is_success() {
            return Token::parse(&body, asked_at).ok_or_else(|| TokenError::unreadable(head.status));
        }
        let misdated = date.is_some_and(|date| !validity.contains(&date));
        Err(TokenError::refused(head.status, &head.headers, &body, timer.now(), misdated))
    }

    async fn exchange(&self, form: Bytes, emitter: &Emitter, attempt: u32) -> Result<Exchange, TokenError> {
        let bytes = form.len();
        let request = self.request(form.into())?;
        let info = RequestInfo::new(&request, self.url.clone(), 0, bytes, attempt);
        emitter.emit(Emitted::HttpRequest(info.clone()));
        let start = Instant::now();
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let outcome = client.send(request).await;
        let status = outcome.as_ref().ok().map(|exchange| exchange.head.status);
        emitter.emit(Emitted::HttpResponse(ResponseInfo::new(&info, status, start.elapsed())));
        outcome.map_err(TokenError::unanswered)
    }

    fn request(&self, form: Body) -> Result<Request<Body>, TokenError> {
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, self.user_agent.clone())
            .body(form);
        request.map_err(|_| TokenError::unsendable("the request is not one that HTTP allows"))
    }

    fn form(&self, validity: &Range<i64>) -> Result<Bytes, TokenError> {
        let assertion = self.identity.assert(validity);
        let assertion = assertion.ok_or_else(|| TokenError::unsendable("the assertion cannot be signed"))?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            .append_pair("client_assertion", &assertion)
            .append_pair("scope", &self.scope)
            .finish();
        Ok(form.into())
    }

    /// Updates the difference of the clocks from a response. Returns the server's time in seconds since 1970, if the
    /// response has it.
    fn learn_skew(&self, headers: &HeaderMap, now: SystemTime) -> Option<i64> {
        let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
        let date = seconds(date);
        self.skew.store(date.saturating_sub(seconds(now)), Ordering::Relaxed);
        Some(date)
    }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
