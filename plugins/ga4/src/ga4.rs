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

use crate::hits::{self, Hits};
use crate::mapping::{CLOUD, Consent, Hit, Mapping, NAME};
use crate::service::{Ga4Service, Shared};
use crate::stream::Stream;

/// The greatest age of an event: Google moves an older one to another time, or drops it.
const MAX_AGE: Duration = Duration::from_secs(72 * 60 * 60);
/// Events of a batch at most. Each may be a request of its own.
const MOST_EVENTS: usize = 100;

/// The region of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Region {
    /// `https://www.google-analytics.com`
    #[default]
    Global,
    /// `https://region1.google-analytics.com`, in the EU.
    Eu,
}

impl Region {
    fn host(self) -> &'static str {
        match self {
            Self::Global => "https://www.google-analytics.com",
            Self::Eu => "https://region1.google-analytics.com",
        }
    }
}

/// A web stream of a Google Analytics 4 property, or the stream of an app, as a destination.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_ga4::Ga4;
///
/// let analytics = Analytics::builder().plugin(Ga4::new("G-ABC123", "api_secret").build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`build`](Self::build) gives a [`Destination`], whose methods set the rest: batching, retries, the queue.
#[derive(Clone)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct Ga4 {
    stream: Stream,
    secret: Secret,
    host: String,
    allow_plaintext: bool,
    timeout: Duration,
    retry_unknown: bool,
    dry_run: bool,
    http_client: Option<HttpClient>,
    mapping: Mapping,
}

impl Ga4 {
    /// Sends to the web stream with that measurement id (`G-…`), by an API secret of it.
    pub fn new(measurement_id: &str, api_secret: impl Into<Secret>) -> Self {
        Self::with_stream(Stream::Web(measurement_id.to_owned()), api_secret)
    }

    /// Sends to the stream of the app with that Firebase app id (`1:…:android:…`), by an API secret of it.
    ///
    /// Each event needs the `app_instance_id` that Firebase gave to the app on the user's device: in its options
    /// (`integrations["Google Analytics 4"].appInstanceId`), or as the external id of the type `ga4AppInstanceId`. Screen
    /// calls are sent as `screen_view`.
    ///
    /// ```
    /// use serde_json::json;
    /// use tracklane::Track;
    /// use tracklane_ga4::Ga4;
    ///
    /// let ga4 = Ga4::firebase("1:1234567890:android:321abc456def7890", "api_secret");
    /// let options = json!({ "appInstanceId": "0123456789abcdef0123456789abcdef" });
    /// let event = Track::new("Signed Up").user_id("u1").integration("Google Analytics 4", options);
    /// assert!(ga4.explain(event, std::time::SystemTime::now())?.why_not.is_none());
    /// # Ok::<(), tracklane_ga4::SettingError>(())
    /// ```
    pub fn firebase(app_id: &str, api_secret: impl Into<Secret>) -> Self {
        Self::with_stream(Stream::App(app_id.to_owned()), api_secret)
    }

    pub(crate) fn with_stream(stream: Stream, api_secret: impl Into<Secret>) -> Self {
        let mapping = Mapping { is_app: matches!(stream, Stream::App(_)), ..Mapping::default() };
        Self {
            stream,
            secret: api_secret.into(),
            host: Region::Global.host().to_owned(),
            allow_plaintext: false,
            timeout: Duration::from_secs(10),
            retry_unknown: false,
            dry_run: false,
            http_client: None,
            mapping,
        }
    }

