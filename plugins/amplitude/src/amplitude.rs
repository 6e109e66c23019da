//! The settings, as a builder, and the destination that they make.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tracklane::Event;
use tracklane::plugin::{Batching, Destination};
use tracklane::transport::HttpClient;
use tracklane_http::{
    Client, Endpoint, Explanation, Mapped, Secret, SettingError, ShownRequest, check_name, check_timeout,
};

use crate::body;
use crate::mapping::{ACTIONS, Item, Mapping, NAME, Products, Target};
use crate::service::{AmplitudeService, Clients, Shared};

/// The region where a project keeps its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Region {
    /// `https://api2.amplitude.com`
    #[default]
    Us,
    /// `https://api.eu.amplitude.com`
    Eu,
}

impl Region {
    fn host(self) -> &'static str {
        match self {
            Self::Us => "https://api2.amplitude.com",
            Self::Eu => "https://api.eu.amplitude.com",
        }
    }
}

/// An Amplitude project as a destination.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_amplitude::Amplitude;
///
/// let analytics = Analytics::builder().plugin(Amplitude::new("AMPLITUDE_API_KEY").build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`build`](Self::build) gives a [`Destination`], whose methods set the rest: batching, retries, the queue.
#[derive(Clone)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct Amplitude {
    key: Secret,
    host: String,
    allow_plaintext: bool,
    gzip: bool,
    timeout: Duration,
    dry_run: bool,
    http_client: Option<HttpClient>,
    mapping: Mapping,
}

impl Amplitude {
    /// Sends to the project with that API key.
    pub fn new(api_key: impl Into<Secret>) -> Self {
        Self {
            key: api_key.into(),
            host: Region::Us.host().to_owned(),
            allow_plaintext: false,
            gzip: false,
            timeout: Duration::from_secs(20),
            dry_run: false,
            http_client: None,
            mapping: Mapping::default(),
        }
    }

    /// The name of the destination, for `integrations`. `Amplitude` by default; `Actions Amplitude`, as Segment calls one
    /// of its own, selects it as well.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.mapping.name);
        self
    }

    /// Sets the region where the project keeps its data, the US by default.
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

    /// Sets the type of groups. A group call with a type of its own (`groupType` in its traits) overrides it. `group` by
    /// default.
    pub fn group_type(mut self, group_type: &str) -> Self {
        group_type.clone_into(&mut self.mapping.group_type);
        self
    }

    /// Sets whether events belong to the group that `context.groupId` names. On by default.
    pub fn groups_from_context(mut self, from_context: bool) -> Self {
        self.mapping.groups_from_context = from_context;
        self
    }

    /// Traits that are set once and not changed later, such as `createdAt`.
    pub fn set_once(mut self, traits: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.mapping.set_once = traits.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what happens to an order's products. They stay in its event by default.
    pub fn products(mut self, products: Products) -> Self {
        self.mapping.products = products;
        self
    }

    /// Sets whether an alias maps the previous id to the new one by the endpoint `/usermap`, which is an add-on that
    /// must be paid for. Off by default, and an alias is skipped.
    pub fn user_mapping(mut self, maps: bool) -> Self {
        self.mapping.user_mapping = maps;
        self
    }

    /// Sets whether bodies are compressed. Off by default: Amplitude documents it for its own hosts only.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sets how long an attempt may take, 20 s by default.
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
    /// use tracklane_amplitude::Amplitude;
    ///
    /// let amplitude = Amplitude::new("AMPLITUDE_API_KEY").map_event(|_, item| {
    ///     item.body["event_properties"]["source"] = "server".into();
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
    /// Returns an error if a setting cannot be used. The error names it, and does not show the key.
    pub fn build(self) -> Result<Destination, SettingError> {
        let clients = self.clients(self.dry_run)?;
        let (name, timeout) = (self.mapping.name.clone(), self.timeout);
        let shared = Shared { key: self.key, mapping: self.mapping, gzip: self.gzip, dry_run: self.dry_run };
        let service = AmplitudeService { clients, shared: Arc::new(shared) };
        Ok(Destination::new(&name, service)
            .alias(NAME)
            .alias(ACTIONS)
            .batching(Batching::every(100, Duration::from_secs(5)).max_events(1_000).full_when_driven())
            .attempt_timeout(timeout))
    }

    /// Returns the items that are sent of an event, each with its target, or the reason why there are none. A pure
    /// function.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be written as JSON.
    pub fn map(&self, event: &Event) -> Result<Mapped<Item>, serde_json::Error> {
        tracklane_http::map_event(event, |json| self.mapping.apply(json, || event.clone()))
    }

    /// The requests that would be sent for `event` at the time `at`, or why there would be none. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used, or the event cannot be written as JSON, which the error calls the
    /// setting `event`.
    pub fn explain(&self, event: impl Into<Event>, at: SystemTime) -> Result<Explanation, SettingError> {
        let (event, clients) = (event.into(), self.clients(true)?);
        let names = [&*self.mapping.name, NAME, ACTIONS];
        Explanation::of_event(
            &event,
            &names,
            |event| self.map(event),
            |items| {
                let mut requests = Vec::new();
                for target in Target::ALL {
                    let those = items.iter().filter(|item| item.target == *target);
                    let written = those.map(|item| serde_json::to_vec(&item.body)).collect::<Result<Vec<_>, _>>()?;
                    if !written.is_empty() {
                        let payload = body::of(*target, &self.key, at, &written);
                        requests.push(ShownRequest::new(clients.of(*target), &payload, [&self.key]));
                    }
                }
                Ok(requests)
            },
        )
    }

    /// A client that sends nothing needs no TLS.
    fn clients(&self, offline: bool) -> Result<Clients, SettingError> {
        check_name(&self.mapping.name)?;
        check_timeout(self.timeout)?;
        if let Some(problem) = self.key.problem() {
            return Err(SettingError::new("api_key", problem));
        }
        if self.mapping.group_type.trim().is_empty() {
            return Err(SettingError::new("group_type", "is empty: name a type, such as \"company\""));
        }
        let client = |path: &str| {
            let endpoint = Endpoint::at_host("host", &self.host, path, self.allow_plaintext)?;
            if offline { Client::offline(endpoint) } else { Client::new(endpoint, self.http_client.clone()) }
        };
        Ok(Clients { events: client("/batch")?, user_mapping: client("/usermap")? })
    }
}

/// Hides the key.
impl fmt::Debug for Amplitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Amplitude").field("mapping", &self.mapping).finish_non_exhaustive()
    }
}
