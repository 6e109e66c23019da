//! The host of a URL.

use std::borrow::Cow;

use url::Url;

/// Returns the host of a URL as browsers write it: in small letters, and in Punycode. `None` if the text is no URL with a
/// host.
///
/// ```
/// use tracklane_http::host;
///
/// assert_eq!(host("https://www.Example.com:8443/path").as_deref(), Some("www.example.com"));
/// assert_eq!(host("/path"), None);
/// ```
#[must_use]
pub fn host(url: &str) -> Option<Cow<'_, str>> {
    if let Some(host) = plain_host(url) {
        return Some(Cow::Borrowed(host));
    }
    Some(Cow::Owned(Url::parse(url).ok()?.host_str()?.to_owned()))
}

/// Returns the host of most URLs of the web: one without user and port, which is written as browsers write it.
fn plain_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    // Punycode may be wrong, and numbers may be an address.
    let is_plain = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        label.starts_with(|first: char| first.is_ascii_lowercase())
            && !label.starts_with("xn--")
            && label.bytes().all(inside)
    };
    host.split('.').all(is_plain).then_some(host)
}
