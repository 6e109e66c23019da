//! From a file to a checked configuration.
//!
//! The file is read as a tree with the place of each value. `${NAME}` in a text is replaced by that environment
//! variable. Each plugin's own code reads its settings; serde reads everything else.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::checks;
use super::error::ConfigError;
use super::file::{Environment, File};
use super::schema::{Config, PipelineConfig};

/// A configuration, and the settings of its plugins.
pub(crate) struct Read {
    /// The text of the file.
    pub(crate) text: String,
    pub(crate) config: Config,
    pub(crate) pipelines: BTreeMap<String, PipelineTables>,
}

impl fmt::Debug for Read {
    /// Hides the text, which has secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read").field("config", &self.config).field("pipelines", &self.pipelines).finish_non_exhaustive()
    }
}

/// The settings of the plugins of one pipeline, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct PipelineTables {
    pub(crate) plugins: Vec<PluginTable>,
    pub(crate) destinations: Vec<PluginTable>,
    /// The same for the same settings: whether a pipeline has changed.
    pub(crate) fingerprint: u64,
}

/// The settings of one plugin, as they stand in the file.
#[derive(Clone, Debug)]
pub(crate) struct PluginTable {
    file: Arc<File>,
    pipeline: String,
    /// `plugins` or `destinations`.
    list: &'static str,
    index: usize,
}

impl PluginTable {
    /// The settings as that type.
    pub(crate) fn settings<S: DeserializeOwned>(&self) -> Result<S, ConfigError> {
        let mut tree = self.file.tree()?;
        let Some(entry) = self.entry(&mut tree) else { return Err(self.error("it is gone")) };
        let empty = Spanned::new(entry.span(), DeValue::Table(DeTable::new()));
        let settings = match entry.get_mut() {
            DeValue::Table(table) => table.remove("settings").unwrap_or(empty),
            _ => empty,
        };
        S::deserialize(ValueDeserializer::from(settings)).map_err(|error| self.file.error(&error))
    }

    /// Returns the error of a plugin that cannot be made with these settings.
    pub(crate) fn error(&self, problem: impl Into<String>) -> ConfigError {
        self.error_of(None, problem)
    }

    /// The same, because of one of its settings.
    pub(crate) fn error_of(&self, setting: Option<&str>, problem: impl Into<String>) -> ConfigError {
        let span = self.file.tree().ok().and_then(|mut tree| {
            let entry = self.entry(&mut tree)?;
            let whole = entry.span();
            let place = setting.and_then(|name| Some(member(member(entry, "settings")?, name)?.span()));
            Some(place.or_else(|| Some(member(entry, "plugin")?.span())).unwrap_or(whole))
        });
        self.file.problem(span, problem)
    }

    fn entry<'t, 'i>(&self, tree: &'t mut Spanned<DeTable<'i>>) -> Option<&'t mut Spanned<DeValue<'i>>> {
        let pipeline = member(tree.get_mut().get_mut("pipelines")?, &self.pipeline)?;
        match member(pipeline, self.list)?.get_mut() {
            DeValue::Array(entries) => entries.get_mut(self.index),
            _ => None,
        }
    }
}

fn member<'t, 'i>(value: &'t mut Spanned<DeValue<'i>>, name: &str) -> Option<&'t mut Spanned<DeValue<'i>>> {
    match value.get_mut() {
        DeValue::Table(table) => table.get_mut(name),
        _ => None,
    }
}

/// Reads and checks a file.
pub(crate) fn read(path: &Path) -> Result<Read, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::new(path, format!("cannot be read: {error}")).because(error))?;
    parse(path, text, Box::new(|name| std::env::var(name).ok()))
}

/// The configuration that a text is, in an environment.
pub(super) fn parse(path: &Path, text: String, environment: Environment) -> Result<Read, ConfigError> {
    let file = Arc::new(File { path: path.to_owned(), text, environment });
    let mut tree = file.tree()?;
    let fingerprints = fingerprints(&tree);
    cut_settings(&mut tree);
    let whole = tree.clone();
    let config = Config::deserialize(toml::Deserializer::from(tree)).map_err(|error| file.error(&error))?;
    checks::check(&file, whole, &config)?;
    let tables = |(name, pipeline): (&String, &PipelineConfig)| {
        let table = |list, index| PluginTable { file: Arc::clone(&file), pipeline: name.clone(), list, index };
        let tables = PipelineTables {
            plugins: (0..pipeline.plugins.len()).map(|index| table("plugins", index)).collect(),
            destinations: (0..pipeline.destinations.len()).map(|index| table("destinations", index)).collect(),
            fingerprint: fingerprints.get(name).copied().unwrap_or_default(),
        };
        (name.clone(), tables)
    };
    let pipelines = config.pipelines.iter().map(tables).collect();
    Ok(Read { text: file.text.clone(), config, pipelines })
}

/// Returns a fingerprint of each pipeline, from its values alone and not from their places.
fn fingerprints(tree: &Spanned<DeTable<'_>>) -> HashMap<String, u64> {
    let Some(DeValue::Table(pipelines)) = tree.get_ref().get("pipelines").map(Spanned::get_ref) else {
        return HashMap::new();
    };
    let fingerprint = |pipeline: &Spanned<DeValue<'_>>| {
        let value = toml::Value::deserialize(ValueDeserializer::from(pipeline.clone()));
        let mut hasher = DefaultHasher::new();
        format!("{value:?}").hash(&mut hasher);
        hasher.finish()
    };
    pipelines.iter().map(|(name, pipeline)| (name.get_ref().to_string(), fingerprint(pipeline))).collect()
}

/// Removes the parts that only the plugins know.
fn cut_settings(tree: &mut Spanned<DeTable<'_>>) {
    let Some(DeValue::Table(pipelines)) = tree.get_mut().get_mut("pipelines").map(Spanned::get_mut) else { return };
    for (_, pipeline) in pipelines.iter_mut() {
        for list in ["plugins", "destinations"] {
            let Some(DeValue::Array(entries)) = member(pipeline, list).map(Spanned::get_mut) else { continue };
            for entry in entries.iter_mut() {
                if let DeValue::Table(entry) = entry.get_mut() {
                    entry.remove("settings");
                }
            }
        }
    }
}
