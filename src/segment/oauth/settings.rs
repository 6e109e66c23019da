//! `OAuth`: the settings of the user, and their checks.

use std::fmt;

use http::HeaderValue;

use super::Tokens;
use super::assertion::AssertionParties;
use super::private_key::PrivateKeyPem;
use super::server::TokenServer;
use crate::error::{SettingsError, SettingsErrors};
use crate::segment::Region;
use crate::segment::endpoint::{endpoint, redacted};
use crate::segment::write_key::in_quotes;
use crate::transport::HttpClient;

/// OAuth 2.0 for Segment's destination: a token authorizes uploads in place of the write key. The write key still says
/// which source the events belong to.
///
/// The token is kept in memory, and renewed when half of its life is over. `docs/OAUTH.md` says how to set up the keys,
/// and what happens when the token server or the API refuses.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane::segment::{OAuth, Segment};
///
/// let private_key = std::fs::read_to_string("private.pem")?;
/// let oauth = OAuth::new("CLIENT_ID_FROM_DASHBOARD", private_key, "KEY_ID_FROM_DASHBOARD");
/// let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").oauth(oauth)).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "settings do nothing until they are built"]
#[derive(Clone)]
pub struct OAuth {
    client_id: String,
    private_key: PrivateKeyPem,
    key_id: String,
    auth_server: String,
    scope: String,
    max_retries: u32,
    http_client: Option<HttpClient>,
}

impl OAuth {
    /// The default of [`auth_server`](Self::auth_server).
    pub const AUTH_SERVER: &'static str = Region::Oregon.auth_server();
    /// The default of [`scope`](Self::scope).
    pub const SCOPE: &'static str = "tracking_api:write";
    /// The default of [`max_retries`](Self::max_retries).
    pub const MAX_RETRIES: u32 = 3;

    /// Makes the default settings. `client_id` is the OAuth application's, `private_key` an RSA key in PEM (PKCS#8 or PKCS#1, not encrypted), and
    /// `key_id` the id that the dashboard gives to its public half.
    pub fn new(client_id: impl Into<String>, private_key: impl Into<String>, key_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            private_key: PrivateKeyPem::new(private_key.into()),
            key_id: key_id.into(),
            auth_server: Self::AUTH_SERVER.to_owned(),
            scope: Self::SCOPE.to_owned(),
            max_retries: Self::MAX_RETRIES,
            http_client: None,
        }
    }

    /// Sets the base URL of the token server. A region's is [`Region::auth_server`].
    pub fn auth_server(mut self, url: impl Into<String>) -> Self {
        self.auth_server = url.into();
        self
    }

    /// Sets the scope: the permissions of the token.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Limits the quick repetitions of a token request that failed for the moment (no answer, 5xx). After these the
    /// attempt at the batch has failed, and is retried like any other.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Sets the HTTP client for token requests, in place of the destination's.
    pub fn http_client(mut self, client: HttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Returns whether token requests need TLS of the destination's client.
    pub(in crate::segment) fn needs_tls(&self) -> bool {
        self.http_client.is_none() && !self.auth_server.trim_start().starts_with("http://")
    }

    /// Checks everything that needs no HTTP client.
    pub(in crate::segment) fn check(&self, allow_plaintext: bool) -> Result<(), SettingsError> {
        let mut errors = SettingsErrors::default();
        for (setting, value) in [("client_id", &self.client_id), ("key_id", &self.key_id), ("scope", &self.scope)] {
            if value.trim().is_empty() {
                errors.add(SettingsError::without_value(setting, "is empty"));
            } else if in_quotes(value) {
                errors.add(SettingsError::without_value(setting, "has quotes around it: leave them out"));
            }
        }
        errors.check(endpoint("auth_server", &self.auth_server, "/token", allow_plaintext));
        errors.check(self.private_key.parse());
        errors.into_result()
    }

    /// Makes the source of tokens for `destination`, whose HTTP client it uses.
    pub(in crate::segment) fn tokens(
        &self,
        destination: &str,
        client: &HttpClient,
        user_agent: &HeaderValue,
        allow_plaintext: bool,
    ) -> Result<Tokens, SettingsError> {
        let uri = endpoint("auth_server", &self.auth_server, "/token", allow_plaintext)?;
        let identity = AssertionParties {
            client_id: self.client_id.clone(),
            key_id: self.key_id.clone(),
            key: self.private_key.parse()?,
            audience: self.auth_server.trim().trim_end_matches('/').to_owned(),
        };
        let client = self.http_client.as_ref().unwrap_or(client).clone();
        let server = TokenServer::new(client, uri, user_agent.clone(), self.scope.clone(), identity);
        Ok(Tokens::new(server, self.max_retries, destination))
    }
}

/// Shows neither the private key nor a password in the server's URL.
impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("client_id", &self.client_id)
            .field("key_id", &self.key_id)
            .field("auth_server", &redacted(&self.auth_server))
            .field("scope", &self.scope)
            .field("max_retries", &self.max_retries)
            .finish_non_exhaustive()
    }
}
