//! Checks the settings, and starts a client with them.

use super::{Builder, Carrier};
use crate::analytics::Analytics;
use crate::background::Background;
use crate::clock::Clock;
use crate::emitter::signal::Failure;
use crate::emitter::{Emitter, UnknownSignal};
use crate::error::{SettingsError, SettingsErrors};
use crate::event::{Context, MAX_EVENT_BYTES};
use crate::inspector::Server;
use crate::pipeline::{Limits, Setup};
use crate::plugin::{Overflow, Registration};
use crate::segment::Segment;
use crate::supervise::Watchdog;
use crate::threads;

#[cfg(feature = "metrics")]
const LEAST_METRICS_INTERVAL: std::time::Duration = std::time::Duration::from_millis(1);

impl Builder {
    /// Checks the settings and starts the client.
    ///
    /// # Errors
    ///
    /// Returns an error that names each setting that cannot be used, with its value. Returns an error if the background
    /// thread cannot be started.
    pub fn build(mut self) -> Result<Analytics, SettingsError> {
        let disabled = self.disabled || self.all_disabled;
        self.segment = self.segment.take().map(|segment| segment.disable(disabled));
        self.check()?;
        let (limits, defaults) = (self.limits()?, self.default_context()?);
        let plugins = self.first_plugins()?;
        let remote = self.allow_remote_inspector;
        let inspector = self.inspector.take().map(|url| Server::new(&url, remote)).transpose()?;
        let (background, keep_alive) = match self.carrier {
            Carrier::OwnThread => Background::start("tracklane").map_err(SettingsError::no_thread)?,
            Carrier::Runtime(runtime) => Background::from_handle(runtime),
            Carrier::Driven(sleep) => Background::driven(sleep),
        };
        let clock = match (self.clock, background.tasks()) {
            (Clock::System, Some(tasks)) => Clock::Driven(tasks.timers().clone()),
            (clock, _) => clock,
        };
        let emitter = Emitter::new(background.clone(), clock.clone(), self.map_failure);
        let watchdog = start_watchdog(&emitter, background.has_threads()).map_err(SettingsError::no_thread)?;
        self.subscriptions.into_iter().try_for_each(|subscribe| subscribe(&emitter)).map_err(unknown_signal)?;
        let setup = Setup {
            clock,
            background,
            emitter,
            watchdog,
            limits,
            defaults,
            call_context: self.call_context,
            layers: self.layers,
            plugins,
            inspector,
            #[cfg(feature = "metrics")]
            metrics: self.metrics,
        };
        Ok(Analytics::start(setup.start(), keep_alive))
    }

    /// Checks everything that needs no thread and no HTTP client.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let mut errors = SettingsErrors::default();
        errors.check(self.limits());
        errors.check(self.default_context());
        #[cfg(feature = "metrics")]
        errors.check(self.check_metrics());
        if let Some(segment) = &self.segment {
            errors.check(segment.check());
        }
        for plugin in &self.plugins {
            errors.check(plugin.check());
        }
        if let Some(url) = &self.inspector {
            errors.check(Server::check(url, self.allow_remote_inspector));
        }
        for unknown in &self.unknown_signals {
            errors.add(unknown_signal(unknown.clone()));
        }
        errors.into_result()
    }

    #[cfg(feature = "metrics")]
    fn check_metrics(&self) -> Result<(), SettingsError> {
        match self.metrics {
            Some(interval) if interval < LEAST_METRICS_INTERVAL => {
                Err(SettingsError::new("metrics", interval, "must be at least a millisecond"))
            }
            _ => Ok(()),
        }
    }

    fn limits(&self) -> Result<Limits, SettingsError> {
        if self.max_queue_size == 0 {
            return Err(SettingsError::new("max_queue_size", self.max_queue_size, "must be at least 1"));
        }
        // A larger event would wait for ever for room.
        if self.max_queue_bytes < MAX_EVENT_BYTES {
            let problem = format!("must be at least {MAX_EVENT_BYTES}, the size of one event");
            return Err(SettingsError::new("max_queue_bytes", self.max_queue_bytes, problem));
        }
        Ok(Limits {
            events: self.max_queue_size as u64,
            bytes: self.max_queue_bytes as u64,
            drops_oldest: self.overflow == Overflow::DropOldest,
            all_disabled: self.all_disabled,
        })
    }

    /// Returns the context of every event: that of the settings, and the library that makes the events.
    fn default_context(&self) -> Result<Context, SettingsError> {
        let mut context = self.context.clone();
        if let Err(fault) = context.check() {
            return Err(SettingsError::without_value("context", format!("cannot be sent: {fault}")));
        }
        let mut json = Vec::new();
        context.write_json(&mut json);
        if json.len() >= MAX_EVENT_BYTES {
            let problem = format!("has {} bytes of JSON, and a whole event may have {MAX_EVENT_BYTES}", json.len());
            return Err(SettingsError::without_value("context", problem));
        }
        if self.names_library {
            let library = serde_json::json!({ "name": "tracklane", "version": env!("CARGO_PKG_VERSION") });
            context.merge_under(&Context::new().with("library", library));
        }
        Ok(context)
    }

    /// Returns Segment's destination, if it is wanted, and the plugins of the settings. No two may have one name.
    fn first_plugins(&mut self) -> Result<Vec<Registration>, SettingsError> {
        let segment = self.segment.take().map(Segment::into_destination).transpose()?;
        let mut plugins: Vec<Registration> = segment.into_iter().map(Registration::from).collect();
        for plugin in std::mem::take(&mut self.plugins) {
            if plugins.iter().any(|registered| registered.name() == plugin.name()) {
                return Err(SettingsError::new("plugin", plugin.name(), "is the name of another plugin"));
            }
            plugins.push(plugin);
        }
        Ok(plugins)
    }
}

fn unknown_signal(unknown: UnknownSignal) -> SettingsError {
    SettingsError::without_value("on_name", unknown.to_string())
}

/// Starts the watchdog, which reports as the signal `error`, if it may have a thread.
fn start_watchdog(emitter: &Emitter, has_threads: bool) -> std::io::Result<Watchdog> {
    let emitter = emitter.clone();
    let (watchdog, thread) = Watchdog::new(move |name, message| emitter.fail(Failure::new(name.clone(), message, 0)));
    if has_threads {
        threads::spawn("tracklane-watch", move || thread.run())?;
    }
    Ok(watchdog)
}
