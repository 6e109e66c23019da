//! A partial event that an event is held against.
//!
//! An object matches if it has the members, and perhaps more. Other values must be equal, or fit an operator: `{"$gt":
//! 10}`.

use std::fmt;

use regex_lite::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::InvalidExpectation;

/// A partial event, checked when it is made: see [`Expectation`](super::Expectation).
#[derive(Clone, Debug)]
pub struct Matcher {
    node: Node,
    source: Value,
}

#[derive(Clone, Debug)]
enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Equal(Value),
    Operator(Vec<Operator>),
}

#[derive(Clone, Debug)]
enum Operator {
    Type(String),
    Regex(Regex),
    Greater(f64),
    AtLeast(f64),
    Less(f64),
    AtMost(f64),
    In(Vec<Value>),
    Equal(Value),
    Any,
    Absent,
}

/// The difference of an event from a matcher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// The members' names from the top, joined by dots.
    pub path: String,
    /// What was expected there, in words.
    pub expected: String,
    /// What is there; `None` where there is nothing.
    pub found: Option<Value>,
}

const TYPES: [&str; 6] = ["string", "number", "boolean", "null", "array", "object"];

impl Matcher {
    /// Makes a matcher of a partial event.
    ///
    /// # Errors
    ///
    /// If it is not an object, or has an operator that there is not.
    pub fn new(value: Value) -> Result<Self, InvalidExpectation> {
        let node = match &value {
            Value::Object(members) => object(members.clone()),
            other => Err(format!("a matcher is a partial event, an object, and not {other}")),
        };
        Ok(Self { node: node.map_err(InvalidExpectation::new)?, source: value })
    }

    /// Returns whether the event matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.node.matches(Some(event))
    }

    /// Returns the differences of the event; none if it matches.
    #[must_use]
    pub fn differences(&self, event: &Value) -> Vec<Difference> {
        let mut found = Vec::new();
        self.node.differ(String::new(), Some(event), &mut found);
        found
    }

    /// Returns the partial event that it was made of.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }
}

impl Serialize for Matcher {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn node(value: Value) -> Result<Node, String> {
    match value {
        Value::Object(members) => object(members),
        Value::Array(elements) => Ok(Node::Array(elements.into_iter().map(node).collect::<Result<_, _>>()?)),
        other => Ok(Node::Equal(other)),
    }
}

fn object(members: Map<String, Value>) -> Result<Node, String> {
    if !members.is_empty() && members.keys().all(|name| name.starts_with('$')) {
        let operators = members.into_iter().map(|(name, value)| operator(&name, value));
        return Ok(Node::Operator(operators.collect::<Result<_, _>>()?));
    }
    let members = members.into_iter().map(|(name, value)| Ok((name, node(value)?)));
    Ok(Node::Object(members.collect::<Result<_, String>>()?))
}

fn operator(name: &str, value: Value) -> Result<Operator, String> {
    let number = || value.as_f64().ok_or_else(|| format!("{name} needs a number, not {value}"));
    let text = || value.as_str().ok_or_else(|| format!("{name} needs a string, not {value}"));
    Ok(match name {
        "$gt" => Operator::Greater(number()?),
        "$gte" => Operator::AtLeast(number()?),
        "$lt" => Operator::Less(number()?),
        "$lte" => Operator::AtMost(number()?),
        "$regex" => {
            let pattern = text()?;
            Operator::Regex(Regex::new(pattern).map_err(|error| format!("$regex {pattern:?}: {error}"))?)
        }
        "$type" if TYPES.contains(&text()?) => Operator::Type(text()?.to_owned()),
        "$type" => return Err(format!("$type is one of {}, not {value}", TYPES.join(", "))),
        "$in" => match value {
            Value::Array(values) => Operator::In(values),
            other => return Err(format!("$in needs an array, not {other}")),
        },
        "$eq" => Operator::Equal(value),
        "$any" => Operator::Any,
        "$absent" => Operator::Absent,
        _ => {
            return Err(format!("{name} is no operator: $type, $regex, $gt, $gte, $lt, $lte, $in, $eq, $any, $absent"));
        }
    })
}

impl Node {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Node::Operator(operators) => operators.iter().all(|operator| operator.holds(value)),
            Node::Equal(expected) => value.is_some_and(|value| equal(expected, value)),
            Node::Object(members) => value
                .and_then(Value::as_object)
                .is_some_and(|object| members.iter().all(|(name, node)| node.matches(object.get(name)))),
            Node::Array(elements) => value.and_then(Value::as_array).is_some_and(|array| {
                array.len() == elements.len()
                    && elements.iter().zip(array).all(|(node, value)| node.matches(Some(value)))
            }),
        }
    }

    fn differ(&self, path: String, value: Option<&Value>, found: &mut Vec<Difference>) {
        if self.matches(value) {
            return;
        }
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match (self, value) {
            (Node::Object(members), Some(Value::Object(object))) => {
                for (name, node) in members {
                    node.differ(below(name), object.get(name), found);
                }
            }
            (Node::Array(elements), Some(Value::Array(array))) if elements.len() == array.len() => {
                for (index, (node, value)) in elements.iter().zip(array).enumerate() {
                    node.differ(below(&index.to_string()), Some(value), found);
                }
            }
            _ => found.push(Difference { path, expected: self.to_string(), found: value.cloned() }),
        }
    }
}

