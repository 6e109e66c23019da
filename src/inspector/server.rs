//! The server of an inspector: its address, checked once, and the request with reports.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use url::Url;

use crate::error::{BoxError, SettingsError};
use crate::transport::{Body, HttpClient, is_loopback};

const SETTING: &str = "inspector";

/// A `tracklane dev`. It has no `Debug`, because the token is a secret.
pub(crate) struct Server {
    /// Scheme, host and port, for messages.
    origin: String,
    trace: Uri,
    token: Option<HeaderValue>,
    client: HttpClient,
}

impl Server {
    /// Checks the URL that `tracklane dev` prints. With `remote` it may be on another machine.
    ///
    /// # Errors
    ///
    /// Returns an error if it is no such URL, or is on another machine without `remote`. No error shows the token.
    pub(crate) fn new(url: &str, remote: bool) -> Result<Self, SettingsError> {
        let Address { origin, trace, token, is_plaintext } = Address::parse(url, remote)?;
        Ok(Self { origin, trace, token, client: client(is_plaintext)? })
    }

    /// Checks the URL, and makes nothing of it.
    pub(crate) fn check(url: &str, remote: bool) -> Result<(), SettingsError> {
        Address::parse(url, remote).map(drop)
    }

    /// Returns scheme, host and port.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Sends a report. The future ends with an error if the server did not take it.
    pub(super) fn send(&self, traces: Vec<u8>) -> impl Future<Output = Result<(), BoxError>> + Send + use<> {
        let mut request = Request::new(Body::from(traces));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.trace.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(self.token.clone().map(|token| (AUTHORIZATION, token)));
        let sent = self.client.send(request);
        async move {
            let exchange = sent.await?;
            match exchange.head.status {
                StatusCode::OK => drop(exchange.body.await?),
                StatusCode::UNAUTHORIZED => return Err("it wants a token: add ?token=TOKEN to the URL".into()),
                status => return Err(format!("it answers {status}").into()),
            }
            Ok(())
        }
    }
}

/// The parts of the URL.
struct Address {
    origin: String,
    trace: Uri,
    token: Option<HeaderValue>,
    is_plaintext: bool,
}

impl Address {
    fn parse(url: &str, remote: bool) -> Result<Self, SettingsError> {
        let invalid = || {
            let problem = "must be the URL that `tracklane dev` prints, such as http://127.0.0.1:8765";
            SettingsError::without_value(SETTING, problem)
        };
        let url = Url::parse(url.trim()).map_err(|error| invalid().caused_by(error))?;
        let is_plain = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.fragment().is_none();
        if !is_plain || !url.username().is_empty() || url.password().is_some() {
            return Err(invalid());
        }
        let origin = url.origin().ascii_serialization();
        if !remote && !is_loopback(&url) {
            let problem = "is not this machine, and the content of events would leave it: use a `tracklane dev` on \
                           127.0.0.1, or set allow_remote_inspector as well";
            return Err(SettingsError::new(SETTING, origin, problem));
        }
        let token = url.query_pairs().find_map(|(name, token)| (name == "token").then(|| bearer(&token)));
        let token = token.transpose().map_err(|error| invalid().caused_by(error))?;
        let trace = format!("{origin}/__tracklane/trace").parse().map_err(|_| invalid())?;
        Ok(Self { origin, trace, token, is_plaintext: url.scheme() == "http" })
    }
}

fn bearer(token: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(feature = "reqwest")]
fn client(plaintext: bool) -> Result<HttpClient, SettingsError> {
    use crate::transport::DefaultClient;

    Ok(HttpClient::new(if plaintext { DefaultClient::plaintext()? } else { DefaultClient::new()? }))
}

#[cfg(not(feature = "reqwest"))]
fn client(_: bool) -> Result<HttpClient, SettingsError> {
    Err(SettingsError::without_value(SETTING, "needs the feature `reqwest`, which is off"))
}

#[cfg(all(test, feature = "reqwest"))]
mod tests {
    use super::Server;

    #[test]
    fn only_this_machine_is_told_unless_another_is_allowed() {
        for url in ["http://127.0.0.1:8765", "http://localhost:8765/", "http://[::1]:1", "http://127.9.9.9"] {
            assert!(Server::new(url, false).is_ok(), "{url}");
        }
        for url in ["http://10.0.0.7:8765", "http://dev.example", "http://127.0.0.1.example", "http://0.0.0.0:8765"] {
            let error = Server::new(url, false).err().unwrap().to_string();
            assert!(error.contains("is not this machine") && error.contains("allow_remote_inspector"), "{error}");
            assert!(Server::new(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused_without_its_secrets() {
        let urls = ["", "127.0.0.1:8765", "ftp://127.0.0.1", "http://u:s3cret@127.0.0.1", "http://127.0.0.1/s3cret"];
        for url in urls.into_iter().chain(["http://127.0.0.1/?token=s3cret%0A"]) {
            let error = Server::new(url, true).err().unwrap_or_else(|| panic!("{url}"));
            let text = crate::supervise::text_with_causes(&error);
            assert!(text.starts_with("setting inspector: must be the URL") && !text.contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn a_token_goes_into_a_header_and_into_no_message() {
        let server = Server::new("http://10.0.0.7:8765/?token=s3cret", true).unwrap();
        assert_eq!(server.origin(), "http://10.0.0.7:8765");
        assert_eq!(server.trace, "http://10.0.0.7:8765/__tracklane/trace");
        assert_eq!(server.token.unwrap(), "Bearer s3cret");
        let error = Server::new("http://10.0.0.7:8765/?token=s3cret", false).err().unwrap();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
