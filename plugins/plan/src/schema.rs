//! A compiled JSON Schema, and the violations of a value.

use std::fmt;

use boon::{CompileError, Compiler, Draft, ErrorKind, InstanceToken, SchemaIndex, Schemas, ValidationError};
use serde_json::Value;

use crate::format::RuleSource;
use crate::violation::{Violation, ViolationType};

/// All schemas of a plan.
pub(crate) struct Compiled {
    schemas: Schemas,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema(SchemaIndex);

/// A violation, and its location: a list of members and indices.
pub(crate) struct Found {
    pub(crate) location: Vec<String>,
    pub(crate) violation: Violation,
}

impl Compiled {
    /// Compiles the schemas of all rules, in their order. A schema without a draft is of draft 7, like Segment's. It
    /// may refer to others of the plan, and to none from elsewhere. If one cannot be used, returns its number and the
    /// reason.
    pub(crate) fn new(rules: &[RuleSource]) -> Result<(Self, Vec<Schema>), (usize, String)> {
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V7);
        compiler.use_loader(Box::new(Nowhere));
        for (at, rule) in rules.iter().enumerate() {
            compiler.add_resource(&rule.url, rule.schema.clone()).map_err(|error| (at, told(&error)))?;
        }
        let mut schemas = Schemas::new();
        let compile = |(at, rule): (usize, &RuleSource)| {
            let index = compiler.compile(&rule.url, &mut schemas).map_err(|error| (at, told(&error)))?;
            Ok(Schema(index))
        };
        let compiled = rules.iter().enumerate().map(compile).collect::<Result<_, _>>()?;
        Ok((Self { schemas }, compiled))
    }

    /// Returns all violations in `value`. Fields are named below `prefix`.
    pub(crate) fn check(&self, schema: Schema, value: &Value, prefix: &str, found: &mut Vec<Found>) {
        if let Err(error) = self.schemas.validate(value, schema.0) {
            collect(&error, prefix, found);
        }
    }
}

/// An error of a schema in one line.
fn told(error: &CompileError) -> String {
    let text = match error {
        CompileError::LoadUrlError { url, .. } => format!("it names the schema {url}, which is not in the plan"),
        error => format!("the schema cannot be used: {error:#}"),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Loads nothing while a plan is compiled, neither from disk nor from the network.
struct Nowhere;

impl boon::UrlLoader for Nowhere {
    fn load(&self, _: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err("it is not in the plan".into())
    }
}

/// The leaves of the tree of errors. What has alternatives is one error, and not those of each alternative.
fn collect(error: &ValidationError<'_, '_>, prefix: &str, found: &mut Vec<Found>) {
    let whole = matches!(
        error.kind,
        ErrorKind::AnyOf | ErrorKind::OneOf(_) | ErrorKind::Not | ErrorKind::Contains | ErrorKind::PropertyName { .. }
    );
    if !whole && !error.causes.is_empty() {
        error.causes.iter().for_each(|cause| collect(cause, prefix, found));
        return;
    }
    let location: Vec<String> = error.instance_location.tokens.iter().map(step).collect();
    let field = |below: Option<&str>| {
        let parts = [prefix].into_iter().chain(location.iter().map(String::as_str)).chain(below);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    };
    let mut push = |below: Option<&str>, violation_type, problem: &dyn fmt::Display| {
        let violation = Violation::new(violation_type, field(below), problem);
        let location = location.iter().cloned().chain(below.map(str::to_owned)).collect();
        found.push(Found { location, violation });
    };
    match &error.kind {
        ErrorKind::Required { want } => {
            want.iter().for_each(|name| push(Some(name), ViolationType::Required, &"is required"));
        }
        ErrorKind::AdditionalProperties { got } => {
            got.iter()
                .for_each(|name| push(Some(name), ViolationType::UnplannedProperty, &"is not in the tracking plan"));
        }
        kind => {
            let (violation_type, problem) = describe(kind);
            push(None, violation_type, &problem);
        }
    }
}

fn step(token: &InstanceToken<'_>) -> String {
    match token {
        InstanceToken::Prop(name) => name.clone().into_owned(),
        InstanceToken::Item(at) => at.to_string(),
    }
}

/// Returns the kind of violation and its description, without the value.
fn describe(kind: &ErrorKind<'_, '_>) -> (ViolationType, String) {
    use ViolationType::{Enum, Format, InvalidType, Range, Regex, Schema};
    match kind {
        ErrorKind::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|want| want.to_string()).collect();
            (InvalidType, format!("has an invalid type. Expected: {}, given: {got}", want.join(" or ")))
        }
        ErrorKind::Enum { want } => {
            let want: Vec<String> = want.iter().map(Value::to_string).collect();
            (Enum, format!("must be one of: {}", want.join(", ")))
        }
        ErrorKind::Const { want } => (Enum, format!("must be {want}")),
        ErrorKind::Pattern { want, .. } => (Regex, format!("does not match the pattern {want:?}")),
        ErrorKind::Format { want, .. } => (Format, format!("is no {want}")),
        ErrorKind::Minimum { want, .. } => (Range, format!("must be at least {want}")),
        ErrorKind::Maximum { want, .. } => (Range, format!("must be at most {want}")),
        ErrorKind::ExclusiveMinimum { want, .. } => (Range, format!("must be more than {want}")),
        ErrorKind::ExclusiveMaximum { want, .. } => (Range, format!("must be less than {want}")),
        ErrorKind::MultipleOf { want, .. } => (Range, format!("must be a multiple of {want}")),
        ErrorKind::MinLength { want, .. } => (Range, format!("must have at least {want} characters")),
        ErrorKind::MaxLength { want, .. } => (Range, format!("must have at most {want} characters")),
        ErrorKind::MinItems { want, .. } => (Range, format!("must have at least {want} elements")),
        ErrorKind::MaxItems { want, .. } => (Range, format!("must have at most {want} elements")),
        ErrorKind::MinProperties { want, .. } => (Range, format!("must have at least {want} members")),
        ErrorKind::MaxProperties { want, .. } => (Range, format!("must have at most {want} members")),
        ErrorKind::UniqueItems { .. } => (Schema, "has an element twice".to_owned()),
        ErrorKind::Dependency { missing, .. } | ErrorKind::DependentRequired { missing, .. } => {
            (ViolationType::Required, format!("needs {}, too", missing.join(", ")))
        }
        ErrorKind::AnyOf => (Schema, "matches none of the alternatives (anyOf)".to_owned()),
        ErrorKind::OneOf(None) => (Schema, "matches none of the alternatives (oneOf)".to_owned()),
        ErrorKind::OneOf(Some(_)) => (Schema, "matches more than one of the alternatives (oneOf)".to_owned()),
        ErrorKind::Not => (Schema, "matches what it must not (not)".to_owned()),
        ErrorKind::FalseSchema => (Schema, "must not be there".to_owned()),
        ErrorKind::PropertyName { .. } => (Schema, "has a member whose name is not allowed (propertyNames)".to_owned()),
        _ => (Schema, "is not as its schema says".to_owned()),
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("schemas", &self.schemas.size()).finish()
    }
}
