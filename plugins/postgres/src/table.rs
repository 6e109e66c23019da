//! The table: its name, its columns, and the statement that creates it.

use std::fmt;

use tracklane_http::SettingError;

/// Bytes of a name that PostgreSQL keeps; it cuts off the rest without an error.
const LONGEST: usize = 63;

/// Columns that the table is created with.
const COLUMNS: &[(&str, &str)] = &[
    (MESSAGE_ID, "text PRIMARY KEY"),
    ("type", "text NOT NULL"),
    ("event", "text"),
    ("category", "text"),
    ("user_id", "text"),
    ("anonymous_id", "text"),
    ("group_id", "text"),
    ("previous_id", "text"),
    ("timestamp", "timestamptz NOT NULL"),
    ("received_at", "timestamptz NOT NULL DEFAULT now()"),
    ("properties", "jsonb"),
    ("traits", "jsonb"),
    ("context", "jsonb"),
    ("integrations", "jsonb"),
    ("extra", "jsonb"),
];

/// The column without which nothing can be stored once.
pub(crate) const MESSAGE_ID: &str = "message_id";

/// A checked name, with its schema if it was given one. `Display` writes it as SQL has it, in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    schema: Option<String>,
    name: String,
}

impl Table {
    /// Reads `name` or `schema.name`.
    pub(crate) fn new(text: &str) -> Result<Self, SettingError> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, text),
        };
        for part in schema.into_iter().chain([name]) {
            if let Some(problem) = problem(part) {
                return Err(SettingError::new("table", format!("{text:?} {problem}")));
            }
        }
        Ok(Self { schema: schema.map(str::to_owned), name: name.to_owned() })
    }

    /// The statement that creates it, unless it is there.
    pub(crate) fn ddl(&self) -> String {
        let columns: Vec<String> = COLUMNS.iter().map(|(name, kind)| format!("    {} {kind}", quoted(name))).collect();
        format!("CREATE TABLE IF NOT EXISTS {self} (\n{}\n)", columns.join(",\n"))
    }

    /// The columns that an event may fill.
    pub(crate) fn own_columns() -> impl Iterator<Item = &'static str> {
        COLUMNS.iter().map(|(name, _)| *name)
    }
}

fn problem(name: &str) -> Option<String> {
    match name {
        "" => Some("has an empty name: write \"events\" or \"schema.events\"".to_owned()),
        name if name.len() > LONGEST => {
            Some(format!("has a name of {} bytes, and PostgreSQL keeps {LONGEST}: use a shorter one", name.len()))
        }
        name if !name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
            Some("has other letters than letters, digits and _: write \"events\" or \"schema.events\"".to_owned())
        }
        _ => None,
    }
}

/// A name as SQL has it, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quoted(schema))?;
        }
        f.write_str(&quoted(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_what_is_none_is_refused() {
        for (text, expected) in [
            ("events", "\"events\""),
            ("Analytics.Events_1", "\"Analytics\".\"Events_1\""),
            ("ereignisse_für_ü", "\"ereignisse_für_ü\""),
        ] {
            assert_eq!(Table::new(text).unwrap().to_string(), expected);
        }
        let long = "x".repeat(LONGEST + 1);
        for (text, problem) in [
            ("", "empty name"),
            (".events", "empty name"),
            ("events.", "empty name"),
            ("a.b.c", "other letters"),
            ("events; drop table users", "other letters"),
            ("ev\"ents", "other letters"),
            ("ev\0ents", "other letters"),
            (&long, "64 bytes"),
        ] {
            let error = Table::new(text).unwrap_err().to_string();
            assert!(error.starts_with("setting table: ") && error.contains(problem), "{text:?}: {error}");
        }
    }
}
