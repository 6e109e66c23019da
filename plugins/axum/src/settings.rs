//! The settings by which a request is read.

use std::net::IpAddr;
use std::sync::Arc;

use http::Extensions;
use http::request::Parts;

use crate::catch_panic::catch_panic;
use crate::client_addr::ClientAddr;
use crate::from_axum;
use crate::proxies::TrustedProxies;

/// Shared by all services of one layer, and by the requests that they handle.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) peer_address: PeerAddress,
    pub(crate) proxies: Option<TrustedProxies>,
    pub(crate) origin: Option<Arc<str>>,
    pub(crate) query: bool,
}

/// Finds the address of the peer.
pub(crate) type PeerAddress = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

impl Default for Settings {
    fn default() -> Self {
        Self { peer_address: Arc::new(from_axum::peer_address), proxies: None, origin: None, query: true }
    }
}

impl Settings {
    /// Finds the client of a request, seen through the trusted proxies.
    pub(crate) fn client(&self, request: &Parts) -> ClientAddr {
        let Some(peer) = catch_panic(|| (self.peer_address)(&request.extensions)).flatten() else {
            return ClientAddr::default();
        };
        match &self.proxies {
            Some(proxies) => proxies.client(peer.to_canonical(), &request.headers),
            None => ClientAddr { address: Some(peer.to_canonical()), scheme: None },
        }
    }
}
