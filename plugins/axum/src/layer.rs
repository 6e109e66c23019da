//! The layer, and its setters.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Extensions;
use http::request::Parts;
use tower_layer::Layer;
use tracklane::Analytics;

use crate::page_calls::{PageCalls, Viewer};
use crate::proxies::TrustedProxies;
use crate::service::RequestContextService;
use crate::settings::Settings;

/// Makes every request the [current one](crate::RequestContext::current) while it is handled.
///
/// Its place among other layers matters only to [`page_calls`](Self::page_calls). They see what outer layers have put
/// into the request. They have a name only where the route is known: in `Router::layer`, not around the whole router.
///
/// ```
/// use tracklane_axum::{RequestContextLayer, TrustedProxies};
///
/// let layer = RequestContextLayer::new()
///     .trust_proxies(TrustedProxies::new(["10.0.0.0/8", "::1"])?)
///     .origin("https://shop.example");
/// # Ok::<(), tracklane_axum::InvalidNetwork>(())
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequestContextLayer {
    settings: Arc<Settings>,
    page_calls: Option<PageCalls>,
}

impl RequestContextLayer {
    /// Creates a layer that trusts no proxy and makes no calls.
    pub fn new() -> Self {
        Self { settings: Arc::default(), page_calls: None }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Takes the user's address from a header if the request comes from one of these proxies. Without this, it is the
    /// address of the peer.
    pub fn trust_proxies(self, proxies: TrustedProxies) -> Self {
        self.set(|settings| settings.proxies = Some(proxies))
    }

    /// Finds the address of the peer in a request's extensions. By default it is read from axum's
    /// `ConnectInfo<SocketAddr>` (with the feature `axum`).
    ///
    /// A server behind a Unix socket may return a fixed address and trust that. A server on hyper or tonic returns the
    /// address that its accept loop has stored:
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use tracklane_axum::RequestContextLayer;
    ///
    /// #[derive(Clone)]
    /// struct Peer(SocketAddr);
    ///
    /// let layer = RequestContextLayer::new().peer_address(|extensions| Some(extensions.get::<Peer>()?.0.ip()));
    /// ```
    pub fn peer_address(self, find: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.peer_address = Arc::new(find))
    }

    /// Sets the start of this service's URLs in `page.url`, such as `https://shop.example`. By default it is made of
    /// the request's scheme (or that of a trusted proxy, or `http`) and its host.
    pub fn origin(self, origin: impl AsRef<str>) -> Self {
        self.set(|settings| settings.origin = Some(origin.as_ref().trim_end_matches('/').into()))
    }

    /// Leaves queries out of `page` and `referrer`, for services that have personal data or secrets in their queries.
    pub fn without_query(self) -> Self {
        self.set(|settings| settings.query = false)
    }

    /// Sends a `page` call for every GET request that is answered by HTML with a status of 2xx, named after the route
    /// that matched (`/users/{id}`, with the feature `axum`). A prefetch makes no call. A layer around the whole
    /// router, rather than added by `Router::layer`, does not know the route: its calls have no name.
    ///
    /// `viewer` identifies the viewer before the request is handled. Nothing is sent for [`Viewer::unknown`]. The
    /// identity has no other source. If `viewer` panics, the page call is lost.
    ///
    /// ```
    /// use tracklane::Analytics;
    /// use tracklane_axum::{RequestContextLayer, Viewer};
    ///
    /// /// Put into the request by the session layer, which is outside.
    /// #[derive(Clone)]
    /// struct Session {
    ///     user: u64,
    /// }
    ///
    /// # let analytics = Analytics::builder_for("WRITE_KEY").build()?;
    /// let layer = RequestContextLayer::new().page_calls(&analytics, |request| {
    ///     request.extensions.get::<Session>().map_or(Viewer::unknown(), |session| Viewer::user(session.user))
    /// });
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    pub fn page_calls(self, analytics: &Analytics, viewer: impl Fn(&Parts) -> Viewer + Send + Sync + 'static) -> Self {
        Self { page_calls: Some(PageCalls::new(analytics.clone(), viewer)), ..self }
    }
}

impl Default for RequestContextLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for RequestContextLayer {
    type Service = RequestContextService<S>;

    fn layer(&self, inner: S) -> RequestContextService<S> {
        RequestContextService::new(inner, self.settings.clone(), self.page_calls.clone())
    }
}

impl fmt::Debug for RequestContextLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContextLayer")
            .field("trust_proxies", &self.settings.proxies)
            .field("origin", &self.settings.origin)
            .field("query", &self.settings.query)
            .field("page_calls", &self.page_calls.is_some())
            .finish_non_exhaustive()
    }
}
