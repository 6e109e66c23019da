//! The settings, and the layer that they make.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Extensions;
use http::request::Parts;
use tower_layer::Layer;
use tracklane::Analytics;

use crate::page_calls::{Identity, PageCalls};
use crate::proxies::TrustedProxies;
use crate::service::RequestContextService;
use crate::{contain, from_axum};

/// Makes every request the [current one](crate::RequestContext::current) while it is handled.
///
/// Where it stands among other layers is of no importance but to [`page_calls`](Self::page_calls): they see what the
/// layers outside it have put into the request, and have a name only where the route is known, which is within
/// `Router::layer` and not around the whole router.
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
}

/// Shared by all services of one layer, and by the requests they handle.
#[derive(Clone)]
pub(crate) struct Settings {
    peer_address: PeerAddress,
    proxies: Option<TrustedProxies>,
    pub(crate) origin: Option<Arc<str>>,
    pub(crate) query: bool,
    pub(crate) page_calls: Option<PageCalls>,
}

type PeerAddress = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

impl RequestContextLayer {
    /// A layer that trusts no proxy and makes no calls.
    pub fn new() -> Self {
        Self {
            settings: Arc::new(Settings {
                peer_address: Arc::new(from_axum::peer_address),
                proxies: None,
                origin: None,
                query: true,
                page_calls: None,
            }),
        }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Takes the user's address from a header if the request comes from one of these proxies. Without this, it is the
    /// address of whoever opened the connection.
    pub fn trust_proxies(self, proxies: TrustedProxies) -> Self {
        self.set(|settings| settings.proxies = Some(proxies))
    }

    /// Where the address of whoever opened the connection is found among a request's extensions. By default in axum's
    /// `ConnectInfo<SocketAddr>` (with the feature `axum`).
    ///
    /// A server behind a Unix socket may give a fixed address and trust that; one on hyper or tonic, what its accept
    /// loop puts there:
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

    /// What the URLs of this service begin with, such as `https://shop.example`, for `page.url`. By default it is put
    /// together from what the request says: its scheme (or that of a trusted proxy, or `http`) and its host.
    pub fn origin(self, origin: impl AsRef<str>) -> Self {
        self.set(|settings| settings.origin = Some(origin.as_ref().trim_end_matches('/').into()))
    }

    /// Leaves queries out of `page` and `referrer`, for services whose queries hold what nobody should see.
    pub fn without_query(self) -> Self {
        self.set(|settings| settings.query = false)
    }

    /// Sends a `page` call for every GET request that is answered by HTML with a status of 2xx, named after the route
    /// that matched (`/users/{id}`, with the feature `axum`). A request that is a mere prefetch makes none. A layer
    /// that is around the whole router, rather than added by `Router::layer`, does not know the route: its calls have
    /// no name.
    ///
    /// `identify` says whose view it is, before the request is handled; where it says [`Identity::unknown`], nothing
    /// is sent. Nothing else is taken for an identity. A panic in it costs the page call.
    ///
    /// ```
    /// use tracklane::Analytics;
    /// use tracklane_axum::{Identity, RequestContextLayer};
    ///
    /// /// Put into the request by the session layer, which is outside.
    /// #[derive(Clone)]
    /// struct Session {
    ///     user: u64,
    /// }
    ///
    /// # let analytics = Analytics::builder("WRITE_KEY").build()?;
    /// let layer = RequestContextLayer::new().page_calls(&analytics, |request| {
    ///     request.extensions.get::<Session>().map_or(Identity::unknown(), |session| Identity::user(session.user))
    /// });
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    pub fn page_calls(
        self,
        analytics: &Analytics,
        identify: impl Fn(&Parts) -> Identity + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| settings.page_calls = Some(PageCalls::new(analytics.clone(), identify)))
    }
}

impl Settings {
    /// Who sent the request, as far as can be trusted.
    pub(crate) fn sender(&self, request: &Parts) -> Sender {
        let Some(peer) = contain::panics(|| (self.peer_address)(&request.extensions)).flatten() else {
            return Sender::default();
        };
        match &self.proxies {
            Some(proxies) => proxies.sender(peer.to_canonical(), &request.headers),
            None => Sender { address: Some(peer.to_canonical()), scheme: None },
        }
    }
}

/// Who sent a request, and how it reached the first proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) address: Option<IpAddr>,
    pub(crate) scheme: Option<&'static str>,
}

impl Default for RequestContextLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for RequestContextLayer {
    type Service = RequestContextService<S>;

    fn layer(&self, inner: S) -> RequestContextService<S> {
        RequestContextService::new(inner, self.settings.clone())
    }
}

impl fmt::Debug for RequestContextLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContextLayer")
            .field("trust_proxies", &self.settings.proxies)
            .field("origin", &self.settings.origin)
            .field("query", &self.settings.query)
            .field("page_calls", &self.settings.page_calls.is_some())
            .finish_non_exhaustive()
    }
}
