//! A violation, in the form that Segment writes into `context.protocols`.

use std::fmt;

use serde::{Serialize, Serializer};

/// One thing that is not as planned.
///
/// A violation. As JSON: `{"type": "Required", "field": "properties.total", "description": "properties.total is
/// required"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// The kind of violation.
    #[serde(rename = "type")]
    pub violation_type: ViolationType,
    /// The location: members with dots between them, from the event's root.
    pub field: String,
    /// The description in words. It names what is planned, and never the value.
    pub description: String,
}

/// A kind of violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViolationType {
    /// The event is in no rule.
    UnplannedEvent,
    /// The member is in no rule.
    UnplannedProperty,
    /// A member is missing.
    Required,
    /// A value has another type than it is planned to have.
    InvalidType,
    /// A value is none of those that are planned.
    Enum,
    /// A text does not match its pattern.
    Regex,
    /// A number, text, array or object is too small or too large.
    Range,
    /// A text is not in its format, such as `date-time`.
    Format,
    /// Any other rule of the schema.
    Schema,
}

impl ViolationType {
    /// The name as Segment writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnplannedEvent => "Unplanned Event",
            Self::UnplannedProperty => "Unplanned Property",
            Self::Required => "Required",
            Self::InvalidType => "Invalid Type",
            Self::Enum => "Enum",
            Self::Regex => "Regex",
            Self::Range => "Range",
            Self::Format => "Format",
            Self::Schema => "Schema",
        }
    }
}

impl Violation {
    pub(crate) fn new(violation_type: ViolationType, field: String, problem: impl fmt::Display) -> Self {
        let description = format!("{} {problem}", if field.is_empty() { "the event" } else { &field });
        Self { violation_type, field, description }
    }

    pub(crate) fn unplanned_event(name: &str) -> Self {
        Self {
            violation_type: ViolationType::UnplannedEvent,
            field: "event".to_owned(),
            description: format!("the event {name:?} is not in the tracking plan"),
        }
    }

    pub(crate) fn unplanned_property(field: String) -> Self {
        Self::new(ViolationType::UnplannedProperty, field, "is not in the tracking plan")
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.violation_type, self.description)
    }
}

impl fmt::Display for ViolationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ViolationType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
