//! The settings, as a builder, and the destination that they make.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;
use tracklane::Event;
use tracklane::plugin::{Batching, Destination};
use tracklane::transport::HttpClient;
use tracklane_http::{
    Client, Endpoint, Explanation, Json, Mapped, Secret, SettingError, ShownRequest, check_name, check_timeout,
};

use crate::mapping::{self, Mapping, NAME, PersonProfiles};
use crate::service::{PostHogService, Shared, body};

/// Bytes of a body that PostHog takes, before compression.
const MAX_BODY_BYTES: usize = 20_000_000;

/// The region where a project is hosted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Region {
    /// `https://us.i.posthog.com`
    #[default]
    Us,
    /// `https://eu.i.posthog.com`
    Eu,
}

impl Region {
    fn host(self) -> &'static str {
        match self {
            Self::Us => "https://us.i.posthog.com",
            Self::Eu => "https://eu.i.posthog.com",
        }
    }
}

/// A PostHog project as a destination.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_posthog::PostHog;
///
/// let analytics = Analytics::builder().plugin(PostHog::new("phc_project_key").build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`build`](Self::build) gives a [`Destination`], whose methods set the rest: batching, retries, the queue.
#[derive(Clone)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct PostHog {
    key: Secret,
    host: String,
    allow_plaintext: bool,
    gzip: bool,
    historical: bool,
    timeout: Duration,
    dry_run: bool,
    http_client: Option<HttpClient>,
    mapping: Mapping,
}

impl PostHog {
    /// Sends to the project with that key (`phc_…`). A personal key (`phx_…`) cannot send events.
    pub fn new(project_key: impl Into<Secret>) -> Self {
        Self {
            key: project_key.into(),
            host: Region::Us.host().to_owned(),
            allow_plaintext: false,
            gzip: true,
            historical: false,
            timeout: Duration::from_secs(10),
            dry_run: false,
            http_client: None,
            mapping: Mapping::default(),
        }
    }

