//! The query of a request. A wrong one is answered as every other error: with JSON.

use axum::extract::FromRequestParts;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::{Reply, error};

/// As axum's, but for the form of its error.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Reply> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        let answer = |refused: QueryRejection| error(StatusCode::BAD_REQUEST, &refused.body_text());
        query.map(|axum::extract::Query(query)| Self(query)).map_err(answer)
    }
}
