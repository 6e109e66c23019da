//! A URL that requests may go to.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::{Auth, Secret, SettingError};

/// Letters of a path that may be secret, with its slash.
const LEAST_SECRET: usize = 5;

/// A checked URL: `https`, or `http` for this machine or where that is allowed. Path and query may be as secret as a
/// password, so `Debug` and `Display` show scheme, host and port alone. Of a URL that was made by
/// [`at_host`](Self::at_host) they show the vendor's path as well.
///
/// ```
/// use tracklane_http::Endpoint;
///
/// let endpoint = Endpoint::new("url", "https://user:pass@hooks.example/T0/B1?token=x", false)?;
/// assert_eq!(endpoint.to_string(), "https://hooks.example/…");
/// assert_eq!(endpoint.uri().to_string(), "https://hooks.example/T0/B1?token=x");
/// assert!(Endpoint::new("url", "http://hooks.example/", false).is_err());
///
/// let endpoint = Endpoint::at_host("host", "https://proxy.example/T0", "/batch?token=x", false)?;
/// assert_eq!(endpoint.to_string(), "https://proxy.example/…/batch");
/// # Ok::<(), tracklane_http::SettingError>(())
/// ```
#[derive(Clone)]
pub struct Endpoint {
    uri: Uri,
    auth: Option<Auth>,
    shown: Arc<str>,
    /// The part of the path that is not shown.
    hidden: Arc<str>,
    is_plaintext: bool,
}

impl Endpoint {
    /// Checks `url`, which errors call `setting`. A user name and a password in it become [`auth`](Self::auth).
    ///
    /// # Errors
    ///
    /// Returns an error if it is not such a URL. The error does not show it.
    pub fn new(setting: &'static str, url: &str, allow_plaintext: bool) -> Result<Self, SettingError> {
        Self::checked(setting, url, None, allow_plaintext)
    }