    /// The name of the destination, for `integrations`. `Google Analytics 4` by default; `Google Analytics 4 Cloud`, as
    /// Segment calls one of its own, selects it as well.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.mapping.name);
        self
    }

    /// Sets the region of the requests.
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

    /// The currency of events that have a value and name none: three capital letters. Without this such an event goes out
    /// without a value, which Google would not count.
    pub fn currency(mut self, currency: &str) -> Self {
        self.mapping.currency = Some(currency.to_owned());
        self
    }

    /// Sets the traits in the context (`context.traits`) that are sent as user properties, such as `plan`. None by default.
    /// Google's terms forbid data that identifies a person: no names, addresses, e-mail addresses or phone numbers.
    pub fn user_properties(mut self, traits: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.mapping.user_properties = traits.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether users allow that their data is sent to Google for advertising, for events whose options do not say it
    /// (`integrations["Google Analytics 4"].consent.ad_user_data`, `"granted"` or `"denied"`). Nothing is sent by default.
    pub fn ad_user_data(mut self, consent: Consent) -> Self {
        self.mapping.ad_user_data = Some(consent);
        self
    }

    /// Sets whether users allow personalized advertising, for events whose options do not say it
    /// (`consent.ad_personalization`). Nothing is sent by default.
    pub fn ad_personalization(mut self, consent: Consent) -> Self {
        self.mapping.ad_personalization = Some(consent);
        self
    }

    /// Sets whether screen calls are sent to a web stream, as events `Viewed … Screen` with underscores. Off by default: a
    /// web stream knows no screens. To the stream of an app they always are.
    pub fn screens(mut self, send: bool) -> Self {
        self.mapping.screens = send;
        self
    }

    /// Sets whether events are shown in Google's DebugView. Off by default.
    pub fn debug(mut self, debug: bool) -> Self {
        self.mapping.debug = debug;
        self
    }

    /// Sets whether an event is sent again if it is unknown whether Google has counted it: after a timeout, or a broken
    /// connection. It may be counted twice then. A purchase or refund with a `transaction_id` cannot, and is always
    /// sent again. Off by default; then the event is lost.
    pub fn retry_unknown(mut self, retry: bool) -> Self {
        self.retry_unknown = retry;
        self
    }

    /// Sets how long one request may take, 10 s by default.
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

    /// Changes the [`Hit`] of an event, after everything else. The result is not checked again.
    ///
    /// ```
    /// use tracklane_ga4::Ga4;
    ///
    /// let ga4 = Ga4::new("G-ABC123", "secret").map_event(|_, hit| {
    ///     hit.event["params"]["source"] = "server".into();
    /// });
    /// ```
    ///
    /// The value of an order without tax and shipping, as Google wants it, where the event has a `revenue` beside its
    /// `total`:
    ///
    /// ```
    /// use tracklane_ga4::Ga4;
    ///
    /// let ga4 = Ga4::new("G-ABC123", "secret").map_event(|_, hit| {
    ///     let Some(params) = hit.event["params"].as_object_mut() else { return };
    ///     if let Some(revenue) = params.remove("revenue") {
    ///         params.insert("value".to_owned(), revenue);
    ///     }
    /// });
    /// let order = tracklane::Track::new("Order Completed").user_id("u1");
    /// let order = order.property("total", 30).property("revenue", 25);
    /// let explanation = ga4.currency("EUR").explain(order, std::time::SystemTime::now())?;
    /// assert!(explanation.requests[0].body.contains(r#""value":25.0"#));
    /// # Ok::<(), tracklane_ga4::SettingError>(())
    /// ```
    pub fn map_event(mut self, map: impl Fn(&Event, &mut Hit) + Send + Sync + 'static) -> Self {
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
    /// Returns an error if a setting cannot be used. The error names it, and does not show the secret.
    pub fn build(self) -> Result<Destination, SettingError> {
        let client = self.client(self.dry_run)?;
        let name = self.mapping.name.clone();
        let shared = Shared {
            secrets: client.endpoint().secrets().into_iter().chain([self.secret]).collect(),
            mapping: self.mapping,
            timeout: self.timeout,
            retry_unknown: self.retry_unknown,
            dry_run: self.dry_run,
        };
        // Each request has a deadline of its own. What has been counted must not be forgotten because another hangs.
        let requests = u32::try_from(MOST_EVENTS).unwrap_or(u32::MAX);
        let attempt = self.timeout.saturating_mul(requests.saturating_add(1));
        Ok(Destination::new(&name, Ga4Service { client, shared: Arc::new(shared) })
            .alias(NAME)
            .alias(CLOUD)
            .max_age(MAX_AGE)
            .batching(Batching::every(50, Duration::from_secs(5)).max_events(MOST_EVENTS).full_when_driven())
            .attempt_timeout(attempt))
    }

    /// Returns the hit that is sent of an event, or the reason why there is none. A pure function.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be written as JSON.
    pub fn map(&self, event: &Event) -> Result<Mapped<Hit>, serde_json::Error> {
        tracklane_http::map_event(event, |json| self.mapping.apply(json, || event.clone()))
    }

    /// The request that would be sent for `event` at the time `at`, or why there would be none. Its notes say what is
    /// left out or cut before [`map_event`](Self::map_event). Nothing is sent.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used, or the event cannot be written as JSON, which the error calls the
    /// setting `event`.
    pub fn explain(&self, event: impl Into<Event>, at: SystemTime) -> Result<Explanation, SettingError> {
        let (event, client) = (event.into(), self.client(true)?);
        let age = event.timestamp().and_then(|timestamp| at.duration_since(timestamp.into()).ok());
        if age.is_some_and(|age| age > MAX_AGE) {
            return Ok(Explanation::not_sent("it is older than the 72 hours that Google takes events for"));
        }
        let names = [&*self.mapping.name, NAME, CLOUD];
        let mut explanation = Explanation::of_event(
            &event,
            &names,
            |event| self.map(event),
            |hits| {
                let show = |hit: &Hit| {
                    let mut written = Hits::with_capacity(1);
                    written.push_hit(0, hit)?;
                    let written: Vec<_> = written.iter().collect();
                    Ok(ShownRequest::new(&client, &hits::payload(&written), [&self.secret]))
                };
                hits.iter().map(show).collect()
            },
        )?;
        if !explanation.requests.is_empty() {
            let notes = tracklane_http::map_event(&event, |json| Mapped::Items(self.mapping.notes(json)));
            if let Mapped::Items(notes) = notes.map_err(tracklane_http::unwritable)? {
                explanation.notes = notes;
            }
        }
        Ok(explanation)
    }

    /// A client that sends nothing needs no TLS.
    fn client(&self, offline: bool) -> Result<Client, SettingError> {
        check_name(&self.mapping.name)?;
        check_timeout(self.timeout)?;
        let stream = self.stream.query()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let problem = self.secret.problem().or_else(|| {
            let is_plain = self.secret.expose().bytes().all(plain);
            (!is_plain).then_some("has other characters than letters, digits, `-` and `_`: copy it again")
        });
        if let Some(problem) = problem {
            return Err(SettingError::new("api_secret", problem));
        }
        let currency = self.mapping.currency.as_deref();
        if currency.is_some_and(|currency| !crate::mapping::is_currency(currency)) {
            return Err(SettingError::new("currency", "must be three capital letters, such as \"EUR\""));
        }
        if let Some(problem) = crate::mapping::problem_of_properties(&self.mapping.user_properties) {
            return Err(SettingError::new("user_properties", problem));
        }
        let path = format!("/mp/collect?{stream}&api_secret={}", self.secret.expose());
        let endpoint = Endpoint::at_host("host", &self.host, &path, self.allow_plaintext)?;
        if offline { Client::offline(endpoint) } else { Client::new(endpoint, self.http_client.clone()) }
    }
}

/// Hides the secret.
impl fmt::Debug for Ga4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ga4").field("stream", &self.stream).field("mapping", &self.mapping).finish_non_exhaustive()
    }
}
