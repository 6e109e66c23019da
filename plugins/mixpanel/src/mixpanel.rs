//! The settings, as a builder, and the destination that they make.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tracklane::Event;
use tracklane::plugin::{Batching, Destination, RetryPolicy};
use tracklane::transport::HttpClient;
use tracklane_http::{Explanation, Mapped, Secret, SettingError, ShownRequest, check_name, check_timeout};

use crate::endpoints::{Endpoints, payload};
use crate::mapping::{IdMerge, Item, Mapping, NAME, Products, Turn};
use crate::service::{MixpanelService, Shared};
use crate::service_account::ServiceAccount;

/// The region where a project keeps its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Region {
    /// `https://api.mixpanel.com`
    #[default]
    Us,
    /// `https://api-eu.mixpanel.com`
    Eu,
    /// `https://api-in.mixpanel.com`
    In,
}

impl Region {
    fn host(self) -> &'static str {
        match self {
            Self::Us => "https://api.mixpanel.com",
            Self::Eu => "https://api-eu.mixpanel.com",
            Self::In => "https://api-in.mixpanel.com",
        }
    }
}

/// A Mixpanel project as a destination.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_mixpanel::Mixpanel;
///
/// let analytics = Analytics::builder().plugin(Mixpanel::new("MIXPANEL_PROJECT_TOKEN").build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`build`](Self::build) gives a [`Destination`], whose methods set the rest: batching, retries, the queue.
#[derive(Clone)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct Mixpanel {
    token: Secret,
    service_account: Option<ServiceAccount>,
    host: String,
    allow_plaintext: bool,
    gzip: bool,
    timeout: Duration,
    dry_run: bool,
    http_client: Option<HttpClient>,
    mapping: Mapping,
}

impl Mixpanel {
    /// Sends to the project with that token.
    pub fn new(project_token: impl Into<Secret>) -> Self {
        Self {
            token: project_token.into(),
            service_account: None,
            host: Region::Us.host().to_owned(),
            allow_plaintext: false,
            gzip: true,
            timeout: Duration::from_secs(20),
            dry_run: false,
            http_client: None,
            mapping: Mapping::default(),
        }
    }

    /// Sends events as a service account, in place of the token.
    pub fn service_account(mut self, account: ServiceAccount) -> Self {
        self.service_account = Some(account);
        self
    }