    /// Checks `url`, whose path may end with the vendor's.
    fn checked(
        setting: &'static str,
        url: &str,
        vendors: Option<&str>,
        allow_plaintext: bool,
    ) -> Result<Self, SettingError> {
        let invalid = |problem: &str| SettingError::new(setting, problem);
        let text = url.trim();
        // A parser of URLs would leave them out without a word.
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(invalid("has white space or control characters"));
        }
        if !text.contains("://") {
            return Err(invalid("has no scheme: write it as \"https://api.example/path\""));
        }
        let mut url = Url::parse(text).map_err(|error| invalid("is not a URL").caused_by(error))?;
        match url.scheme() {
            "https" => {}
            "http" if allow_plaintext || is_loopback(&url) => {}
            "http" => return Err(invalid("would be sent to unencrypted: use https, or allow_plaintext")),
            _ => return Err(invalid("must begin with https:// or http://")),
        }
        if url.fragment().is_some() {
            return Err(invalid("must not have a fragment (#…): no server gets to see it"));
        }
        let auth = take_auth(&mut url).ok_or_else(|| invalid("has a user name or password that is not UTF-8"))?;
        let uri: Uri = url.as_str().parse().map_err(|_| invalid("is not a URL that HTTP can request"))?;
        let (shown, hidden) = shown(&url, vendors);
        Ok(Self { uri, auth, shown, hidden, is_plaintext: url.scheme() == "http" })
    }

    /// Checks the URL of `path` at a host such as `https://api.example`, or below the path of a proxy, which errors call
    /// `setting`. `path` is the vendor's, so it is shown, up to its query. It must hold no secret there.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`new`](Self::new), and one for a host with a query, which would take the path in.
    ///
    /// ```
    /// use tracklane_http::Endpoint;
    ///
    /// let endpoint = Endpoint::at_host("host", "https://proxy.example/vendor/", "/batch?strict=1", false)?;
    /// assert_eq!(endpoint.uri().to_string(), "https://proxy.example/vendor/batch?strict=1");
    /// assert!(Endpoint::at_host("host", "https://proxy.example?key=x", "/batch", false).is_err());
    /// # Ok::<(), tracklane_http::SettingError>(())
    /// ```
    pub fn at_host(setting: &'static str, host: &str, path: &str, allow_plaintext: bool) -> Result<Self, SettingError> {
        if host.contains(['?', '#']) {
            return Err(SettingError::new(setting, "has a query or a fragment: write it as \"https://api.example\""));
        }
        let url = format!("{}{path}", host.trim().trim_end_matches('/'));
        let vendors = path.split('?').next().filter(|path| !path.is_empty()).unwrap_or("/");
        Self::checked(setting, &url, Some(vendors), allow_plaintext)
    }

    /// The URL of requests, without user name and password.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The part of the URL that is no secret.
    pub(crate) fn shown(&self) -> Arc<str> {
        self.shown.clone()
    }

    /// The same URL with one more name and value in its query, which are not shown.
    ///
    /// # Errors
    ///
    /// Returns an error if HTTP cannot request the URL any more, because it is too long.
    pub fn with_query(&self, name: &str, value: &str) -> Result<Self, SettingError> {
        let mut url = Url::parse(&self.uri.to_string())
            .map_err(|error| SettingError::new("query", "makes no URL").caused_by(error))?;
        url.query_pairs_mut().append_pair(name, value);
        let uri = url.as_str().parse().map_err(|_| SettingError::new("query", "makes the URL too long"))?;
        Ok(Self { uri, ..self.clone() })
    }

    /// The user name and the password that the URL had.
    #[must_use]
    pub fn auth(&self) -> Option<&Auth> {
        self.auth.as_ref()
    }

    /// Returns the parts of the URL that may be secret, because a server may repeat them: user name and password, also
    /// in the form of the header, the path but for the vendor's, and the query. A single value of the query, or a part
    /// of the path, is not among them.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let whole = self.uri.path_and_query().map_or("", |both| both.as_str());
        // With the vendor's path between them, the two are not together.
        let whole = if *self.hidden == *self.uri.path() { whole } else { "" };
        let parts = [whole, &*self.hidden, self.uri.query().unwrap_or_default()];
        // Shorter text is not a secret, and would be found in other words.
        let texts = parts.into_iter().filter(|text| text.len() >= LEAST_SECRET).map(Secret::from);
        let sent = self.auth.as_ref().and_then(Auth::sent);
        sent.into_iter().chain(texts).chain(self.auth.iter().flat_map(Auth::secrets).cloned()).collect()
    }

    /// Returns whether requests go out without TLS.
    #[must_use]
    pub fn is_plaintext(&self) -> bool {
        self.is_plaintext
    }
}

/// `None` if they are not UTF-8.
fn take_auth(url: &mut Url) -> Option<Option<Auth>> {
    let decode = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    if url.username().is_empty() && url.password().is_none() {
        return Some(None);
    }
    let auth = Auth::basic(decode(url.username())?, decode(url.password().unwrap_or_default())?);
    // Neither fails for a URL with a host, which those of http and https always have.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(Some(auth))
}

/// What is shown of a URL, and the part of its path that is not: of a path that ends with the vendor's, what is before
/// it.
fn shown(url: &Url, vendors: Option<&str>) -> (Arc<str>, Arc<str>) {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let origin = format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default());
    let above = vendors.and_then(|vendors| Some((vendors, url.path().strip_suffix(vendors)?)));
    let (path, hidden) = match above {
        Some((vendors, "")) => (vendors.to_owned(), ""),
        Some((vendors, above)) => (format!("/…{vendors}"), above),
        None if url.path() == "/" && url.query().is_none() => ("/".to_owned(), ""),
        None => ("/…".to_owned(), url.path()),
    };
    (format!("{origin}{path}").into(), hidden.into())
}

/// Of all names only `localhost`: many resolvers ask the network for names below it.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.shown)
    }
}
