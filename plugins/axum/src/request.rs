//! The captured parts of a request, and the context that is made of them.
//!
//! Invariant: only the headers named below are read, and none that is marked sensitive. A request that makes no call
//! costs one allocation; the context is made for its first call and shared by the others. Every text is cut to
//! [`MAX_TEXT`](crate::text::MAX_TEXT) bytes, so that no client can make events too large to be sent.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use http::header::{ACCEPT_LANGUAGE, HOST, HeaderValue, REFERER, USER_AGENT};
use http::request::Parts;
use http::uri::{Authority, Uri};
use tracklane::Context;
use tracklane::event::context::{Page, Referrer};

use crate::client_addr::ClientAddr;
use crate::headers::header;
use crate::settings::Settings;
use crate::text::{clip, without_query, without_userinfo};
use crate::{from_axum, language};

/// The parts of a request that events are given.
///
/// Cheap to clone. Holds nothing of the request that is not in its [`context`](Self::context).
#[derive(Clone)]
pub struct RequestContext {
    captured: Arc<Captured>,
}

struct Captured {
    settings: Arc<Settings>,
    client: ClientAddr,
    uri: Uri,
    host: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    accept_language: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    context: OnceLock<Context>,
}

impl RequestContext {
    pub(crate) fn new(request: &Parts, settings: &Arc<Settings>) -> Self {
        let header = |name| header(&request.headers, name);
        let captured = Captured {
            settings: settings.clone(),
            client: settings.client(request),
            uri: from_axum::original_uri(&request.extensions).unwrap_or(&request.uri).clone(),
            host: header(HOST),
            user_agent: header(USER_AGENT),
            accept_language: header(ACCEPT_LANGUAGE),
            referer: header(REFERER),
            context: OnceLock::new(),
        };
        Self { captured: Arc::new(captured) }
    }

    /// Returns the context of calls that belong to this request: `ip`, `userAgent`, `locale`, `page` and `referrer`,
    /// each if the request has it.
    #[must_use]
    pub fn context(&self) -> &Context {
        self.captured.context.get_or_init(|| self.captured.make_context())
    }

    /// Returns the address of the client, seen through the trusted proxies; `None` if it is not known.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.captured.client.address
    }

    /// Returns the page that was requested, as the properties of a page call.
    pub(crate) fn page(&self) -> Page {
        self.captured.page()
    }
}

impl Captured {
    fn make_context(&self) -> Context {
        let mut context = Context::new();
        if let Some(address) = self.client.address {
            context = context.ip(address);
        }
        if let Some(user_agent) = text(&self.user_agent) {
            context = context.user_agent(clip(user_agent));
        }
        if let Some(locale) = text(&self.accept_language).and_then(language::preferred) {
            context = context.locale(locale);
        }
        if let Some(referrer) = self.referrer() {
            context = context.referrer(Referrer::new().url(referrer));
        }
        context.page(self.page())
    }

    fn page(&self) -> Page {
        let path = self.uri.path();
        let mut page = Page::new().path(clip(path));
        let search = self.uri.query().filter(|_| self.settings.query).map(|query| format!("?{query}"));
        if let Some(search) = &search {
            page = page.search(clip(search));
        }
        if let Some(origin) = self.origin() {
            page = page.url(clip(&format!("{origin}{path}{}", search.as_deref().unwrap_or_default())));
        }
        match self.referrer() {
            Some(referrer) => page.referrer(referrer),
            None => page,
        }
    }

    /// Returns the start of the request's URL. HTTP/1.1 has the host in a header, and the scheme nowhere.
    fn origin(&self) -> Option<String> {
        if let Some(origin) = &self.settings.origin {
            return Some(origin.to_string());
        }
        let scheme = self.client.scheme.or_else(|| self.uri.scheme_str()).unwrap_or("http");
        let in_header = || Authority::try_from(self.host.as_ref()?.as_bytes()).ok();
        let authority = self.uri.authority().cloned().or_else(in_header)?;
        let host = authority.host();
        Some(match authority.port_u16() {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        })
    }

    fn referrer(&self) -> Option<String> {
        let url = without_userinfo(text(&self.referer)?);
        let url = if self.settings.query { &url } else { without_query(&url) };
        Some(clip(url).to_owned())
    }
}

fn text(value: &Option<HeaderValue>) -> Option<&str> {
    std::str::from_utf8(value.as_ref()?.as_bytes()).ok()
}

/// Shows nothing of the request: who made it is personal.
impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
