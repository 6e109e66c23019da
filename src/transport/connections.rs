//! The connections of the default client, and how long they are kept.
//!
//! Invariant: no request goes out on a connection that was opened more than [`MAX_AGE`] before it and is part of an
//! older pool; so a host whose name has moved is left, however busy the client is. Of a pool in which something
//! panicked nothing is used again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::Resolve;
use tokio::time::Instant;
use url::Url;

use super::proxies::Proxies;
use super::tls::Tls;
use crate::error::SettingsError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// As many idle connections as there are.
const POOL_IDLE: usize = usize::MAX;
/// Idle connections are closed, so that a changed DNS entry is noticed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// So are those that never idle. What is under way on them ends as it would.
pub(super) const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// A pool of connections, made anew when it is too old, or broken.
pub(super) struct Connections {
    settings: Settings,
    pool: Mutex<Pool>,
}

/// Connections to take the next one from.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) client: reqwest::Client,
    opened: Instant,
    made: u64,
    /// The one before it broke: what logs in it may have, so it is used without a log, and keeps no connection, because
    /// what it would keep is under a lock that a panic makes useless.
    pub(super) wary: bool,
}

/// What every pool is made of.
pub(super) struct Settings {
    pub(super) tls: Tls,
    pub(super) proxies: Arc<Proxies>,
    pub(super) resolver: Arc<dyn Resolve>,
}

impl Connections {
    pub(super) fn new(settings: Settings) -> Result<Self, SettingsError> {
        let pool = Pool { client: settings.client(POOL_IDLE)?, opened: Instant::now(), made: 0, wary: false };
        Ok(Self { settings, pool: Mutex::new(pool) })
    }

    /// Whether a request to that URL takes a proxy.
    pub(super) fn take_proxy(&self, url: &Url) -> bool {
        self.settings.proxies.proxy_for(url).is_some()
    }

    /// The pool for the next request.
    pub(super) fn pool(&self) -> Pool {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.opened.elapsed() >= MAX_AGE {
            self.renew(&mut pool, false);
        }
        pool.clone()
    }

    /// Something panicked in that pool; the next request takes another one.
    pub(super) fn give_up(&self, broken: &Pool) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.made == broken.made {
            self.renew(&mut pool, true);
        }
    }

    fn renew(&self, pool: &mut Pool, wary: bool) {
        pool.opened = Instant::now();
        // It could be made of the same settings before.
        if let Ok(client) = self.settings.client(if wary { 0 } else { POOL_IDLE }) {
            *pool = Pool { client, opened: pool.opened, made: pool.made + 1, wary };
        }
    }
}

impl Settings {
    /// Nothing here depends on which features the application has switched on for its own `reqwest`.
    fn client(&self, idle: usize) -> Result<reqwest::Client, SettingsError> {
        let mut client = reqwest::Client::builder().no_proxy();
        // Asked for each request, for which its URL is parsed twice.
        if self.proxies.is_any() {
            let proxies = self.proxies.clone();
            client = client.proxy(reqwest::Proxy::custom(move |url| proxies.proxy_for(url)));
        }
        let client = client
            .dns_resolver(self.resolver.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(idle)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT);
        let client = self.tls.of(client).build();
        client.map_err(|error| SettingsError::http_client("the default client", error.into()))
    }
}

#[cfg(test)]
mod tests;
