//! Page calls that the layer makes by itself: for whom, and for which responses.
//!
//! Invariant: a call is made when the response is known, on the thread that has it, and never waits. If the client
//! refuses the call, the client reports it; the response is not touched.

use std::fmt;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{Method, Response};
use tracklane::Analytics;
use tracklane::event::Page;

use crate::catch_panic::catch_panic;
use crate::from_axum;
use crate::headers::header;
use crate::request::RequestContext;

/// Tells that a browser fetches a page which the user may never see.
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

/// The user or visitor whose page view it is.
///
/// ```
/// use tracklane_axum::Viewer;
///
/// let user = Viewer::user(97_980).with_anonymous_id("48d213bb-95c3-4f8d");
/// let visitor = Viewer::anonymous("48d213bb-95c3-4f8d");
/// let nobody = Viewer::unknown(); // no page call is made
/// ```
#[derive(Clone, Default)]
pub struct Viewer {
    user_id: String,
    anonymous_id: String,
}

impl Viewer {
    /// Makes a viewer who is not known. No call is made.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Names a user of your database. An empty id is the same as none.
    #[must_use]
    pub fn user(id: impl std::fmt::Display) -> Self {
        Self { user_id: id.to_string(), anonymous_id: String::new() }
    }

    /// Names a visitor who is recognised but not known by name. An empty id is the same as none.
    #[must_use]
    pub fn anonymous(id: impl std::fmt::Display) -> Self {
        Self::unknown().with_anonymous_id(id)
    }

    /// Adds the id that the user had as a visitor.
    #[must_use]
    pub fn with_anonymous_id(mut self, id: impl std::fmt::Display) -> Self {
        self.anonymous_id = id.to_string();
        self
    }

    fn is_unknown(&self) -> bool {
        self.user_id.is_empty() && self.anonymous_id.is_empty()
    }
}

/// Shows nothing: ids are personal.
impl fmt::Debug for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Viewer").finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(crate) struct PageCalls {
    analytics: Analytics,
    viewer: FindViewer,
}

type FindViewer = Arc<dyn Fn(&Parts) -> Viewer + Send + Sync>;

/// A page call that waits for the response, and is made if that is a page.
pub(crate) struct PendingPage {
    analytics: Analytics,
    request: RequestContext,
    viewer: Viewer,
    route: Option<String>,
}

impl PageCalls {
    pub(crate) fn new(analytics: Analytics, viewer: impl Fn(&Parts) -> Viewer + Send + Sync + 'static) -> Self {
        Self { analytics, viewer: Arc::new(viewer) }
    }

    /// Prepares the call for this request, if it can become a page view of a known viewer.
    pub(crate) fn begin(&self, request: &Parts, context: &RequestContext) -> Option<PendingPage> {
        if request.method != Method::GET || is_prefetch(request) {
            return None;
        }
        let viewer = catch_panic(|| (self.viewer)(request)).filter(|viewer| !viewer.is_unknown())?;
        Some(PendingPage {
            analytics: self.analytics.clone(),
            request: context.clone(),
            viewer,
            route: from_axum::route(&request.extensions),
        })
    }
}

fn is_prefetch(parts: &Parts) -> bool {
    let purpose = header(&parts.headers, SEC_PURPOSE);
    let purpose = purpose.map(|purpose| purpose.as_bytes().to_ascii_lowercase());
    purpose.is_some_and(|purpose| purpose.starts_with(b"prefetch"))
}

impl PendingPage {
    /// Makes the call if the response is a page.
    pub(crate) fn end<B>(self, response: &Response<B>) {
        if !is_page(response) {
            return;
        }
        let page = Page::new(self.route.as_deref().unwrap_or_default())
            .user_id(self.viewer.user_id)
            .anonymous_id(self.viewer.anonymous_id)
            .properties(self.request.page())
            .context(self.request.context());
        // Refused calls are counted by the client, and a full queue is reported there.
        let _ = self.analytics.page(page);
    }
}

fn is_page<B>(response: &Response<B>) -> bool {
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let is_html = ["text/html", "application/xhtml+xml"].iter().any(|html| media_type.eq_ignore_ascii_case(html));
    response.status().is_success() && is_html
}
