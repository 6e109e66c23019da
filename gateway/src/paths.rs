//! Paths as SDKs have them: with and without `/v1`, and with a slash at the end.

use std::task::{Context, Poll};

use axum::body::Body;
use http::Request;
use http::uri::{PathAndQuery, Uri};
use tower_service::Service;

/// Paths of the tracking API, without the version.
const WITHOUT_VERSION: &[&str] = &[
    "batch", "import", "b", "track", "identify", "page", "screen", "group", "alias", "t", "i", "p", "s", "g", "a", "m",
    "pixel", "projects",
];

/// A service behind which every path has its usual form.
#[derive(Clone, Debug)]
pub(crate) struct UsualPaths<S>(pub(crate) S);

impl<S: Service<Request<Body>>> Service<Request<Body>> for UsualPaths<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        if let Some(uri) = usual(request.uri()) {
            *request.uri_mut() = uri;
        }
        self.0.call(request)
    }
}

/// Another form of the address, if it is not the usual one.
fn usual(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trimmed = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let first = trimmed.strip_prefix('/')?.split('/').next()?;
    let version = if WITHOUT_VERSION.contains(&first) { "/v1" } else { "" };
    if version.is_empty() && trimmed.len() == path.len() {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{version}{trimmed}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_leads_to_the_usual_one() {
        for (sent, expected) in [
            ("/v1/batch", "/v1/batch"),
            ("/v1/batch/", "/v1/batch"),
            ("/b", "/v1/b"),
            ("/t/", "/v1/t"),
            ("/pixel/track?data=e30/", "/v1/pixel/track?data=e30/"),
            ("/projects/K/settings", "/v1/projects/K/settings"),
            ("/health/live", "/health/live"),
            ("/", "/"),
            ("/tea", "/tea"),
        ] {
            let uri: Uri = sent.parse().unwrap();
            assert_eq!(usual(&uri).unwrap_or(uri), expected, "{sent}");
        }
    }
}