    /// The name of the destination, for `integrations`. `Mixpanel` by default.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.mapping.name);
        self
    }

    /// Sets the region where the project keeps its data, the US by default. A project of another region refuses the
    /// events.
    pub fn region(self, region: Region) -> Self {
        self.host(region.host())
    }

    /// The host in place of the region's, such as that of a proxy.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Sets whether `http://` is allowed for a host that is not this machine.
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// Sets how the project merges identities, as its settings have it. [`IdMerge::Simplified`] by default, as for new
    /// projects.
    pub fn id_merge(mut self, id_merge: IdMerge) -> Self {
        self.mapping.id_merge = id_merge;
        self
    }

    /// The key of groups, as the project's settings have it. `$group_id` by default.
    pub fn group_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.mapping.group_key);
        self
    }

    /// Sets whether events belong to the group that `context.groupId` names. On by default.
    pub fn groups_from_context(mut self, from_context: bool) -> Self {
        self.mapping.groups_from_context = from_context;
        self
    }

    /// Sets what happens to an order's products. They stay in its event by default.
    pub fn products(mut self, products: Products) -> Self {
        self.mapping.products = products;
        self
    }

    /// Sets whether an event's `revenue` is added to its user's profile as a charge (`$transactions`). Off by default:
    /// reports on revenue read the events.
    ///
    /// Mixpanel de-duplicates no charges. So a charge goes out after its event was taken, in a request with other charges
    /// alone. If it is unknown whether Mixpanel counted it (a timeout, a connection that broke, 408 or 5xx), it is not
    /// sent again: the event counts as rejected, and its error says that Mixpanel has the event but may lack the charge.
    /// Where there was no connection, and after 429, event and charge are sent again. The same goes for changes that
    /// [`map_event`](Self::map_event) makes an `$append` or `$add`.
    ///
    /// A charge can still count twice if the process ends before its answer is there, and something else, such as a spool,
    /// brings the event back; or if the destination's `attempt_timeout` is set to less than two [`timeout`](Self::timeout)s.
    pub fn track_charges(mut self, track: bool) -> Self {
        self.mapping.track_charges = track;
        self
    }

    /// Sets whether events are compressed. On by default. Profiles never are: Mixpanel takes them plain only.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sets how long an attempt may take, 20 s by default. Its charges may take as long again: see
    /// [`track_charges`](Self::track_charges).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets whether requests are only logged, at the level INFO and with their bodies, and the events counted as
    /// delivered.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Changes each [`Item`] that is sent of an event, after everything else.
    ///
    /// ```
    /// use tracklane_mixpanel::{Mixpanel, Target};
    ///
    /// let mixpanel = Mixpanel::new("MIXPANEL_PROJECT_TOKEN").map_event(|_, item| {
    ///     if item.target == Target::Import {
    ///         item.body["properties"]["source"] = "server".into();
    ///     }
    /// });
    /// ```
    pub fn map_event(mut self, map: impl Fn(&Event, &mut Item) + Send + Sync + 'static) -> Self {
        self.mapping.map_event = Some(Arc::new(map));
        self
    }

    /// The HTTP client in place of the default one. It must not follow redirects.
    pub fn http_client(mut self, client: HttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Checks the settings and makes the destination.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used. The error names it, and shows neither token nor secret.
    pub fn build(self) -> Result<Destination, SettingError> {
        let endpoints = self.endpoints(self.dry_run)?;
        let (name, timeout, secrets) = (self.mapping.name.clone(), self.timeout, self.secrets());
        let shared = Shared {
            token: self.token,
            mapping: self.mapping,
            gzip: self.gzip,
            timeout,
            dry_run: self.dry_run,
            secrets,
        };
        let service = MixpanelService { endpoints, shared: Arc::new(shared) };
        Ok(Destination::new(&name, service)
            .alias(NAME)
            .batching(Batching::every(100, Duration::from_secs(5)).max_events(1_000).full_when_driven())
            // Mixpanel asks for 2 to 60 s after 429, 502 and 503.
            .retry(RetryPolicy::new().backoff(Duration::from_secs(2), Duration::from_secs(60)))
            // The service keeps the timeout itself, twice at most: a charge under way must not be forgotten.
            .attempt_timeout(timeout.saturating_mul(3)))
    }

    /// Returns the items that are sent of an event, each with its target, or the reason why there are none. A pure
    /// function. Profiles have no `$token` yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be written as JSON.
    pub fn map(&self, event: &Event) -> Result<Mapped<Item>, serde_json::Error> {
        tracklane_http::map_event(event, |json| self.mapping.apply(json, || event.clone()))
    }

    /// The requests that would be sent for `event`, or why there would be none. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used, or the event cannot be written as JSON, which the error calls the
    /// setting `event`.
    pub fn explain(&self, event: impl Into<Event>) -> Result<Explanation, SettingError> {
        let (event, endpoints) = (event.into(), self.endpoints(true)?);
        let names = [&*self.mapping.name, NAME];
        Explanation::of_event(
            &event,
            &names,
            |event| self.map(event),
            |items| {
                let mut requests = Vec::new();
                for turn in Turn::ALL {
                    let those = items.iter().filter(|item| item.turn() == *turn);
                    let written = those.map(|item| serde_json::to_vec(&item.clone().with_token(&self.token)));
                    let written = written.collect::<Result<Vec<_>, _>>()?;
                    if !written.is_empty() {
                        requests.push(ShownRequest::new(endpoints.of(*turn), &payload(&written), &self.secrets()));
                    }
                }
                Ok(requests)
            },
        )
    }

    fn endpoints(&self, offline: bool) -> Result<Endpoints, SettingError> {
        check_name(&self.mapping.name)?;
        check_timeout(self.timeout)?;
        if let Some(problem) = self.token.problem() {
            return Err(SettingError::new("project_token", problem));
        }
        if self.mapping.group_key.trim().is_empty() {
            return Err(SettingError::new("group_key", "is empty: name the key of groups, such as \"company\""));
        }
        let given = self.http_client.clone();
        Endpoints::new(&self.host, self.allow_plaintext, &self.token, self.service_account.as_ref(), given, offline)
    }

    fn secrets(&self) -> Vec<Secret> {
        let account = self.service_account.iter().flat_map(|account| [&account.username, &account.secret]);
        std::iter::once(&self.token).chain(account).cloned().collect()
    }
}

/// Hides the token and the secret.
impl fmt::Debug for Mixpanel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mixpanel").field("mapping", &self.mapping).finish_non_exhaustive()
    }
}
