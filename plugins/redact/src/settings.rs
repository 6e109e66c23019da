//! The same rules as data, for a configuration file.

use std::fmt;

use serde::Deserialize;

use crate::action::Action;
use crate::detect::Detector;
use crate::redact::Redact;

/// Rules as a configuration file has them. An unknown member is an error.
///
/// ```
/// use tracklane_redact::{Redact, RedactSettings};
///
/// let settings: RedactSettings = serde_json::from_str(
///     r#"{
///         "preset": "pii",
///         "hash_key": "at least sixteen random bytes",
///         "paths": [{ "path": "traits.email", "action": "hash" }],
///         "keys": [{ "key": "employer", "action": "drop" }],
///         "values": [{ "detector": "credit_card", "action": { "mask": { "keep_last": 4 } } }],
///         "keep": ["context.device.token"]
///     }"#,
/// )?;
/// let plugin = Redact::from(settings).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RedactSettings {
    /// The preset to begin with.
    pub preset: Preset,
    /// Rules for paths.
    pub paths: Vec<PathRule>,
    /// Rules for keys.
    pub keys: Vec<KeyRule>,
    /// Rules for the values that detectors find.
    pub values: Vec<ValueRule>,
    /// Paths that stay as they are.
    pub keep: Vec<String>,
    /// Paths beside which nothing passes, if there are any.
    pub allow: Vec<String>,
    /// The key of `hash`: at least 16 bytes.
    pub hash_key: Option<String>,
    /// Writes the redacted paths into `context.redacted`.
    pub mark: bool,
    /// Only counts the values that would be redacted.
    pub dry_run: bool,
}

/// The rules that those of a file are added to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Preset {
    /// [`Redact::secrets`].
    #[default]
    Secrets,
    /// [`Redact::pii`].
    Pii,
    /// [`Redact::gdpr_ip`].
    GdprIp,
    /// [`Redact::new`]: no rule.
    None,
}

/// The action at a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRule {
    /// Members and items with dots between them; `*` is any one, `**` any number.
    pub path: String,
    /// The action.
    pub action: Action,
}

/// The action on every member of a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// The name; case and separators do not count.
    pub key: String,
    /// The action.
    pub action: Action,
}

/// The action on values that a detector finds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueRule {
    /// The detector.
    pub detector: Detector,
    /// The action.
    pub action: Action,
}

impl From<RedactSettings> for Redact {
    fn from(settings: RedactSettings) -> Self {
        let mut redact = match settings.preset {
            Preset::Secrets => Redact::secrets(),
            Preset::Pii => Redact::pii(),
            Preset::GdprIp => Redact::gdpr_ip(),
            Preset::None => Redact::new(),
        };
        redact = settings.paths.into_iter().fold(redact, |redact, rule| redact.path(&rule.path, rule.action));
        redact = settings.keys.into_iter().fold(redact, |redact, rule| redact.key(&rule.key, rule.action));
        redact = settings.values.into_iter().fold(redact, |redact, rule| redact.value(rule.detector, rule.action));
        redact = settings.keep.iter().fold(redact, |redact, path| redact.keep(path));
        redact = redact.allow(settings.allow.iter().map(String::as_str));
        if let Some(key) = settings.hash_key {
            redact = redact.hash_key(key);
        }
        redact.mark(settings.mark).dry_run(settings.dry_run)
    }
}

/// Shows all but the hash key.
impl fmt::Debug for RedactSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactSettings")
            .field("preset", &self.preset)
            .field("paths", &self.paths)
            .field("keys", &self.keys)
            .field("values", &self.values)
            .field("keep", &self.keep)
            .field("allow", &self.allow)
            .field("mark", &self.mark)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}