impl Operator {
    fn holds(&self, value: Option<&Value>) -> bool {
        let number = |holds: fn(f64, f64) -> bool, bound: f64| {
            value.and_then(Value::as_f64).is_some_and(|value| holds(value, bound))
        };
        match self {
            Operator::Absent => value.is_none(),
            Operator::Any => value.is_some(),
            Operator::Greater(bound) => number(|value, bound| value > bound, *bound),
            Operator::AtLeast(bound) => number(|value, bound| value >= bound, *bound),
            Operator::Less(bound) => number(|value, bound| value < bound, *bound),
            Operator::AtMost(bound) => number(|value, bound| value <= bound, *bound),
            Operator::Regex(regex) => value.and_then(Value::as_str).is_some_and(|text| regex.is_match(text)),
            Operator::In(values) => value.is_some_and(|value| values.iter().any(|one| equal(one, value))),
            Operator::Equal(expected) => value.is_some_and(|value| equal(expected, value)),
            Operator::Type(name) => value.is_some_and(|value| type_name(value) == name),
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// 1 and 1.0 are equal.
fn equal(expected: &Value, value: &Value) -> bool {
    match (expected, value) {
        (Value::Number(expected), Value::Number(value)) => expected == value || expected.as_f64() == value.as_f64(),
        (Value::Array(expected), Value::Array(value)) => {
            expected.len() == value.len() && expected.iter().zip(value).all(|(expected, value)| equal(expected, value))
        }
        (Value::Object(expected), Value::Object(value)) => {
            expected.len() == value.len()
                && expected.iter().all(|(name, expected)| value.get(name).is_some_and(|value| equal(expected, value)))
        }
        _ => expected == value,
    }
}

/// Describes the expectation in words.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Equal(value) => write!(f, "{value}"),
            Node::Object(_) => f.write_str("an object"),
            Node::Array(elements) => write!(f, "an array of {}", elements.len()),
            Node::Operator(operators) => {
                for (index, operator) in operators.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    operator.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operator::Type(name) => write!(f, "of type {name}"),
            Operator::Regex(regex) => write!(f, "matching {regex}"),
            Operator::Greater(bound) => write!(f, "more than {bound}"),
            Operator::AtLeast(bound) => write!(f, "at least {bound}"),
            Operator::Less(bound) => write!(f, "less than {bound}"),
            Operator::AtMost(bound) => write!(f, "at most {bound}"),
            Operator::In(values) => write!(f, "one of {}", Value::Array(values.clone())),
            Operator::Equal(value) => write!(f, "{value}"),
            Operator::Any => f.write_str("anything"),
            Operator::Absent => f.write_str("nothing"),
        }
    }
}
