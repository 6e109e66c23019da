//! What axum leaves in a request's extensions; nothing without the feature `axum`.

use std::net::IpAddr;

use http::{Extensions, Uri};

/// Who opened the connection, if the service was made using `into_make_service_with_connect_info::<SocketAddr>()`.
#[cfg(feature = "axum")]
pub(crate) fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
    use axum::extract::ConnectInfo;

    extensions.get::<ConnectInfo<std::net::SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

/// The route that matched, such as `/users/{id}`.
#[cfg(feature = "axum")]
pub(crate) fn route(extensions: &Extensions) -> Option<String> {
    extensions.get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned())
}

/// The URI before nested routers took their prefix away.
#[cfg(feature = "axum")]
pub(crate) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<axum::extract::OriginalUri>().map(|original| &original.0)
}

#[cfg(not(feature = "axum"))]
pub(crate) fn peer_address(_: &Extensions) -> Option<IpAddr> {
    None
}

#[cfg(not(feature = "axum"))]
pub(crate) fn route(_: &Extensions) -> Option<String> {
    None
}

#[cfg(not(feature = "axum"))]
pub(crate) fn original_uri(_: &Extensions) -> Option<&Uri> {
    None
}
