//! The plan and the policy, put together for one event.

use serde_json::{Map, Value};
use tracklane::Event;
use tracklane::plugin::Flow;

use crate::members::take_out;
use crate::plan::Plan;
use crate::policy::{Action, Policy};
use crate::report::Report;
use crate::rule::section_of;
use crate::violation::Violation;

/// The findings about one event.
#[derive(Default)]
struct Findings {
    violations: Vec<Violation>,
    omitted: Vec<String>,
    omitted_on_violation: Vec<String>,
    is_blocked: bool,
}

/// Checks events.
pub(crate) struct Check {
    pub(crate) plan: Plan,
    pub(crate) policies: Policies,
    pub(crate) source_id: Option<String>,
    pub(crate) on_violation: Option<std::sync::Arc<OnViolation>>,
    pub(crate) report: Report,
}

pub(crate) type OnViolation = dyn Fn(&Event, &Violation) + Send + Sync;

/// The policy of each kind of call, in the order of `Kind::ALL`.
pub(crate) type Policies = Vec<(tracklane::Kind, Policy)>;

impl Check {
    /// Changes the event as the policy says, and decides whether it goes on.
    pub(crate) fn apply(&self, event: &mut Event) -> Flow {
        let policy = self.policy(event.kind());
        let mut findings = Findings::default();
        if self.plan.is_unplanned(event) {
            let violation = Violation::unplanned_event(&event.name().unwrap_or_default());
            findings.act(policy.unplanned_events, violation);
        }
        self.check_section(event, policy, &mut findings);
        if let Some(on_violation) = &self.on_violation {
            findings.violations.iter().for_each(|violation| on_violation(event, violation));
        }
        let name = event.name().unwrap_or_default().into_owned();
        self.report.note(event.kind(), &name, &findings.violations, findings.is_blocked);
        self.write_protocols(event, &findings);
        self.end(&findings)
    }

    fn policy(&self, kind: tracklane::Kind) -> Policy {
        self.policies.iter().find(|(of, _)| *of == kind).map(|(_, policy)| *policy).unwrap_or_default()
    }

    /// Unplanned members come first, because omitted members cannot violate anything.
    fn check_section(&self, event: &mut Event, policy: Policy, findings: &mut Findings) {
        let mut section = event.section().to_map();
        let mut is_edited = false;
        let unplanned = self.plan.rule(event).map(|rule| rule.unplanned(&section)).unwrap_or_default();
        for path in &unplanned {
            let field = field(event, path);
            if policy.unplanned_properties == Action::Omit && take_out(&mut section, path).is_some() {
                findings.omitted.push(field.clone());
                is_edited = true;
            }
            findings.act(policy.unplanned_properties, Violation::unplanned_property(field));
        }
        for found in self.plan.check(event, &mut section) {
            // Found already: a schema with `additionalProperties: false` finds it, too.
            if findings.violations.iter().any(|violation| violation.field == found.violation.field) {
                continue;
            }
            let is_there = found.location.first().is_some_and(|member| member == section_of(event.kind()));
            let path = found.location.get(1..).filter(|_| is_there && policy.violations == Action::Omit);
            if let Some(taken) = path.and_then(|path| take_out(&mut section, path)) {
                findings.omitted_on_violation.push(self::field(event, taken));
                is_edited = true;
            }
            findings.act(policy.violations, found.violation);
        }
        if is_edited {
            *event.section_mut().as_map_mut() = section;
        }
    }

    /// Writes `context.protocols` in Segment's form, also for the quarantine. Other members of the call's own stay.
    fn write_protocols(&self, event: &mut Event, findings: &Findings) {
        if findings.violations.is_empty() && findings.omitted.is_empty() {
            return;
        }
        let mut protocols = match event.context().get("protocols") {
            Some(Value::Object(protocols)) => protocols,
            _ => Map::new(),
        };
        if let Some(id) = &self.source_id {
            protocols.insert("sourceId".to_owned(), id.clone().into());
        }
        let lists = [("omitted", &findings.omitted), ("omitted_on_violation", &findings.omitted_on_violation)];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            protocols.insert(name.to_owned(), list.clone().into());
        }
        if let Ok(violations) = serde_json::to_value(&findings.violations) {
            protocols.insert("violations".to_owned(), violations);
        }
        event.context_mut().insert("protocols", protocols);
    }

    fn end(&self, findings: &Findings) -> Flow {
        if !findings.is_blocked {
            return Flow::Continue;
        }
        let first = findings.violations.first().map(Violation::to_string).unwrap_or_default();
        Flow::drop(format!("the tracking plan {:?} blocks it: {first}", self.plan.name()))
    }
}

impl Findings {
    fn act(&mut self, action: Action, violation: Violation) {
        if action == Action::Allow {
            return;
        }
        self.is_blocked |= action == Action::Block;
        self.violations.push(violation);
    }
}

fn field(event: &Event, path: &[String]) -> String {
    format!("{}.{}", section_of(event.kind()), path.join("."))
}
