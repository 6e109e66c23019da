//! A tracking plan that was read and can be used.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};
use tracklane::{Event, Kind};

use crate::error::PlanError;
use crate::format::{self, RuleSource, Scope, Source, stranger};
use crate::rule::{Rule, section_of};
use crate::schema::{Compiled, Found, Schema};
use crate::violation::Violation;

/// A tracking plan: the events that there are, and the schema of each.
///
/// ```
/// use tracklane::Track;
/// use tracklane_plan::Plan;
///
/// let plan = Plan::parse(
///     r#"{"name": "Shop", "rules": [{"type": "TRACK", "key": "Order Completed", "jsonSchema": {
///         "type": "object",
///         "properties": {"properties": {"type": "object", "required": ["total"]}}
///     }}]}"#,
/// )?;
/// let violations = plan.violations(&Track::new("Order Completed").user_id("u1").into());
/// assert_eq!(violations[0].to_string(), "Required: properties.total is required");
/// # Ok::<(), tracklane_plan::PlanError>(())
/// ```
#[derive(Debug)]
pub struct Plan {
    name: String,
    id: Option<String>,
    compiled: Compiled,
    /// The rules by kind and name. The versions of one event are sorted.
    rules: HashMap<Kind, HashMap<String, Vec<Rule>>>,
    /// The rules of every call.
    common: Vec<Rule>,
}

