//! One request out, one response in.

use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use tower_service::Service;
use tracklane::BoxError;
use tracklane::emitter::signal::{Emitted, RequestInfo, ResponseInfo};
use tracklane::plugin::Batch;
use tracklane::transport::{Body, HttpClient, MAX_RESPONSE_BYTES};

use crate::{Endpoint, Payload, Received, SettingError};

/// Sends payloads to an endpoint, with the same headers each time. Cheap to clone.
#[derive(Clone, Debug)]
#[must_use]
pub struct Client {
    http: HttpClient,
    endpoint: Endpoint,
    method: Method,
    headers: HeaderMap,
    max_response: usize,
}

impl Client {
    /// A client that sends `POST` requests to `endpoint` through `given`, or through the default client if there is none.
    /// The user name and password of the endpoint's URL go along. The default client follows no redirect; neither must
    /// one that is given.
    ///
    /// # Errors
    ///
    /// Returns an error if the default client cannot be made, or the endpoint's user name cannot be sent.
    pub fn new(endpoint: Endpoint, given: Option<HttpClient>) -> Result<Self, SettingError> {
        let http = match given {
            Some(client) => client,
            None => default_client(endpoint.is_plaintext())?,
        };
        Self::through(http, endpoint)
    }

    /// A client that sends nothing: each of its requests is an error. For who only looks at [`request`](Self::request)s;
    /// it needs neither TLS nor a feature.
    ///
    /// # Errors
    ///
    /// Returns an error if the endpoint's user name cannot be sent.
    pub fn offline(endpoint: Endpoint) -> Result<Self, SettingError> {
        Self::through(HttpClient::new(Offline), endpoint)
    }

    fn through(http: HttpClient, endpoint: Endpoint) -> Result<Self, SettingError> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tracklane/", env!("CARGO_PKG_VERSION"))));
        // That of the payload takes its place. Without a place the copy for each request would have to grow.
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(auth) = endpoint.auth() {
            headers.insert(AUTHORIZATION, auth.header()?);
        }
        Ok(Self { http, endpoint, method: Method::POST, headers, max_response: MAX_RESPONSE_BYTES })
    }

    /// The method, `POST` by default.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Adds headers to every request; each replaces one of the same name.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        for name in headers.keys() {
            self.headers.remove(name);
        }
        for (name, value) in headers.iter() {
            self.headers.append(name, value.clone());
        }
        self
    }

    /// The same client at another endpoint. The user name and password of that one's URL do not go along.
    pub fn at(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Bytes of a response that are read, 64 KiB by default.
    pub fn max_response(mut self, bytes: usize) -> Self {
        self.http = self.http.max_response(bytes);
        self.max_response = bytes;
        self
    }

    /// Returns the endpoint of the requests.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends `payload` for a batch, with `headers` of its own. Emits `http_request` and `http_response`, with the part
    /// of the URL that the endpoint shows.
    ///
    /// # Errors
    ///
    /// Returns an error if there was no response, or its body did not come. No error shows the URL or a header.
    pub fn send(
        &self,
        batch: &Batch,
        payload: Payload,
        headers: HeaderMap,
    ) -> impl Future<Output = Result<Received, BoxError>> + Send + use<> {
        let bytes = payload.bytes().len();
        let request = self.request(payload, headers);
        let info = RequestInfo::new(&request, self.endpoint.shown(), batch.len(), bytes, batch.attempt());
        let mut response = ResponseInfo::new(&info, None, Duration::ZERO);
        let (exchange, emitter) = (self.exchange(request), batch.emitter().clone());
        async move {
            emitter.emit(Emitted::HttpRequest(info));
            let start = Instant::now();
            let outcome = exchange.await;
            response.status = outcome.as_ref().ok().map(|received| received.status);
            response.elapsed = start.elapsed();
            emitter.emit(Emitted::HttpResponse(response));
            outcome
        }
    }

    /// Sends `payload` for no batch.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn send_alone(
        &self,
        payload: Payload,
        headers: HeaderMap,
    ) -> impl Future<Output = Result<Received, BoxError>> + Send + use<> {
        self.exchange(self.request(payload, headers))
    }

    /// Makes the request that would be sent.
    #[must_use]
    pub fn request(&self, payload: Payload, headers: HeaderMap) -> Request<Body> {
        let mut request = Request::new(Body::from(payload.bytes().clone()));
        *request.method_mut() = self.method.clone();
        request.uri_mut().clone_from(self.endpoint.uri());
        let all = request.headers_mut();
        all.clone_from(&self.headers);
        all.insert(CONTENT_TYPE, payload.content_type().clone());
        if payload.is_gzip() {
            all.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        // A later header of the same name replaces an earlier one.
        for (name, value) in &headers {
            all.insert(name, value.clone());
        }
        request
    }

    /// It borrows nothing, because a client cannot be shared between threads: only its clones can.
    fn exchange(&self, request: Request<Body>) -> impl Future<Output = Result<Received, BoxError>> + Send + use<> {
        let (mut http, max_response) = (self.http.clone(), self.max_response);
        async move {
            let (head, body) = http.call(request).await?.into_parts();
            let mut body = body.into_bytes();
            let is_cut = body.len() >= max_response;
            body.truncate(max_response);
            Ok(Received { status: head.status, headers: head.headers, body, is_cut })
        }
    }
}

/// Returns whether no byte of a request can have arrived: there was no connection. Errors of a client that is not the
/// default one never say so.
///
/// ```
/// use tracklane_http::is_surely_unsent;
///
/// assert!(!is_surely_unsent(&"connection reset".into()));
/// ```
#[must_use]
pub fn is_surely_unsent(error: &BoxError) -> bool {
    #[cfg(feature = "reqwest")]
    {
        use tracklane::transport::{SendError, SendErrorKind};

        let kind = error.downcast_ref::<SendError>().map(SendError::kind);
        matches!(kind, Some(SendErrorKind::Connect | SendErrorKind::Dns | SendErrorKind::Tls))
    }
    #[cfg(not(feature = "reqwest"))]
    {
        let _ = error;
        false
    }
}

/// The service of an offline client.
#[derive(Clone)]
struct Offline;

impl Service<Request<Body>> for Offline {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        ready(Err("an offline client sends nothing".into()))
    }
}

#[cfg(feature = "reqwest")]
fn default_client(plaintext: bool) -> Result<HttpClient, SettingError> {
    use tracklane::transport::DefaultClient;

    let made = if plaintext { DefaultClient::plaintext() } else { DefaultClient::new() };
    let failed = |error| SettingError::new("http_client", "the default client cannot be made").caused_by(error);
    Ok(HttpClient::new(made.map_err(failed)?))
}

#[cfg(not(feature = "reqwest"))]
fn default_client(_: bool) -> Result<HttpClient, SettingError> {
    Err(SettingError::new("http_client", "must be set: the feature `reqwest` is off"))
}
