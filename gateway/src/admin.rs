//! The endpoints for an operator and a balancer: health and metrics.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State as With;
use axum::routing::get;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use crate::metrics;
use crate::state::State;

/// Health alone, which may be public.
pub(crate) fn health(state: &Arc<State>) -> Router {
    Router::new()
        .route("/health/live", get(async || text(StatusCode::OK, "text/plain", "live\n".to_owned())))
        .route("/health/ready", get(ready))
        .with_state(Arc::clone(state))
}

/// Health and metrics, for this machine.
pub(crate) fn private(state: &Arc<State>) -> Router {
    let metrics = Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(state));
    metrics.merge(health(state))
}

/// 503 from the moment in which the process is told to end.
async fn ready(With(state): With<Arc<State>>) -> Response<Body> {
    match state.is_ready() {
        true => text(StatusCode::OK, "text/plain", "ready\n".to_owned()),
        false => text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "ending\n".to_owned()),
    }
}

async fn metrics(With(state): With<Arc<State>>) -> Response<Body> {
    let written = tokio::task::spawn_blocking(move || metrics::write(&state)).await;
    prometheus(written.unwrap_or_default())
}

/// A page of metrics.
pub(crate) fn prometheus(page: String) -> Response<Body> {
    text(StatusCode::OK, "text/plain; version=0.0.4", page)
}

pub(crate) fn text(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
