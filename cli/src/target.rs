//! The target of events: Segment with a write key, another host, or otherwise a `tracklane dev` on this machine.

use clap::Args;
use serde_json::{Map, Value};
use tracklane::segment::Segment;
use tracklane::{Analytics, Builder, DeliveryError, Settings, signal};

use crate::dev::DEFAULT_PORT;
use crate::exit::Failure;
use crate::explain::explain;
use crate::output;

const LOCAL_KEY: &str = "WRITE_KEY";

/// Options of every command that sends. The library's settings, `TRACKLANE_…`, count as well.
#[derive(Clone, Debug, Args)]
pub(crate) struct Target {
    /// The write key; without one, events go to `tracklane dev` on this machine
    #[arg(long, alias = "writeKey", value_name = "KEY")]
    write_key: Option<String>,
    /// The host, instead of Segment's
    #[arg(long, value_name = "URL")]
    host: Option<String>,
}

impl Target {
    /// The settings, and where a client with them sends in words.
    fn settings(&self) -> Result<(Settings, String), Failure> {
        let usage = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
        let environment = Settings::from_env().map_err(|error| usage(&error))?;
        let mut given = Map::new();
        let host = self.host.clone().or_else(|| variable("TRACKLANE_HOST"));
        let host = if self.has_key() { host } else { host.or_else(|| Some(local_url())) };
        if let Some(host) = &host {
            given.insert("host".to_owned(), host.as_str().into());
        }
        if let Some(key) = self.write_key.as_deref().or((!self.has_key()).then_some(LOCAL_KEY)) {
            given.insert("write_key".to_owned(), key.into());
        }
        let given: Settings = serde_json::from_value(Value::Object(given)).map_err(|error| usage(&error))?;
        Ok((given.or(environment), host.unwrap_or_else(|| "Segment".to_owned())))
    }

    /// The builder of a client, and where it sends in words.
    pub(crate) fn builder(&self) -> Result<(Builder, String), Failure> {
        let (settings, shown) = self.settings()?;
        Ok((settings.into_builder().map_err(|error| Failure::usage(error.to_string()))?, shown))
    }

    /// Returns whether a write key or a host was given, here or in the environment.
    pub(crate) fn is_named(&self) -> bool {
        self.has_key() || self.host.is_some() || variable("TRACKLANE_HOST").is_some()
    }

    /// Returns whether a write key was given, here or in the environment.
    pub(crate) fn has_key(&self) -> bool {
        self.write_key.is_some() || variable("TRACKLANE_WRITE_KEY").is_some()
    }

    /// A client for events that this command makes, with these changes to how it sends.
    pub(crate) fn client(&self, change: impl FnOnce(Segment) -> Segment) -> Result<(Analytics, String), Failure> {
        self.client_of(|builder| builder, change)
    }

    /// A client for events that others have made: it adds nothing to them.
    pub(crate) fn relay(&self, change: impl FnOnce(Segment) -> Segment) -> Result<(Analytics, String), Failure> {
        self.client_of(Builder::without_library, change)
    }

    fn client_of(
        &self,
        prepare: impl FnOnce(Builder) -> Builder,
        change: impl FnOnce(Segment) -> Segment,
    ) -> Result<(Analytics, String), Failure> {
        let (settings, shown) = self.settings()?;
        let target = shown.clone();
        let client = settings
            .segment()
            .map(change)
            .and_then(|segment| {
                let builder = prepare(settings.into_builder()?).segment(segment);
                builder.on(signal::Error, move |failure| say_retry(failure, &target)).build()
            })
            .map_err(|error| Failure::usage(error.to_string()))?;
        Ok((client, shown))
    }
}

/// Says that something is tried again, so that nobody waits for it in silence.
fn say_retry(failure: &signal::Failure, target: &str) {
    let error = failure.error.as_deref().and_then(|error| error.downcast_ref::<DeliveryError>());
    if let Some(error) = error.filter(|_| failure.retried) {
        output::note(&format!("tracklane: {}; it is tried again", explain(error, target)));
    }
}

fn local_url() -> String {
    format!("http://127.0.0.1:{DEFAULT_PORT}")
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
