//! The settings, as a builder, and the plugin that they make.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tracklane::plugin::{Registration, before_fn};
use tracklane::{Event, Kind};

use crate::check::{Check, OnViolation};
use crate::error::PlanError;
use crate::plan::Plan;
use crate::policy::{Action, Policy};
use crate::report::Report;
use crate::violation::Violation;

/// The name of the plugin.
const NAME: &str = "Tracking plan";

/// A tracking plan, and the policies for unplanned data.
///
/// ```no_run
/// use tracklane::{Analytics, Kind};
/// use tracklane_plan::{Action, Policy, TrackingPlan};
///
/// let plan = TrackingPlan::new("tracking-plan.json")
///     .policy(Kind::Track, Policy::new().unplanned_events(Action::Block).unplanned_properties(Action::Omit));
/// let report = plan.report();
/// let analytics = Analytics::builder_for("WRITE_KEY").plugin(plan.build()?).build()?;
/// println!("{report}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a plan does nothing until it is built and registered"]
pub struct TrackingPlan {
    path: PathBuf,
    policies: Vec<(Kind, Policy)>,
    source_id: Option<String>,
    quarantine: Option<String>,
    on_violation: Option<Arc<OnViolation>>,
    report: Report,
}

impl TrackingPlan {
    /// Holds events to the plan in a file, in Segment's formats or Avo's, or in a folder of JSON Schemas. It is read by
    /// [`build`](Self::build).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            policies: Vec::new(),
            source_id: None,
            quarantine: None,
            on_violation: None,
            report: Report::default(),
        }
    }

    /// Sets the policy for calls of a kind. Everything is flagged by default.
    pub fn policy(mut self, kind: Kind, policy: Policy) -> Self {
        self.policies.retain(|(other, _)| *other != kind);
        self.policies.push((kind, policy));
        self
    }

    /// The id that `context.protocols.sourceId` is to say. None by default.
    pub fn source_id(mut self, id: &str) -> Self {
        self.source_id = Some(id.to_owned());
        self
    }

    /// Sends blocked events to the destination of this name, with the violations in `context.protocols`. They still count
    /// as dropped. The destination gets no other events: see [`Registration::quarantine`].
    pub fn quarantine(mut self, destination: &str) -> Self {
        self.quarantine = Some(destination.to_owned());
        self
    }

    /// Calls `listener` with each violation of each event, except for those that the policy allows. It runs in the
    /// pipeline and must not block. In tests it may panic, so that an unplanned event fails the test.
    pub fn on_violation(mut self, listener: impl Fn(&Event, &Violation) + Send + Sync + 'static) -> Self {
        self.on_violation = Some(Arc::new(listener));
        self
    }

    /// Returns the findings of the plugins of these settings so far.
    #[must_use]
    pub fn report(&self) -> Report {
        self.report.clone()
    }

    /// Reads the plan and makes the plugin: a before plugin, so that nothing passes unchecked.
    ///
    /// # Errors
    ///
    /// Returns an error if the plan cannot be read or used, or a policy cannot be held. The error names the file and
    /// the rule.
    pub fn build(&self) -> Result<Registration, PlanError> {
        self.check_settings()?;
        self.policies.iter().try_for_each(|(kind, policy)| check_policy(*kind, *policy))?;
        let check = Check {
            plan: Plan::read(&self.path)?,
            policies: self.policies.clone(),
            source_id: self.source_id.clone(),
            on_violation: self.on_violation.clone(),
            report: self.report.clone(),
        };
        let plugin = before_fn(NAME, move |event: &mut Event| check.apply(event));
        Ok(match &self.quarantine {
            Some(destination) => plugin.quarantine(destination),
            None => plugin,
        })
    }

    fn check_settings(&self) -> Result<(), PlanError> {
        let is_empty = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        let (setting, problem) = match self {
            _ if self.path.as_os_str().is_empty() => ("plan", "is empty: write the path of a file or folder"),
            _ if is_empty(&self.source_id) => ("source_id", "is empty: write the id, or leave the setting out"),
            _ if is_empty(&self.quarantine) => {
                ("quarantine", "is empty: write the name of a destination, or leave the setting out")
            }
            _ => return Ok(()),
        };
        Err(PlanError::Setting { setting, problem })
    }
}

/// Checks that the action on unplanned events is one that can be taken.
fn check_policy(kind: Kind, policy: Policy) -> Result<(), PlanError> {
    let problem = match (policy.unplanned_events, kind) {
        (Action::Allow | Action::Flag, _) | (Action::Block, Kind::Track) => return Ok(()),
        (Action::Omit, Kind::Track) => "unplanned events cannot be omitted from themselves: use allow, flag or block",
        _ => "only track calls have events to plan: set unplanned_events for those, and leave it out here",
    };
    Err(PlanError::Policy { kind, problem })
}

impl fmt::Debug for TrackingPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackingPlan")
            .field("path", &self.path)
            .field("policies", &self.policies)
            .field("source_id", &self.source_id)
            .field("quarantine", &self.quarantine)
            .finish_non_exhaustive()
    }
}
