//! A tracking plan that was read and can be used.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};
use tracklane::{Event, Kind};

use crate::error::PlanError;
use crate::format::{self, RuleSource, Source};
use crate::rule::{Rule, section_of};
use crate::schema::{Compiled, Found, Schema};
use crate::violation::Violation;

/// A tracking plan: which events there are, and what each must be like.
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
    /// By kind, and by name within it; the versions of one event are sorted.
    rules: HashMap<Kind, HashMap<String, Vec<Rule>>>,
    /// Those of every call.
    common: Vec<Rule>,
}

impl Plan {
    /// Reads a file in Segment's formats or Avo's, or a folder of JSON Schemas.
    ///
    /// # Errors
    ///
    /// If it cannot be read or used. The error names the file and the rule.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PlanError> {
        let path = path.as_ref();
        Self::compile(format::read(path)?, &path.display().to_string())
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read). It calls the file `text`.
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
            if !plan.add(rule, schema) {
                let problem = format!("the plan has version {} of it twice: take one out", rule.version);
                return Err(failed(at, problem));
            }
        }
        (plan.name, plan.id) = (source.name.unwrap_or_else(|| from.to_owned()), source.id);
        Ok(plan)
    }

    /// Whether the plan did not have this version of the rule.
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

    /// What in the event is not as planned. Empty if everything is.
    #[must_use]
    pub fn violations(&self, event: &Event) -> Vec<Violation> {
        let section = event.section().to_map();
        let mut violations = Vec::new();
        match self.rule(event) {
            Some(rule) => {
                let field = |path: Vec<String>| format!("{}.{}", section_of(event.kind()), path.join("."));
                violations.extend(
                    rule.unplanned(&section).into_iter().map(|path| Violation::unplanned_property(field(path))),
                );
            }
            None if self.is_unplanned(event) => {
                violations.push(Violation::unplanned_event(&event.name().unwrap_or_default()))
            }
            None => {}
        }
        let found = self.check(event, &mut section.clone());
        for found in found {
            if !violations.iter().any(|violation| violation.field == found.violation.field) {
                violations.push(found.violation);
            }
        }
        violations
    }

    /// The rule of an event, in the version that it asks for by `context.protocols.event_version`, or else in the oldest,
    /// as Segment has it.
    pub(crate) fn rule(&self, event: &Event) -> Option<&Rule> {
        let of_kind = self.rules.get(&event.kind())?;
        let by_name = event.name().and_then(|name| of_kind.get(&*name));
        let versions = by_name.or_else(|| of_kind.get("").filter(|_| event.kind() != Kind::Track))?;
        let [oldest, _, ..] = versions.as_slice() else { return versions.first() };
        let asked = event.context().get("protocols").and_then(|protocols| protocols.get("event_version")?.as_u64());
        asked.and_then(|version| versions.iter().find(|rule| rule.version == version)).or(Some(oldest))
    }

    /// Whether it is a track call that the plan does not name.
    pub(crate) fn is_unplanned(&self, event: &Event) -> bool {
        event.kind() == Kind::Track && self.rule(event).is_none()
    }

    /// What the schemas of the event forbid. The section is given back as it was.
    pub(crate) fn check(&self, event: &Event, section: &mut Map<String, Value>) -> Vec<Found> {
        let rules = self.rule(event).into_iter().chain(&self.common);
        rules.flat_map(|rule| rule.check(&self.compiled, event, section)).collect()
    }
}
