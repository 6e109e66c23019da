//! From an event to a row: a pure function.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

/// The stored form of an event: values by column, each as text that PostgreSQL casts to the column's type. Missing
/// values become `NULL`.
///
/// | column | of the event |
/// |---|---|
/// | `message_id`, `type`, `user_id`, `anonymous_id`, `group_id`, `previous_id`, `category`, `timestamp` | the member of that name in camel case |
/// | `event` | `event` of a track call, `name` of a page or screen |
/// | `properties`, `traits`, `context`, `integrations` | the object, as JSON |
/// | `extra` | all other members, as a JSON object |
///
/// `Display` shows a line per column.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Row(BTreeMap<Cow<'static, str>, String>);

/// Columns whose value is the text of a member.
const TEXTS: &[(&str, &str)] = &[
    ("messageId", "message_id"),
    ("type", "type"),
    ("event", "event"),
    ("name", "event"),
    ("category", "category"),
    ("userId", "user_id"),
    ("anonymousId", "anonymous_id"),
    ("groupId", "group_id"),
    ("previousId", "previous_id"),
    ("timestamp", "timestamp"),
];

/// Columns whose value is the JSON of a member.
const SECTIONS: &[&str] = &["properties", "traits", "context", "integrations"];

/// The column of all other members.
const EXTRA: &str = "extra";

impl Row {
    /// The row of an event in Segment's form.
    ///
    /// # Errors
    ///
    /// Returns an error if `json` is not a JSON object.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(json)?;
        let mut row = BTreeMap::new();
        let mut others = BTreeMap::new();
        for (member, value) in members {
            let column = TEXTS.iter().find(|(name, _)| *name == member);
            let section = SECTIONS.iter().find(|name| **name == member);
            match (column, section) {
                // A track call has no `name` and a page no `event`. If there are both, the name is one of the others.
                (Some((_, column)), _) if !row.contains_key(*column) => {
                    if let Some(text) = text(value) {
                        row.insert(Cow::Borrowed(*column), text);
                    }
                }
                (_, Some(section)) => {
                    row.insert(Cow::Borrowed(*section), value.get().to_owned());
                }
                _ => {
                    others.insert(member, value);
                }
            }
        }
        if !others.is_empty() {
            row.insert(Cow::Borrowed(EXTRA), serde_json::to_string(&others)?);
        }
        Ok(Self(row))
    }

    /// The value of a column, as text.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str)
    }

    /// Sets the value of a column, as text that PostgreSQL can cast to the column's type.
    pub fn set(&mut self, column: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.0.insert(column.into(), value.into());
    }

    /// Takes a value away, so that `NULL` is stored.
    pub fn remove(&mut self, column: &str) -> Option<String> {
        self.0.remove(column)
    }

    /// The columns that have a value, and the values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(column, value)| (&**column, value.as_str()))
    }
}

/// Returns the text of a string, the JSON of any other value, and nothing for null.
fn text(value: &RawValue) -> Option<String> {
    match value.get() {
        "null" => None,
        json if json.starts_with('"') => serde_json::from_str(json).ok(),
        json => Some(json.to_owned()),
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|(column, value)| writeln!(f, "{column}: {value}"))
    }
}

/// The columns, and nothing of the event.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}
