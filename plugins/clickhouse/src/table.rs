//! The table that rows go into.

use tracklane_http::SettingError;

use crate::row::Sections;

/// Checks the names of the database and the table. A name that ClickHouse would never find is an error of its setting.
pub(crate) fn check(database: &str, table: &str) -> Result<(), SettingError> {
    for (setting, name) in [("database", database), ("table", table)] {
        if let Some(problem) = problem_of_name(name) {
            return Err(SettingError::new(setting, problem));
        }
    }
    match table.split_once('.') {
        Some((before, behind)) => {
            let problem = format!("is {table:?}: write {behind:?}, and the database as database({before:?})");
            Err(SettingError::new("table", problem))
        }
        None => Ok(()),
    }
}

fn problem_of_name(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        return Some("is empty");
    }
    if name.trim() != name {
        return Some("has white space around it");
    }
    let is_quoted = ['`', '"', '\''].into_iter().any(|quote| name.starts_with(quote) && name.ends_with(quote));
    is_quoted.then_some("has quotes around it: leave them out, they are added here")
}

/// The statement that inserts rows, as it is shown. What is sent is the same, with the names beside it.
pub(crate) fn insert(database: &str, table: &str) -> String {
    format!("INSERT INTO {}.{} FORMAT JSONEachRow", quoted(database), quoted(table))
}

/// The statement that creates the table. `message_id` is in its order, so that `FINAL` shows an event once.
pub(crate) fn create(database: &str, table: &str, sections: Sections) -> String {
    let section = match sections {
        Sections::Json => "JSON",
        Sections::Text => "String",
    };
    format!(
        "CREATE TABLE IF NOT EXISTS {}.{} (
    message_id String,
    type LowCardinality(String),
    event LowCardinality(String),
    user_id String,
    anonymous_id String,
    group_id String,
    previous_id String,
    timestamp DateTime64(3, 'UTC'),
    sent_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC') DEFAULT now64(3),
    properties {section},
    traits {section},
    context {section}
) ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (type, event, toDate(timestamp), message_id)",
        quoted(database),
        quoted(table)
    )
}

/// An identifier in backquotes.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}