impl Plan {
    /// Reads a file in Segment's formats or Avo's, or a folder of JSON Schemas.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read or used. The error names the file and the rule.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PlanError> {
        let path = path.as_ref();
        Self::compile(format::read(path)?, &path.display().to_string())
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    ///
    /// Like [`read`](Self::read). Errors call the file `text`.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        Self::compile(format::parse(text, "text")?, "text")
    }

    fn compile(source: Source, from: &str) -> Result<Self, PlanError> {
        let failed = |at: usize, problem: String| {
            let rule = source.rules.get(at).map(|rule| rule.place.clone()).unwrap_or_default();
            PlanError::Rule { from: from.to_owned(), rule, problem }
        };
        let (compiled, schemas) = Compiled::new(&source.rules).map_err(|(at, problem)| failed(at, problem))?;
        let mut plan = Self { name: String::new(), id: None, compiled, rules: HashMap::new(), common: Vec::new() };
        for (at, (rule, schema)) in source.rules.iter().zip(schemas).enumerate() {
            if let Some(problem) = misplaced(rule) {
                return Err(failed(at, problem));
            }
            if !plan.add(rule, schema) {
                let problem = format!("the plan has version {} of it twice: take one out", rule.version);
                return Err(failed(at, problem));
            }
        }
        (plan.name, plan.id) = (source.name.unwrap_or_else(|| from.to_owned()), source.id);
        Ok(plan)
    }

    /// Returns whether the plan did not have this version of the rule.
    fn add(&mut self, source: &RuleSource, schema: Schema) -> bool {
        let Some(kind) = source.kind else {
            self.common.push(Rule::new(source, schema, None));
            return true;
        };
        let rule = Rule::new(source, schema, Some(section_of(kind)));
        let versions = self.rules.entry(kind).or_default().entry(source.key.clone()).or_default();
        match versions.binary_search_by_key(&rule.version, |other| other.version) {
            Ok(_) => false,
            Err(at) => {
                versions.insert(at, rule);
                true
            }
        }
    }

    /// Its name; that of the file if it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The planned events: the kind of call, and the name, which is empty for a rule of all calls of the kind. Sorted.
    #[must_use]
    pub fn events(&self) -> Vec<(Kind, &str)> {
        let mut events: Vec<(Kind, &str)> = Vec::new();
        for (kind, rules) in &self.rules {
            events.extend(rules.keys().map(|name| (*kind, name.as_str())));
        }
        events.sort_by_key(|(kind, name)| (Kind::ALL.iter().position(|one| one == kind), *name));
        events
    }

    /// Returns the violations of the event. Empty if everything is planned.
    #[must_use]
    pub fn violations(&self, event: &Event) -> Vec<Violation> {
        let (kind, section) = (event.kind(), event.section().to_map());
        self.find(kind, &event.name().unwrap_or_default(), self.rule(event), section, &|| whole(event))
    }

    /// Returns the violations of an event that is JSON in Segment's form, whether or not it could be sent. Returns none
    /// for JSON that is not a call.
    #[must_use]
    pub fn violations_in(&self, event: &Value) -> Vec<Violation> {
        let text = |member: &str| event.get(member).and_then(Value::as_str).unwrap_or_default();
        let Some(kind) = Kind::from_name(text("type")) else { return Vec::new() };
        let name = text(if kind == Kind::Track { "event" } else { "name" });
        let section = event.get(section_of(kind)).and_then(Value::as_object).cloned().unwrap_or_default();
        let version = event.pointer("/context/protocols/event_version").and_then(Value::as_u64);
        self.find(kind, name, self.rule_of(kind, name, || version), section, &|| event.clone())
    }

    fn find(
        &self,
        kind: Kind,
        name: &str,
        rule: Option<&Rule>,
        mut section: Map<String, Value>,
        whole: &dyn Fn() -> Value,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        match rule {
            Some(rule) => {
                let field = |path: Vec<String>| format!("{}.{}", section_of(kind), path.join("."));
                let unplanned = rule.unplanned(&section).into_iter();
                violations.extend(unplanned.map(|path| Violation::unplanned_property(field(path))));
            }
            None if kind == Kind::Track => violations.push(Violation::unplanned_event(name)),
            None => {}
        }
        for found in self.check_rules(kind, rule, &mut section, whole) {
            // Found already: a schema with `additionalProperties: false` finds it, too.
            if !violations.iter().any(|violation| violation.field == found.violation.field) {
                violations.push(found.violation);
            }
        }
        violations
    }

    /// Returns the rule of an event, in the version of its `context.protocols.event_version`, otherwise in the oldest
    /// version, like Segment.
    pub(crate) fn rule(&self, event: &Event) -> Option<&Rule> {
        let version = || event.context().get("protocols")?.get("event_version")?.as_u64();
        self.rule_of(event.kind(), &event.name().unwrap_or_default(), version)
    }

    fn rule_of(&self, kind: Kind, name: &str, version: impl FnOnce() -> Option<u64>) -> Option<&Rule> {
        let of_kind = self.rules.get(&kind)?;
        let versions = of_kind.get(name).or_else(|| of_kind.get("").filter(|_| kind != Kind::Track))?;
        let [oldest, _, ..] = versions.as_slice() else { return versions.first() };
        version().and_then(|version| versions.iter().find(|rule| rule.version == version)).or(Some(oldest))
    }

    /// Returns whether it is a track call that the plan does not name.
    pub(crate) fn is_unplanned(&self, event: &Event) -> bool {
        event.kind() == Kind::Track && self.rule(event).is_none()
    }

    /// Returns the violations of the event's schemas. The section stays as it was.
    pub(crate) fn check(&self, event: &Event, section: &mut Map<String, Value>) -> Vec<Found> {
        self.check_rules(event.kind(), self.rule(event), section, &|| whole(event))
    }

    fn check_rules(
        &self,
        kind: Kind,
        rule: Option<&Rule>,
        section: &mut Map<String, Value>,
        whole: &dyn Fn() -> Value,
    ) -> Vec<Found> {
        let rules = rule.into_iter().chain(&self.common);
        rules.flat_map(|rule| rule.check(&self.compiled, kind, section, whole)).collect()
    }
}

/// The problem of a schema that stands for a whole event, and describes only its properties or traits: every event
/// would violate it, or none.
fn misplaced(rule: &RuleSource) -> Option<String> {
    let section = section_of(rule.kind.filter(|_| rule.scope == Scope::Event)?);
    let member = stranger(&rule.schema)?;
    Some(format!(
        "the schema describes {member:?} at the top of the event, where no event has it: write {{\"properties\": \
         {{{section:?}: {{…}}}}}} around it. If your events have it there, name {section:?} beside it"
    ))
}

/// The event as JSON. One that cannot be written cannot be sent either.
fn whole(event: &Event) -> Value {
    serde_json::to_value(event).unwrap_or_default()
}
