//! The URL of a proxy, checked.
//!
//! `reqwest` accepts any text for a proxy, and ignores one whose scheme it does not know. It uses every URL that passes
//! here.

#[cfg(feature = "reqwest")]
use std::ffi::OsString;

use url::Url;

use crate::error::SettingsError;

/// The schemes of a proxy. The letters behind `socks` say who looks names up: with `4a` and `5h`, the proxy.
const SCHEMES: &[&str] = &["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
const SOCKS_PORT: u16 = 1080;

/// Reads the URL of the setting `proxy`: a scheme, a host, and optionally a port, a user name and a password.
/// `host:port` alone is taken for `http`, as most programs do. No error shows the URL, which may hold a password.
pub(crate) fn proxy_url(text: &str) -> Result<Url, SettingsError> {
    let text = text.trim();
    let has_scheme = text.contains("://") || ends_with_port(text);
    if has_scheme { parse(text) } else { Err("has no scheme") }.map_err(|problem| invalid("proxy", problem))
}

/// Reads the URL of the environment variable `name`. There, a host alone is an `http` proxy.
#[cfg(feature = "reqwest")]
pub(super) fn of_variable(name: &'static str, value: OsString) -> Result<Url, SettingsError> {
    let text = value.into_string().map_err(|_| invalid(name, "is not UTF-8"))?;
    let invalid = |problem| invalid(name, &format!("{problem} (it is a variable of the environment)"));
    parse(text.trim()).map_err(invalid)
}

fn invalid(setting: &'static str, problem: &str) -> SettingsError {
    let problem = format!("{problem}: write it as \"http://user:password@proxy.example:8080\"");
    SettingsError::without_value(setting, problem)
}

fn parse(text: &str) -> Result<Url, &'static str> {
    // A parser of URLs would silently remove them.
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("has white space or control characters");
    }
    let is_not = |_| "is not the URL of a proxy";
    let mut url = match text.contains("://") {
        true => Url::parse(text).map_err(is_not)?,
        false => Url::parse(&format!("http://{text}")).map_err(is_not)?,
    };
    if !SCHEMES.contains(&url.scheme()) {
        return Err("must begin with http://, https://, socks4://, socks4a://, socks5:// or socks5h://");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("is not the URL of a proxy");
    }
    if url.scheme().starts_with("socks") && url.port().is_none() {
        url.set_port(Some(SOCKS_PORT)).map_err(|()| "is not the URL of a proxy")?;
    }
    Ok(url)
}

fn ends_with_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::proxy_url;

    #[test]
    fn a_proxy_is_reached_by_http_https_or_socks() {
        let table = [
            ("http://proxy.example", "http://proxy.example/"),
            ("HTTPS://proxy.example:8080/", "https://proxy.example:8080/"),
            ("http://user:p%40ss@10.0.0.1:3128", "http://user:p%40ss@10.0.0.1:3128/"),
            ("http://[::1]:3128", "http://[::1]:3128/"),
            ("proxy.example:8080", "http://proxy.example:8080/"),
            ("user:secret@proxy:80", "http://user:secret@proxy/"),
            ("10.0.0.1:3128\n", "http://10.0.0.1:3128/"),
            ("socks5://user:secret@proxy.example:9050", "socks5://user:secret@proxy.example:9050"),
            ("SOCKS5H://proxy.example", "socks5h://proxy.example:1080"),
            ("socks4://10.0.0.1", "socks4://10.0.0.1:1080"),
            ("socks4a://[::1]:9050", "socks4a://[::1]:9050"),
        ];
        for (text, url) in table {
            assert_eq!(proxy_url(text).unwrap().as_str(), url, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_proxy_is_said_without_its_password() {
        let table = [
            ("", "has no scheme"),
            ("nonsense \n", "has no scheme"),
            ("secret@proxy.example", "has no scheme"),
            ("proxy.example:secret", "has no scheme"),
            ("htp://user:secret@proxy.example", "must begin with http://"),
            ("ftp://user:secret@proxy.example", "must begin with http://"),
            ("socks://user:secret@proxy.example:1080", "socks5:// or socks5h://"),
            ("socks6://user:secret@proxy.example:1080", "socks5:// or socks5h://"),
            ("socks5://user:secret@", "is not the URL"),
            ("socks5://", "is not the URL"),
            ("http://user:secret@", "is not the URL"),
            ("http://user:secret@proxy:port", "is not the URL"),
            ("user:secret@@:80", "is not the URL"),
            ("http://user:secret@pro\nxy", "white space"),
        ];
        for (text, problem) in table {
            let error = proxy_url(text).unwrap_err();
            assert!(error.to_string().contains(problem), "{text:?}: {error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{text:?}: {error:?}");
        }
    }
}
