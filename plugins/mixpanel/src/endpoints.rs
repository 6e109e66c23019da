//! Mixpanel's endpoints: events, users and groups.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use tracklane::transport::HttpClient;
use tracklane_http::{Auth, Client, Endpoint, Payload, Secret, SettingError};

use crate::mapping::Turn;
use crate::service_account::ServiceAccount;

/// Bytes of an answer that are read: each event that is refused has a record of some 200 bytes in it.
const MAX_RESPONSE: usize = 1024 * 1024;

/// A client for each endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    import: Client,
    users: Client,
    groups: Client,
}

impl Endpoints {
    /// Events are imported with the project's token or a service account; profiles have the token in themselves.
    pub(crate) fn new(
        host: &str,
        allow_plaintext: bool,
        token: &Secret,
        account: Option<&ServiceAccount>,
        given: Option<HttpClient>,
        offline: bool,
    ) -> Result<Self, SettingError> {
        let client = |path: &str| {
            let endpoint = Endpoint::at_host("host", host, path, allow_plaintext)?;
            let client = if offline { Client::offline(endpoint) } else { Client::new(endpoint, given.clone()) };
            Ok::<_, SettingError>(client?.max_response(MAX_RESPONSE))
        };
        let (auth, project) = match account {
            Some(account) => {
                account.check()?;
                let auth = Auth::basic(account.username.expose(), account.secret.expose());
                (auth, format!("&project_id={}", account.project_id))
            }
            None => (Auth::basic(token.expose(), ""), String::new()),
        };
        let authorization = HeaderMap::from_iter([(AUTHORIZATION, auth.header()?)]);
        Ok(Self {
            import: client(&format!("/import?strict=1{project}"))?.headers(authorization),
            // Without `verbose` Mixpanel answers 200 to anything.
            users: client("/engage?verbose=1&strict=1")?,
            groups: client("/groups?verbose=1&strict=1")?,
        })
    }

    pub(crate) fn of(&self, turn: Turn) -> &Client {
        match turn {
            Turn::Events => &self.import,
            Turn::Users | Turn::Charges => &self.users,
            Turn::Groups => &self.groups,
        }
    }
}

/// The body of a request: a JSON array.
pub(crate) fn payload(items: &[impl AsRef<[u8]>]) -> Payload {
    Payload::json_array(items)
}
