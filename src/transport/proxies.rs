//! Chooses the proxy of a request: the one of the settings, or those of the environment.
//!
//! Invariant: a variable that does not name a usable proxy is an error with the variable's name. An empty variable
//! counts as not set. Hosts on this machine are reached without the proxies of the environment, which are elsewhere and
//! would see the write key.

use std::ffi::OsString;

use url::Url;

use super::no_proxy::NoProxy;
use super::{is_loopback, proxy};
use crate::error::SettingsError;

#[derive(Debug)]
pub(super) enum Proxies {
    /// The proxy for every request.
    One(Url),
    OfEnvironment {
        http: Option<Url>,
        https: Option<Url>,
        except: NoProxy,
    },
}

impl Proxies {
    pub(super) fn of_environment() -> Result<Self, SettingsError> {
        Self::of_variables(|name| std::env::var_os(name))
    }

    /// Reads the variables. Names in capitals win over names in small letters. In a program that a web server runs
    /// (CGI), `HTTP_PROXY` is a header of the request, and is not read.
    fn of_variables(value: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let first = |names: [&'static str; 2]| {
            let values = names.into_iter().map(|name| (name, value(name).unwrap_or_default()));
            values.into_iter().find(|(_, value)| !value.to_string_lossy().trim().is_empty())
        };
        let proxy = |names| match first(names) {
            Some((name, value)) => proxy::of_variable(name, value).map(Some),
            None => Ok(None),
        };
        let in_cgi = value("REQUEST_METHOD").is_some();
        let http = proxy(if in_cgi { ["http_proxy"; 2] } else { ["HTTP_PROXY", "http_proxy"] })?;
        let https = proxy(["HTTPS_PROXY", "https_proxy"])?;
        let all = proxy(["ALL_PROXY", "all_proxy"])?;
        let except = first(["NO_PROXY", "no_proxy"]).map(|(_, list)| NoProxy::parse(&list.to_string_lossy()));
        Ok(Self::OfEnvironment {
            http: http.or_else(|| all.clone()),
            https: https.or(all),
            except: except.unwrap_or_default(),
        })
    }

    /// Returns whether any request uses a proxy.
    pub(super) fn is_any(&self) -> bool {
        !matches!(self, Self::OfEnvironment { http: None, https: None, .. })
    }

    pub(super) fn proxy_for(&self, url: &Url) -> Option<Url> {
        match self {
            Self::One(proxy) => Some(proxy.clone()),
            Self::OfEnvironment { except, .. } if is_loopback(url) || except.contains(url) => None,
            Self::OfEnvironment { http, https, .. } => if url.scheme() == "https" { https } else { http }.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, SettingsError> {
        Proxies::of_variables(|name| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into()))
    }

    /// Variables, a URL, and the proxy for it.
    type Row = (&'static [(&'static str, &'static str)], &'static str, Option<&'static str>);

    #[test]
    fn a_request_takes_the_proxy_that_the_environment_names_for_it() {
        const HTTPS: &str = "https://api.segment.io";
        const HTTP: &str = "http://collector.internal:8080";
        let table: &[Row] = &[
            (&[], HTTPS, None),
            (&[("HTTPS_PROXY", "http://p:1")], HTTPS, Some("http://p:1/")),
            (&[("HTTPS_PROXY", "http://p:1")], HTTP, None),
            (&[("HTTP_PROXY", "p:1")], HTTP, Some("http://p:1/")),
            (&[("http_proxy", "p")], HTTP, Some("http://p/")),
            (&[("HTTP_PROXY", "p:1")], HTTPS, None),
            (&[("ALL_PROXY", "socks5h://p")], HTTPS, Some("socks5h://p:1080")),
            (&[("all_proxy", "socks5://u:s@p:9")], HTTP, Some("socks5://u:s@p:9")),
            (&[("ALL_PROXY", "p:1"), ("HTTPS_PROXY", "p:2")], HTTPS, Some("http://p:2/")),
            (&[("HTTPS_PROXY", "p:1"), ("https_proxy", "p:2")], HTTPS, Some("http://p:1/")),
            (&[("HTTPS_PROXY", " "), ("https_proxy", "p:2")], HTTPS, Some("http://p:2/")),
            (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "p:1"), ("NO_PROXY", "")], HTTPS, Some("http://p:1/")),
            (&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", "*.segment.io")], HTTPS, None),
            (&[("HTTPS_PROXY", "p:1"), ("NO_PROXY", ""), ("no_proxy", "segment.io:443")], HTTPS, None),
            (&[("ALL_PROXY", "p:1")], "http://localhost:8080", None),
            (&[("ALL_PROXY", "p:1")], "https://[::1]", None),
            (&[("ALL_PROXY", "p:1")], "https://api.localhost", Some("http://p:1/")),
            // In a program that a web server runs, a header of the request.
            (&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1")], HTTP, None),
            (&[("REQUEST_METHOD", "GET"), ("http_proxy", "p:1")], HTTP, Some("http://p:1/")),
            (&[("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", "p:1")], HTTPS, Some("http://p:1/")),
        ];
        for (variables, url, expected) in table {
            let proxy = proxies(variables).unwrap().proxy_for(&Url::parse(url).unwrap());
            assert_eq!(proxy.as_ref().map(Url::as_str), *expected, "{variables:?} for {url}");
        }
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_named_without_its_value() {
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            for value in
                ["ftp://secret@p", "not a secret", "http://secret@", "secret@@", "http://p:secret", "://secret"]
            {
                let error = proxies(&[(name, value)]).unwrap_err();
                assert_eq!(error.setting(), name, "{value}");
                assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
            }
        }
    }
}
