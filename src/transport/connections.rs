//! The connections of the default client, and how long they are kept.
//!
//! Invariants: no request goes out on a connection of an older pool that was opened more than [`MAX_AGE`] before it. So
//! a host whose name has moved is left, however busy the client is. After a panic in a pool, nothing of it is used
//! again.

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
/// The greatest age of connections that are never idle. Requests on them end as they would.
pub(super) const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// A pool of connections. It is replaced when it is too old, or broken.
pub(super) struct Connections {
    settings: Settings,
    pool: Mutex<Pool>,
}

/// A pool to take the next connection from.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) client: reqwest::Client,
    opened: Instant,
    made: u64,
    /// The pool before it broke, maybe in a log subscriber. So this pool works without a log, and keeps no connections,
    /// because those are under a lock that a panic poisons.
    pub(super) wary: bool,
}

/// The settings of every pool.
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

    /// Returns whether a request to that URL takes a proxy.
    pub(super) fn take_proxy(&self, url: &Url) -> bool {
        self.settings.proxies.proxy_for(url).is_some()
    }

    /// Returns the pool for the next request.
    pub(super) fn pool(&self) -> Pool {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.opened.elapsed() >= MAX_AGE {
            self.renew(&mut pool, false);
        }
        pool.clone()
    }

    /// Replaces a pool in which something panicked.
    pub(super) fn give_up(&self, broken: &Pool) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.made == broken.made {
            self.renew(&mut pool, true);
        }
    }

    fn renew(&self, pool: &mut Pool, wary: bool) {
        pool.opened = Instant::now();
        // The same settings have made a pool before.
        if let Ok(client) = self.settings.client(if wary { 0 } else { POOL_IDLE }) {
            *pool = Pool { client, opened: pool.opened, made: pool.made + 1, wary };
        }
    }
}

impl Settings {
    /// Makes the client. It does not depend on the features that the application has switched on for its own `reqwest`.
    fn client(&self, idle: usize) -> Result<reqwest::Client, SettingsError> {
        let mut client = reqwest::Client::builder().no_proxy();
        // reqwest calls the closure for each request, and parses its URL twice for that.
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
