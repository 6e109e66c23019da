//! The URL of a proxy, checked.
//!
//! `reqwest` takes any text for a proxy, and goes past one whose scheme it does not know. What passes here it uses.

use url::Url;

use crate::error::SettingsError;

/// `http` or `https`, a host, and perhaps a port, a user name and a password. `host:port` alone is taken for `http`,
/// as most programs do. No error shows the URL, which may hold a password.
pub(crate) fn proxy_url(text: &str) -> Result<Url, SettingsError> {
    let invalid = |problem: &str| {
        let problem = format!("{problem}: write it as \"http://user:password@proxy.example:8080\"");
        SettingsError::without_value("proxy", problem)
    };
    let text = text.trim();
    // A parser of URLs would leave them out without a word.
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(invalid("has white space or control characters"));
    }
    let url = match text.contains("://") {
        true => Url::parse(text),
        false if ends_with_port(text) => Url::parse(&format!("http://{text}")),
        false => return Err(invalid("has no scheme")),
    };
    match url {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(_) => Err(invalid("must begin with http:// or https://: no other kind of proxy is supported")),
        Err(_) => Err(invalid("is not the URL of a proxy")),
    }
}

fn ends_with_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::proxy_url;

    #[test]
    fn a_proxy_is_reached_by_http_or_https() {
        let table = [
            ("http://proxy.example", "http://proxy.example/"),
            ("HTTPS://proxy.example:8080/", "https://proxy.example:8080/"),
            ("http://user:p%40ss@10.0.0.1:3128", "http://user:p%40ss@10.0.0.1:3128/"),
            ("http://[::1]:3128", "http://[::1]:3128/"),
            ("proxy.example:8080", "http://proxy.example:8080/"),
            ("user:secret@proxy:80", "http://user:secret@proxy/"),
            ("10.0.0.1:3128\n", "http://10.0.0.1:3128/"),
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
            ("htp://user:secret@proxy.example", "must begin with http:// or https://"),
            ("ftp://user:secret@proxy.example", "must begin with http:// or https://"),
            ("socks5://user:secret@proxy.example:1080", "must begin with http:// or https://"),
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
