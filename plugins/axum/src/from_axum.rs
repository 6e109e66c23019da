//! Reads axum's entries in a request's extensions. Finds nothing without the feature `axum`.

#[cfg(feature = "axum")]
pub(crate) use present::{original_uri, peer_address, route};

#[cfg(not(feature = "axum"))]
pub(crate) use absent::{original_uri, peer_address, route};

#[cfg(feature = "axum")]
mod present {
    use std::net::{IpAddr, SocketAddr};

    use axum::extract::{ConnectInfo, MatchedPath, OriginalUri};
    use http::{Extensions, Uri};

    /// Returns the address of the peer, if the service was made by
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    pub(crate) fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
        extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
    }

    /// Returns the route that matched, such as `/users/{id}`.
    pub(crate) fn route(extensions: &Extensions) -> Option<String> {
        extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned())
    }

    /// Returns the URI before nested routers took their prefix away.
    pub(crate) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
        extensions.get::<OriginalUri>().map(|original| &original.0)
    }
}

#[cfg(not(feature = "axum"))]
mod absent {
    use std::net::IpAddr;

    use http::{Extensions, Uri};

    pub(crate) fn peer_address(_: &Extensions) -> Option<IpAddr> {
        None
    }

    pub(crate) fn route(_: &Extensions) -> Option<String> {
        None
    }

    pub(crate) fn original_uri(_: &Extensions) -> Option<&Uri> {
        None
    }
}
