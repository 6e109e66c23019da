//! The HTTP client of the destination: the user's, the default one, or one that never sends.

use crate::error::SettingsError;
use crate::transport::{Body, HttpClient, proxy_url};

/// Returns the user's client, or the default one, through `proxy`. `plaintext`: no request is over TLS.
pub(super) fn http_client(
    given: Option<HttpClient>,
    proxy: Option<&str>,
    plaintext: bool,
) -> Result<HttpClient, SettingsError> {
    match given {
        Some(client) => Ok(client),
        None => default_client(proxy, plaintext),
    }
}

/// Returns a client that never sends: it needs neither certificates nor a feature.
pub(super) fn without_client() -> HttpClient {
    HttpClient::new(tower::service_fn(|_: http::Request<Body>| async {
        Err::<http::Response<Body>, _>("a disabled client sends nothing")
    }))
}

/// Checks the setting `proxy`.
pub(super) fn check_proxy(is_given: bool, proxy: Option<&str>) -> Result<(), SettingsError> {
    match proxy {
        Some(_) if is_given => Err(SettingsError::without_value(
            "proxy",
            "is for the default HTTP client: set it on the one that was given",
        )),
        Some(url) => proxy_url(url).map(drop),
        None => Ok(()),
    }
}

#[cfg(feature = "reqwest")]
fn default_client(proxy: Option<&str>, plaintext: bool) -> Result<HttpClient, SettingsError> {
    use crate::transport::DefaultClient;

    Ok(HttpClient::new(match proxy {
        Some(url) => DefaultClient::through_proxy(url)?,
        None if plaintext => DefaultClient::plaintext()?,
        None => DefaultClient::new()?,
    }))
}

#[cfg(not(feature = "reqwest"))]
fn default_client(_: Option<&str>, _: bool) -> Result<HttpClient, SettingsError> {
    Err(SettingsError::missing("http_client", "must be set: the feature `reqwest` is off"))
}
