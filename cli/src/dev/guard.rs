//! Decides who may see the page and ask the API: no other site.
//!
//! `Host` keeps out names that were made to lead here, `Origin` and `Sec-Fetch-Site` keep out the pages of others. The
//! tracking API itself takes events from anywhere, and answers nothing that is worth reading.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;

const COOKIE: &str = "tracklane";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                   base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whom to let in.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// The address of `--listen`, if it is another than the loopback ones.
    pub(crate) listen: Option<IpAddr>,
    /// The token to show if others can reach the port.
    pub(crate) token: Option<String>,
}

pub(crate) async fn check(guard: Arc<Guard>, request: Request, next: Next) -> Response<Body> {
    let mut response = match guard.problem(request.headers()) {
        Some(problem) => plain(StatusCode::FORBIDDEN, problem),
        None => match guard.entry(&request) {
            Entry::Open => next.run(request).await,
            Entry::Shown(token) => welcome(&token),
            Entry::Closed => plain(
                StatusCode::UNAUTHORIZED,
                "this server needs the token of --token: open /?token=TOKEN, or send Authorization: Bearer TOKEN\n",
            ),
        },
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    response
}

enum Entry {
    Open,
    /// The token was in the address: from now on it is in a cookie.
    Shown(String),
    Closed,
}

impl Guard {
    fn problem(&self, headers: &HeaderMap) -> Option<&'static str> {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let host = text(header::HOST).unwrap_or_default();
        if !self.is_ours(host) {
            return Some("this Host is not this server's: use http://127.0.0.1 or http://localhost\n");
        }
        if text(header::ORIGIN).is_some_and(|origin| origin != format!("http://{host}")) {
            return Some("requests of other origins are not answered here\n");
        }
        if text(SEC_FETCH_SITE).is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) {
            return Some("requests from other sites are not answered here\n");
        }
        None
    }

    /// Returns whether a Host, with any port, is one that cannot be made to lead here.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split_once(']').filter(|(_, port)| is_port(port)).map(|(name, _)| name),
            None => match host.split_once(':') {
                Some((name, port)) => port.parse::<u16>().ok().map(|_| name),
                None => Some(host),
            },
        };
        let Some(name) = name else { return false };
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        name.parse::<IpAddr>().is_ok_and(|address| {
            // An address cannot be made to lead elsewhere; where all are listened on, each is ours.
            address.is_loopback() || self.listen.is_some_and(|listen| listen == address || listen.is_unspecified())
        })
    }

    fn entry(&self, request: &Request) -> Entry {
        let Some(token) = &self.token else { return Entry::Open };
        let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let cookies = text(header::COOKIE).unwrap_or_default().split(';').map(str::trim);
        let mut cookie = cookies.filter_map(|pair| pair.split_once('=')).filter(|(name, _)| *name == COOKIE);
        if bearer.is_some_and(|shown| same(shown, token)) || cookie.any(|(_, shown)| same(shown, token)) {
            return Entry::Open;
        }
        let query = request.uri().query().unwrap_or_default();
        let shown = query.split('&').find_map(|pair| pair.strip_prefix("token="));
        match shown {
            Some(shown) if same(shown, token) && request.uri().path() == "/" => Entry::Shown(token.clone()),
            _ => Entry::Closed,
        }
    }
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

/// Takes the same time wherever they differ.
fn same(shown: &str, token: &str) -> bool {
    let differences = shown.bytes().zip(token.bytes()).fold(0, |found, (a, b)| found | (a ^ b));
    shown.len() == token.len() && differences == 0
}

fn welcome(token: &str) -> Response<Body> {
    let mut response = plain(StatusCode::SEE_OTHER, "");
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
    if let Ok(cookie) = HeaderValue::from_str(&format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/")) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(listen: Option<&str>, headers: &[(&str, &str)]) -> Option<&'static str> {
        let guard = Guard { listen: listen.map(|address| address.parse().unwrap()), token: None };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        guard.problem(&map)
    }

    #[test]
    fn only_hosts_that_cannot_be_made_to_lead_here_are_let_in() {
        for host in ["127.0.0.1", "127.0.0.1:8765", "localhost", "LocalHost:1", "[::1]", "[::1]:8765"] {
            assert_eq!(problem(None, &[("host", host)]), None, "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8765",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "127.0.0.1:x",
            "[::1",
            "[::1]x",
            "localhost:8765:1",
            "::1",
            "0.0.0.0",
        ] {
            assert!(problem(None, &[("host", host)]).is_some(), "{host}");
        }
        assert_eq!(problem(Some("10.0.0.1"), &[("host", "10.0.0.1:80")]), None);
        assert!(problem(Some("10.0.0.1"), &[("host", "10.0.0.2:80")]).is_some());
        assert_eq!(problem(Some("0.0.0.0"), &[("host", "10.0.0.2:80")]), None);
        assert!(problem(Some("0.0.0.0"), &[("host", "evil.example")]).is_some());
    }

    #[test]
    fn pages_of_others_are_kept_out() {
        let host = ("host", "localhost:8765");
        for origin in
            ["http://evil.example", "null", "http://localhost", "https://localhost:8765", "http://127.0.0.1:8765"]
        {
            assert!(problem(None, &[host, ("origin", origin)]).is_some(), "{origin}");
        }
        assert_eq!(problem(None, &[host, ("origin", "http://localhost:8765")]), None);
        assert!(problem(None, &[host, ("sec-fetch-site", "cross-site")]).is_some());
        for site in ["same-origin", "same-site", "none"] {
            assert_eq!(problem(None, &[host, ("sec-fetch-site", site)]), None, "{site}");
        }
    }
}
