//! A tracking plan, and the violations of an event as findings. The plan is `tracklane-plan`'s, so that the tool and a
//! service with its plugin agree.

use std::error::Error;
use std::path::Path;

use serde_json::Value;
use tracklane::Kind;
use tracklane_ingest::rules::{Finding, Level};
use tracklane_plan::{Violation, ViolationType};

/// A plan that was read.
#[derive(Debug)]
pub(crate) struct Plan(tracklane_plan::Plan);

impl Plan {
    /// Reads a file or a folder.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        tracklane_plan::Plan::read(path).map(Self).map_err(|error| match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.0.name()
    }

    /// The kind and the name of each planned event; no name for a rule of all calls of a kind.
    pub(crate) fn events(&self) -> Vec<(Kind, &str)> {
        self.0.events()
    }

    /// Finds the violations of the event. Its `type` may be missing, because the path of a request has it, too.
    pub(crate) fn check(&self, kind: Kind, raw: &[u8], findings: &mut Vec<Finding>) {
        let Ok(mut event @ Value::Object(_)) = serde_json::from_slice(raw) else { return };
        event["type"] = kind.as_str().into();
        findings.extend(self.0.violations_in(&event).into_iter().map(finding));
    }
}

fn finding(violation: Violation) -> Finding {
    let rule = match violation.violation_type {
        ViolationType::UnplannedEvent => "not-in-plan",
        _ => "plan-violation",
    };
    let fix = "Send what the plan says, or change the plan.";
    Finding { rule, level: Level::Smell, property: Some(violation.field.into()), message: violation.description, fix }
}