    /// The name of the destination, for `integrations`. `PostHog` by default.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.mapping.name);
        self
    }

    /// Sets the region where the project is hosted, the US by default.
    pub fn region(self, region: Region) -> Self {
        self.host(region.host())
    }

    /// Sets the host of an installation of your own, such as `https://posthog.example`. The addresses of PostHog's own
    /// application are replaced by those of its intake.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Sets whether `http://` is allowed for a host that is not this machine.
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// Sets which events make or change person profiles. Events without are up to four times cheaper, and then
    /// retention, lifecycle and reports on persons know nothing of them. Those of known users, by default.
    pub fn person_profiles(mut self, profiles: PersonProfiles) -> Self {
        self.mapping.person_profiles = profiles;
        self
    }

    /// Sets the type of groups. A group call with a type (`groupType` in its traits or options) overrides it.
    /// `segment_group` by default, as in PostHog's own integration. A project has at most five types.
    pub fn group_type(mut self, group_type: &str) -> Self {
        group_type.clone_into(&mut self.mapping.group_type);
        self
    }

    /// Sets whether events belong to the group that `context.groupId` names. PostHog ties only those events to a group
    /// that say so. On by default.
    pub fn groups_from_context(mut self, from_context: bool) -> Self {
        self.mapping.groups_from_context = from_context;
        self
    }

    /// Traits that are set once and not changed later, such as `createdAt`.
    pub fn set_once(mut self, traits: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.mapping.set_once = traits.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether `context.traits` of events other than identify change the person. Each such event is then billed as
    /// one of an identified person. Off by default.
    pub fn context_traits(mut self, set: bool) -> Self {
        self.mapping.context_traits = set;
        self
    }

    /// Sets whether an alias merges two persons also if both were identified before, which PostHog refuses by default
    /// and cannot undo (`$merge_dangerously`). Off by default.
    pub fn merge_dangerously(mut self, merge: bool) -> Self {
        self.mapping.merge_dangerously = merge;
        self
    }

    /// Sets whether events that are 48 hours old or more are sent as historical, in requests of their own. PostHog
    /// wants backfills so, and live events never. Off by default.
    pub fn historical(mut self, historical: bool) -> Self {
        self.historical = historical;
        self
    }

    /// Sets whether bodies are compressed. On by default.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sets how long an attempt may take, 10 s by default.
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

    /// Changes the item that is sent of an event, after everything else. It has `event`, `distinct_id`, `uuid`,
    /// `timestamp` and `properties`.
    ///
    /// ```
    /// use tracklane_posthog::PostHog;
    ///
    /// let posthog = PostHog::new("phc_key").map_event(|event, item| {
    ///     if event.name().as_deref() == Some("Order Completed") {
    ///         item["event"] = "order_completed".into();
    ///     }
    /// });
    /// ```
    pub fn map_event(mut self, map: impl Fn(&Event, &mut Value) + Send + Sync + 'static) -> Self {
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
    /// Returns an error if a setting cannot be used. The error names it, and does not show the key.
    pub fn build(self) -> Result<Destination, SettingError> {
        self.check()?;
        let client = self.client(self.dry_run)?;
        let (name, timeout) = (self.mapping.name.clone(), self.timeout);
        let mut secrets = client.endpoint().secrets();
        secrets.push(self.key.clone());
        let shared = Shared {
            key: self.key,
            mapping: self.mapping,
            gzip: self.gzip,
            historical: self.historical,
            dry_run: self.dry_run,
            max_body_bytes: MAX_BODY_BYTES,
            secrets,
        };
        let service = PostHogService { client, shared: Arc::new(shared) };
        Ok(Destination::new(&name, service)
            .alias(NAME)
            .batching(Batching::every(100, Duration::from_secs(5)).max_events(1_000).full_when_driven())
            .attempt_timeout(timeout))
    }

    /// Returns the item that is sent of an event, or the reason why there is none. A pure function.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be written as JSON.
    pub fn map(&self, event: &Event) -> Result<Mapped<Value>, serde_json::Error> {
        tracklane_http::map_event(event, |json| self.mapping.apply(json, || event.clone()).map(Value::from))
    }

    /// The request that would be sent for `event` at the time `at`, or why it would not be. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used, or the event cannot be written as JSON, which the error calls the
    /// setting `event`.
    pub fn explain(&self, event: impl Into<Event>, at: SystemTime) -> Result<Explanation, SettingError> {
        self.check()?;
        let (event, client) = (event.into(), self.client(true)?);
        let names = [&*self.mapping.name, NAME];
        Explanation::of_event(
            &event,
            &names,
            |event| self.map(event),
            |items| {
                let written = items.iter().map(serde_json::to_vec).collect::<Result<Vec<_>, _>>()?;
                let first = items.into_iter().next().map(Json::from);
                let is_old = self.historical && first.is_some_and(|item| mapping::is_historical(&item, at));
                let payload = body(&self.key, at, is_old, &written);
                Ok(vec![ShownRequest::new(&client, &payload, [&self.key])])
            },
        )
    }

    fn check(&self) -> Result<(), SettingError> {
        check_name(&self.mapping.name)?;
        check_timeout(self.timeout)?;
        if let Some(problem) = self.key.problem() {
            return Err(SettingError::new("project_key", problem));
        }
        if self.key.expose().starts_with("phx_") {
            let problem = "is a personal key (phx_…), which cannot send events: use the project key (phc_…)";
            return Err(SettingError::new("project_key", problem));
        }
        if self.mapping.group_type.trim().is_empty() {
            return Err(SettingError::new("group_type", "is empty: name a type, such as \"company\""));
        }
        Ok(())
    }

    /// A client that sends nothing needs no TLS.
    fn client(&self, offline: bool) -> Result<Client, SettingError> {
        let host = match self.host.trim().trim_end_matches('/') {
            "https://app.posthog.com" | "https://us.posthog.com" => Region::Us.host(),
            "https://eu.posthog.com" => Region::Eu.host(),
            host => host,
        };
        let query = if self.gzip { "?compression=gzip" } else { "" };
        let endpoint = Endpoint::at_host("host", host, &format!("/batch/{query}"), self.allow_plaintext)?;
        if offline { Client::offline(endpoint) } else { Client::new(endpoint, self.http_client.clone()) }
    }
}

/// Hides the key and the path of the host.
impl fmt::Debug for PostHog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = Endpoint::new("host", &self.host, true);
        f.debug_struct("PostHog")
            .field("host", &endpoint.map_or_else(|_| "…".to_owned(), |endpoint| endpoint.to_string()))
            .field("name", &self.mapping.name)
            .field("mapping", &self.mapping)
            .finish_non_exhaustive()
    }
}
