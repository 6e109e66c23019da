//! The URL for batches, made of a host and a path in any spelling.

use http::Uri;
use url::Url;

use crate::error::SettingsError;
use crate::transport::is_loopback;

/// Makes a URL of `host` and `path`. Errors name the host by its `setting`.
///
/// Segment's documents write hosts with and without `/v1`, and users add slashes. All of these make one URL.
pub(super) fn endpoint(
    setting: &'static str,
    host: &str,
    path: &str,
    allow_plaintext: bool,
) -> Result<Uri, SettingsError> {
    let url = parse_host(setting, host, allow_plaintext)?;
    let path = format!("/{}", path.trim_matches('/'));
    if path.len() == 1 || path.contains(['?', '#']) || path.contains(char::is_whitespace) {
        return Err(SettingsError::new("path", path, "must be the path of a URL, as in \"/v1/batch\""));
    }
    let base = without_endpoint(url.as_str().trim_end_matches('/'), &path);
    format!("{base}{path}").parse().map_err(|error: http::uri::InvalidUri| {
        SettingsError::new(setting, host, "does not make a URL together with the path").caused_by(error)
    })
}

/// Segment's endpoints, as examples for `curl` have them.
const ENDPOINTS: [&str; 15] =
    ["batch", "import", "track", "identify", "page", "screen", "group", "alias", "b", "t", "i", "p", "s", "g", "a"];

/// Removes the part of the host that the path adds again: all of it, or `/v1`, with or without the endpoint of a copied
/// URL.
fn without_endpoint<'h>(host: &'h str, path: &str) -> &'h str {
    let mut base = host.strip_suffix(path).unwrap_or(host).trim_end_matches('/');
    if path.starts_with("/v1/") {
        let endpoint = ENDPOINTS.iter().find_map(|endpoint| base.strip_suffix(endpoint)?.strip_suffix("/v1/"));
        base = endpoint.unwrap_or(base).trim_end_matches('/');
        base = base.strip_suffix("/v1").unwrap_or(base).trim_end_matches('/');
    }
    base
}

/// Returns a URL for errors and `Debug`, or an ellipsis if it may hold a password.
pub(crate) fn redacted(url: &str) -> &str {
    if url.contains('@') { "…" } else { url }
}

fn is_loopback_text(host: &str) -> bool {
    Url::parse(&format!("http://{host}")).is_ok_and(|url| is_loopback(&url))
}

fn parse_host(setting: &'static str, host: &str, allow_plaintext: bool) -> Result<Url, SettingsError> {
    let trimmed = host.trim();
    if trimmed.contains('@') {
        return Err(SettingsError::without_value(setting, "must not contain a user name or password"));
    }
    if !trimmed.contains("://") {
        let scheme = if is_loopback_text(trimmed) { "http" } else { "https" };
        let example = if trimmed.is_empty() { "api.segment.io" } else { trimmed };
        return Err(SettingsError::new(setting, host, format!("has no scheme: write it as \"{scheme}://{example}\"")));
    }
    let invalid = |problem: &str| SettingsError::new(setting, host, problem);
    // A parser of URLs would encode it.
    if trimmed.contains(char::is_whitespace) {
        return Err(invalid("has white space"));
    }
    let url = Url::parse(trimmed).map_err(|error| invalid("is not a URL").caused_by(error))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("must not have a query or a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_plaintext || is_loopback(&url) => Ok(url),
        "http" => Err(invalid("would send credentials unencrypted: use https, or allow_plaintext(true)")),
        _ => Err(invalid("must begin with https:// or http://")),
    }
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn every_spelling_of_a_host_is_one_url() {
        let hosts = [
            "https://api.segment.io",
            "https://api.segment.io/",
            "https://api.segment.io///",
            "https://api.segment.io/v1",
            "https://api.segment.io/v1/",
            "https://API.segment.io",
            " https://api.segment.io ",
            "https://api.segment.io:443",
            "https://api.segment.io/v1/batch",
            "https://api.segment.io/v1/batch/",
            "https://api.segment.io/v1/track",
            "https://api.segment.io/v1/import",
            "https://api.segment.io/v1/t",
        ];
        for host in hosts {
            for path in ["/v1/batch", "v1/batch", "/v1/batch/", "//v1/batch"] {
                let uri = endpoint("host", host, path, false).unwrap();
                assert_eq!(uri, "https://api.segment.io/v1/batch", "{host:?} with {path:?}");
            }
        }
        assert_eq!(
            endpoint("host", "https://proxy.example/t", "/v1/batch", false).unwrap(),
            "https://proxy.example/t/v1/batch"
        );
        assert_eq!(endpoint("host", "https://proxy.example/v1", "/in", false).unwrap(), "https://proxy.example/v1/in");
        for host in ["https://proxy.example/t/v1/batch", "https://proxy.example/t/v1/identify"] {
            assert_eq!(endpoint("host", host, "/v1/batch", false).unwrap(), "https://proxy.example/t/v1/batch");
        }
        // Paths that only look similar stay.
        for host in ["https://proxy.example/track", "https://proxy.example/v2/track", "https://proxy.example/xv1/t"] {
            assert_eq!(endpoint("host", host, "/v1/batch", false).unwrap(), format!("{host}/v1/batch").as_str());
        }
        assert_eq!(endpoint("host", "https://proxy.example/in", "/in", false).unwrap(), "https://proxy.example/in");
    }

    #[test]
    fn what_is_wrong_with_a_host_is_said() {
        let table = [
            ("api.segment.io", "has no scheme: write it as \"https://api.segment.io\""),
            ("127.0.0.1:8765", "has no scheme: write it as \"http://127.0.0.1:8765\""),
            ("localhost", "has no scheme: write it as \"http://localhost\""),
            ("", "has no scheme"),
            ("ftp://api.segment.io", "must begin with https://"),
            ("file:///etc/passwd", "must begin with https://"),
            ("http://api.segment.io", "unencrypted"),
            ("http://api.localhost:1", "unencrypted"),
            ("http://localhost.evil.example", "unencrypted"),
            ("http://0.0.0.0:1", "unencrypted"),
            ("https://key:secret@api.segment.io", "user name or password"),
            ("https://key:secret@api.segment.io:port", "user name or password"),
            ("key:secret@api.segment.io", "user name or password"),
            ("https://api.segment.io?key=1", "query"),
            ("https://api.segment.io/a b", "has white space"),
            ("https://", "is not a URL"),
        ];
        for (host, problem) in table {
            let error = endpoint("host", host, "/v1/batch", false).unwrap_err().to_string();
            assert!(error.contains(problem), "{host:?}: {error}");
            assert!(!error.contains("secret"), "{host:?}: {error}");
        }
        for host in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            assert!(endpoint("host", host, "/v1/batch", false).is_ok(), "{host}");
        }
        assert!(endpoint("host", "http://collector.internal", "/v1/batch", true).is_ok());
        assert!(endpoint("host", "https://api.segment.io", " ", false).is_err());
    }
}
