//! Plugins and destinations by the names that a configuration file calls them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tracklane::plugin::{Destination, Registration};
use tracklane::{BoxError, SettingsError, text_with_causes};
use tracklane_http::SettingError;

use crate::config::{ConfigError, ConfigErrors, PluginTable, there_is_no};

type Make<T> = Arc<dyn Fn(&PluginTable) -> Result<T, ConfigError> + Send + Sync>;

/// What a configuration file can name. [`stock`](Self::stock) has the companions of tracklane; a program adds its own.
///
/// ```
/// use tracklane::plugin::enrichment_fn;
/// use tracklane::{Context, Event};
/// use tracklane_gateway::Catalog;
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Team {
///     name: String,
/// }
///
/// let catalog = Catalog::stock().plugin("team", |settings: Team| {
///     let context = Context::new().with("team", &settings.name);
///     let team = enrichment_fn("team", move |event: &mut Event| event.add_context(&context));
///     Ok::<_, std::convert::Infallible>(team)
/// });
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Catalog {
    plugins: BTreeMap<String, Make<Registration>>,
    destinations: BTreeMap<String, Make<Destination>>,
}

impl Catalog {
    /// Adds a before or enrichment plugin under a name. `make` gets what stands in the file as `settings`. Give `S`
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt setting is an error.
    pub fn plugin<S, E>(
        mut self,
        name: &str,
        make: impl Fn(S) -> Result<Registration, E> + Send + Sync + 'static,
    ) -> Self
    where
        S: DeserializeOwned,
        E: Into<BoxError>,
    {
        self.plugins.insert(name.to_owned(), made_of(make));
        self
    }

    /// Adds a destination under a name, likewise. Two that are used in one pipeline must have different
    /// [names](Destination::name).
    pub fn destination<S, E>(
        mut self,
        name: &str,
        make: impl Fn(S) -> Result<Destination, E> + Send + Sync + 'static,
    ) -> Self
    where
        S: DeserializeOwned,
        E: Into<BoxError>,
    {
        self.destinations.insert(name.to_owned(), made_of(make));
        self
    }

    pub(crate) fn make_plugin(&self, name: &str, table: &PluginTable) -> Result<Registration, ConfigError> {
        make(&self.plugins, "plugin", name, table)
    }

    pub(crate) fn make_destination(&self, name: &str, table: &PluginTable) -> Result<Destination, ConfigError> {
        make(&self.destinations, "destination", name, table)
    }
}

fn make<T>(known: &BTreeMap<String, Make<T>>, kind: &str, name: &str, table: &PluginTable) -> Result<T, ConfigError> {
    let Some(make) = known.get(name) else {
        return Err(table.error(there_is_no(kind, name, known.keys().map(String::as_str))));
    };
    make(table)
}

fn made_of<S, T, E>(make: impl Fn(S) -> Result<T, E> + Send + Sync + 'static) -> Make<T>
where
    S: DeserializeOwned,
    E: Into<BoxError>,
{
    Arc::new(move |table| make(table.settings()?).map_err(|error| error_of(table, error.into())))
}

/// Returns the error of the plugin of this table, with a line for each of its wrong settings.
fn error_of(table: &PluginTable, error: BoxError) -> ConfigError {
    let mut several = ConfigErrors::default();
    let settings = error.downcast_ref::<SettingsError>().filter(|error| error.errors().nth(1).is_some());
    for error in settings.into_iter().flat_map(SettingsError::errors) {
        several.add(table.error_of(Some(error.setting()), text_with_causes(error)));
    }
    several.or(()).err().unwrap_or_else(|| table.error_of(setting(&error), text_with_causes(&*error)).because(error))
}

/// The setting that an error names.
fn setting(error: &BoxError) -> Option<&str> {
    let of_companion = error.downcast_ref::<SettingError>().map(|error| error.setting);
    of_companion.or_else(|| error.downcast_ref::<SettingsError>().map(SettingsError::setting))
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plugins, destinations) = (self.plugins.keys(), self.destinations.keys());
        f.debug_struct("Catalog")
            .field("plugins", &plugins.collect::<Vec<_>>())
            .field("destinations", &destinations.collect::<Vec<_>>())
            .finish()
    }
}
