//! The same settings as data, for a configuration file.

use std::time::Duration;

use serde::Deserialize;
use tracklane_http::Secret;

use crate::mapping::PersonProfiles;
use crate::posthog::{PostHog, Region};

/// [`PostHog`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use tracklane_posthog::{PostHog, PostHogSettings};
///
/// let settings: PostHogSettings = serde_json::from_str(
///     r#"{ "project_key": "phc_key", "region": "eu", "person_profiles": "always", "group_type": "company" }"#,
/// )?;
/// let posthog = PostHog::from(settings);
/// println!("{}", posthog.explain(tracklane::Track::new("Ping").user_id("u1"), std::time::SystemTime::now())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PostHogSettings {
    /// See [`PostHog::new`].
    pub project_key: Secret,
    /// See [`PostHog::name`].
    pub name: Option<String>,
    /// See [`PostHog::region`]. A `host` comes before it.
    pub region: Option<Region>,
    /// See [`PostHog::host`].
    pub host: Option<String>,
    /// See [`PostHog::allow_plaintext`].
    pub allow_plaintext: Option<bool>,
    /// See [`PostHog::person_profiles`].
    pub person_profiles: Option<PersonProfiles>,
    /// See [`PostHog::group_type`].
    pub group_type: Option<String>,
    /// See [`PostHog::groups_from_context`].
    pub groups_from_context: Option<bool>,
    /// See [`PostHog::set_once`].
    #[serde(default)]
    pub set_once: Vec<String>,
    /// See [`PostHog::context_traits`].
    pub context_traits: Option<bool>,
    /// See [`PostHog::merge_dangerously`].
    pub merge_dangerously: Option<bool>,
    /// See [`PostHog::historical`].
    pub historical: Option<bool>,
    /// See [`PostHog::gzip`].
    pub gzip: Option<bool>,
    /// See [`PostHog::timeout`], in seconds.
    pub timeout_seconds: Option<u64>,
    /// See [`PostHog::dry_run`].
    pub dry_run: Option<bool>,
}

impl From<PostHogSettings> for PostHog {
    fn from(settings: PostHogSettings) -> Self {
        let posthog = PostHog::new(settings.project_key).set_once(settings.set_once);
        let posthog = set(posthog, settings.name.as_deref(), PostHog::name);
        let posthog = set(posthog, settings.region, PostHog::region);
        let posthog = set(posthog, settings.host.as_deref(), PostHog::host);
        let posthog = set(posthog, settings.allow_plaintext, PostHog::allow_plaintext);
        let posthog = set(posthog, settings.person_profiles, PostHog::person_profiles);
        let posthog = set(posthog, settings.group_type.as_deref(), PostHog::group_type);
        let posthog = set(posthog, settings.groups_from_context, PostHog::groups_from_context);
        let posthog = set(posthog, settings.context_traits, PostHog::context_traits);
        let posthog = set(posthog, settings.merge_dangerously, PostHog::merge_dangerously);
        let posthog = set(posthog, settings.historical, PostHog::historical);
        let posthog = set(posthog, settings.gzip, PostHog::gzip);
        let posthog = set(posthog, settings.timeout_seconds.map(Duration::from_secs), PostHog::timeout);
        set(posthog, settings.dry_run, PostHog::dry_run)
    }
}

fn set<T>(posthog: PostHog, value: Option<T>, setter: impl FnOnce(PostHog, T) -> PostHog) -> PostHog {
    match value {
        Some(value) => setter(posthog, value),
        None => posthog,
    }
}
