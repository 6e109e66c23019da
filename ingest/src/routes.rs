//! The paths, and the handler of each.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::any;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};
use tower::ServiceExt;
use tower_service::Service;
use tracklane::segment::rules::Endpoint;

use crate::budget::{Budget, Share};
use crate::decode::{self, Encoding, Undecodable};
use crate::envelope::{Checks, Opening};
use crate::request::{Head, Request};
use crate::server::{Peer, Wire, write};
use crate::{Answer, Limits, cors, envelope, pixel, project};

/// Every method and path, as the OpenAPI file has them.
pub const ROUTES: &[(&str, &str)] = &[
    ("post", "/v1/batch"),
    ("post", "/v1/import"),
    ("post", "/v1/b"),
    ("post", "/v1/track"),
    ("post", "/v1/identify"),
    ("post", "/v1/page"),
    ("post", "/v1/screen"),
    ("post", "/v1/group"),
    ("post", "/v1/alias"),
    ("post", "/v1/t"),
    ("post", "/v1/i"),
    ("post", "/v1/p"),
    ("post", "/v1/s"),
    ("post", "/v1/g"),
    ("post", "/v1/a"),
    ("post", "/v1/m"),
    ("get", "/v1/pixel/{call}"),
    ("get", "/v1/projects/{key}/settings"),
];

/// The time that a client should wait when all bytes are taken.
const OVERLOADED_FOR: Duration = Duration::from_secs(1);

/// Segment's tracking API around a service that decides what happens to the events.
#[derive(Clone, Debug)]
pub struct Ingest<S> {
    service: S,
    limits: Limits,
    options: Options,
}

#[derive(Clone, Copy, Debug)]
struct Options {
    checks: Checks,
    pixel_status: bool,
}

struct Shared<S> {
    service: S,
    limits: Limits,
    options: Options,
    budget: Budget,
}

impl<S> Ingest<S>
where
    S: Service<Request, Response = Answer> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    /// Around this service. Its error is answered with 500.
    pub fn new(service: S) -> Self {
        let options = Options { checks: Checks::RulesAndSmells, pixel_status: false };
        Self { service, limits: Limits::default(), options }
    }

    /// Bounds other than the default ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Leaves out [smells](crate::rules::Smell), for which every value of an event is looked at. For a service that takes
    /// events in at a high rate.
    #[must_use]
    pub fn without_smells(mut self) -> Self {
        self.options.checks = Checks::Rules;
        self
    }

    /// Leaves out Segment's rules and the smells: no event is looked into. Then an event has the type of the path, or none,
    /// and the only findings in it are that it is no object, or too large. For a service that reads each event itself.
    #[must_use]
    pub fn without_rules(mut self) -> Self {
        self.options.checks = Checks::SizeOnly;
        self
    }

    /// Gives a pixel the status of the service's answer. Otherwise it is 200, so that a page shows no broken picture.
    #[must_use]
    pub fn pixels_with_status(mut self) -> Self {
        self.options.pixel_status = true;
        self
    }

    /// The router: everything below `/v1`.
    pub fn router(self) -> Router {
        let budget = Budget::new(self.limits.max_total_bytes);
        let Self { service, limits, options } = self;
        let shared = Arc::new(Shared { service, limits, options, budget });
        let all = Router::new().route("/v1", any(handle::<S>)).route("/v1/{*path}", any(handle::<S>));
        // Found by themselves, they have no parameters, which axum would copy for each request.
        let fixed = ROUTES.iter().map(|(_, path)| *path).filter(|path| !path.contains('{'));
        fixed.fold(all, |router, path| router.route(path, any(handle::<S>))).with_state(shared)
    }
}

impl<S> Shared<S> {
    fn opening(&self) -> Opening {
        Opening { checks: self.options.checks, max_events: self.limits.max_events }
    }
}

async fn handle<S>(State(shared): State<Arc<Shared<S>>>, request: http::Request<Body>) -> Response<Body>
where
    S: Service<Request, Response = Answer> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let path = request.uri().path();
    let allowed = match (Endpoint::of(path), pixel::kind(path), project::key(path)) {
        (Some(_), ..) => Method::POST,
        (_, Some(_), _) | (.., Some(_)) => Method::GET,
        _ => {
            return plain(&request, Answer::error(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path"));
        }
    };
    match *request.method() {
        Method::OPTIONS => cors::preflight(request.headers()),
        Method::POST if allowed == Method::POST => post(&shared, request).await,
        Method::GET if allowed == Method::GET => get(&shared, request).await,
        _ => {
            let message = format!("only {allowed} is allowed here");
            let answer = Answer::error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
            let mut response = plain(&request, answer);
            let value = if allowed == Method::POST { "POST, OPTIONS" } else { "GET, OPTIONS" };
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(value));
            response
        }
    }
}

