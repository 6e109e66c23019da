//! The table that rows go into.

use crate::row::Sections;

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
