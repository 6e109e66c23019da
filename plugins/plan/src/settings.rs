//! The same settings as data, for a configuration file.

use std::path::PathBuf;

use serde::Deserialize;
use tracklane::Kind;

use crate::policy::{Action, Policy};
use crate::tracking_plan::TrackingPlan;

/// [`TrackingPlan`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use tracklane_plan::{PlanSettings, TrackingPlan};
///
/// let settings: PlanSettings = serde_json::from_str(
///     r#"{
///         "plan": "tracking-plan.json",
///         "track": { "unplanned_events": "block", "unplanned_properties": "omit", "violations": "flag" },
///         "identify": { "violations": "omit" }
///     }"#,
/// )?;
/// let plan = TrackingPlan::from(settings);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanSettings {
    /// The file or folder. See [`TrackingPlan::new`].
    pub plan: PathBuf,
    /// The policy of track calls. See [`TrackingPlan::policy`].
    #[serde(default)]
    pub track: PolicySettings,
    /// The policy of identify calls.
    #[serde(default)]
    pub identify: PolicySettings,
    /// The policy of group calls.
    #[serde(default)]
    pub group: PolicySettings,
    /// The policy of page calls.
    #[serde(default)]
    pub page: PolicySettings,
    /// The policy of screen calls.
    #[serde(default)]
    pub screen: PolicySettings,
    /// The policy of alias calls.
    #[serde(default)]
    pub alias: PolicySettings,
    /// See [`TrackingPlan::source_id`].
    pub source_id: Option<String>,
    /// See [`TrackingPlan::quarantine`].
    pub quarantine: Option<String>,
}

/// [`Policy`] as a configuration file has it: `allow`, `flag`, `omit` or `block` each, and `flag` by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicySettings {
    /// See [`Policy::unplanned_events`]: of track calls.
    pub unplanned_events: Action,
    /// See [`Policy::unplanned_properties`]; traits are meant, too.
    #[serde(alias = "unplanned_traits")]
    pub unplanned_properties: Action,
    /// See [`Policy::violations`].
    pub violations: Action,
}

impl From<PlanSettings> for TrackingPlan {
    fn from(settings: PlanSettings) -> Self {
        let policies = [
            (Kind::Track, settings.track),
            (Kind::Identify, settings.identify),
            (Kind::Group, settings.group),
            (Kind::Page, settings.page),
            (Kind::Screen, settings.screen),
            (Kind::Alias, settings.alias),
        ];
        let mut plan = policies
            .into_iter()
            .fold(TrackingPlan::new(settings.plan), |plan, (kind, policy)| plan.policy(kind, policy.into()));
        if let Some(id) = settings.source_id {
            plan = plan.source_id(&id);
        }
        match settings.quarantine {
            Some(destination) => plan.quarantine(&destination),
            None => plan,
        }
    }
}

impl From<PolicySettings> for Policy {
    fn from(settings: PolicySettings) -> Self {
        Policy::new()
            .unplanned_events(settings.unplanned_events)
            .unplanned_properties(settings.unplanned_properties)
            .violations(settings.violations)
    }
}