/// Reads the body, and lets the service decide.
async fn post<S>(shared: &Shared<S>, request: http::Request<Body>) -> Response<Body>
where
    S: Service<Request, Response = Answer> + Clone,
{
    let (parts, body) = request.into_parts();
    let (origin, wire) = (parts.headers.get(header::ORIGIN).cloned(), parts.extensions.get::<Wire>().cloned());
    let answer = match take(shared, parts, body, shared.budget.share()).await {
        Ok(request) => decide(&shared.service, request).await,
        Err(undecodable) => refuse(undecodable, &shared.limits),
    };
    let mut response = write::answer(answer, wire.as_ref()).await;
    cors::allow_origin(origin, response.headers_mut());
    response
}

async fn take<S>(
    shared: &Shared<S>,
    parts: http::request::Parts,
    body: Body,
    mut share: Share,
) -> Result<Request, Undecodable> {
    let limits = &shared.limits;
    let encoding = Encoding::of(&parts.headers)?;
    let wire = decode::read(body, limits, &mut share).await?;
    let endpoint = Endpoint::of(parts.uri.path());
    let mut head = head(parts, endpoint);
    head.wire_bytes = wire.len();
    head.gzip = encoding == Encoding::Gzip;
    let body = decode::decode(wire, encoding, limits.max_body_bytes, &mut share)?;
    envelope::open(head, body, shared.opening(), share)
}

fn head(parts: http::request::Parts, endpoint: Option<Endpoint>) -> Head {
    let retry_count = parts.headers.get("x-retry-count").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Head {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        endpoint,
        headers: parts.headers,
        wire_bytes: 0,
        gzip: false,
        retry_count: retry_count.unwrap_or_default(),
        peer: parts.extensions.get::<Peer>().map(|peer| peer.0),
    }
}

async fn decide<S>(service: &S, request: Request) -> Answer
where
    S: Service<Request, Response = Answer> + Clone,
{
    match service.clone().oneshot(request).await {
        Ok(answer) => answer,
        Err(_) => Answer::error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed"),
    }
}

fn refuse(undecodable: Undecodable, limits: &Limits) -> Answer {
    let error = |status, code, message: &str| Answer::error(status, code, message);
    match undecodable {
        Undecodable::TooLarge => {
            let message = format!("the body has more than {} bytes", limits.max_body_bytes);
            Answer::error(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
        }
        Undecodable::TooManyEvents => {
            let message = format!("the body has more than {} events", limits.max_events);
            Answer::error(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
        }
        Undecodable::Overloaded => Answer::come_again(OVERLOADED_FOR, "too many bytes are under way"),
        Undecodable::TooSlow => error(StatusCode::REQUEST_TIMEOUT, "timeout", "the body took too long"),
        Undecodable::Broken => error(StatusCode::BAD_REQUEST, "invalid_request", "the body ended early"),
        Undecodable::MalformedGzip => error(StatusCode::BAD_REQUEST, "invalid_request", "malformed gzip"),
        Undecodable::UnknownEncoding => {
            error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "the only encoding here is gzip")
        }
    }
}

/// A pixel, or a project's settings.
async fn get<S>(shared: &Shared<S>, request: http::Request<Body>) -> Response<Body>
where
    S: Service<Request, Response = Answer> + Clone,
{
    let (parts, _) = request.into_parts();
    let mut response = match project::key(parts.uri.path()) {
        Some(key) => {
            let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            let secure = parts.headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
            typed("application/json", project::settings(key, host, secure).to_string().into())
        }
        None => {
            let endpoint = pixel::kind(parts.uri.path()).map(Endpoint::Single);
            let body = pixel::data(parts.uri.query().unwrap_or_default());
            let mut head = head(parts.clone(), endpoint);
            head.wire_bytes = body.len();
            // Whatever comes of it, a picture is what a page can show.
            let answer = match envelope::open(head, body, shared.opening(), shared.budget.share()) {
                Ok(request) => decide(&shared.service, request).await,
                Err(undecodable) => refuse(undecodable, &shared.limits),
            };
            let mut response = typed("image/gif", Bytes::from_static(pixel::GIF));
            if shared.options.pixel_status {
                write::status(&answer, &mut response);
            }
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
    };
    cors::allow(&parts.headers, response.headers_mut());
    response
}

fn typed(content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn plain(request: &http::Request<Body>, answer: Answer) -> Response<Body> {
    let mut response = write::json(&answer);
    cors::allow(request.headers(), response.headers_mut());
    response
}
