//! Classifies errors of the database by pure functions.

use std::fmt;

use tokio_postgres::error::SqlState;
use tracklane::plugin::{Answer, Verdict};

/// The cause of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A row: without it the others can be stored.
    Row,
    /// The user or the password.
    Credentials,
    /// The database, the way to it, or the table: tried again over a new connection, which reads the columns anew.
    Database,
}

/// Returns the cause of an error with that SQLSTATE; `None` if the database never answered. By class: 22 data, 23
/// constraints, 44 views, 54 limits, P0, 09 and 27 triggers; 28 credentials.
pub(crate) fn cause(code: Option<&SqlState>) -> Cause {
    match code.map(class) {
        Some("22" | "23" | "44" | "54" | "P0" | "09" | "27") => Cause::Row,
        Some("28") => Cause::Credentials,
        _ => Cause::Database,
    }
}

impl Cause {
    /// The answer where no single row is to blame.
    pub(crate) fn answer(self, error: &tokio_postgres::Error) -> Answer {
        let verdict = if self == Self::Credentials { Verdict::Unauthorized } else { Verdict::Retry };
        Answer::new(verdict).with_error(Fault::new(error, None))
    }
}

/// The first two letters, which PostgreSQL calls the class.
fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

/// An error of the database, without the content of the event.
#[derive(Debug)]
pub(crate) struct Fault {
    message: String,
}

impl Fault {
    /// `to_blame` is the id of the only event, if there is one. The database quotes values of the event in errors of
    /// class 22 and in details, which are left out.
    pub(crate) fn new(error: &tokio_postgres::Error, to_blame: Option<&str>) -> Self {
        let told = match error.as_db_error() {
            Some(db) => {
                let words =
                    if class(db.code()) == "22" { without_quotes(db.message()) } else { db.message().to_owned() };
                let column = db.column().map(|column| format!(", column {column:?}")).unwrap_or_default();
                format!("{words} (SQLSTATE {}{column}){}", db.code().code(), advice(db.code()))
            }
            // The connection string is in none of the causes.
            None => tracklane::text_with_causes(error),
        };
        let message = match to_blame {
            Some(id) => format!("the database refuses the event {id:?}: {told}"),
            None => format!("the database: {told}"),
        };
        Self { message }
    }
}

/// Returns advice for an operator.
fn advice(code: &SqlState) -> &'static str {
    match code {
        code if *code == SqlState::INVALID_COLUMN_REFERENCE => {
            ": make message_id the primary key of the table, or add a unique index on it"
        }
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => ": grant INSERT and SELECT on the table",
        _ => "",
    }
}

/// The text with `…` between its first and its last quotation mark.
fn without_quotes(text: &str) -> String {
    match (text.split_once('"'), text.rsplit_once('"')) {
        (Some((before, _)), Some((_, behind))) => format!("{before}\"…\"{behind}"),
        _ => text.to_owned(),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_an_error_decides() {
        let rows = [
            (Cause::Row, "22P02 22P05 22001 22003 22021 23502 23505 23514 44000 54000 54001 P0001 09000 27000"),
            (Cause::Credentials, "28P01 28000"),
            (
                Cause::Database,
                "42P01 42703 42804 42P10 42501 25006 26000 0A000 40001 40P01 53100 53300 55P03 57014 57P01 57P03 XX000",
            ),
        ];
        for (expected, codes) in rows {
            for code in codes.split(' ') {
                assert_eq!(cause(Some(&SqlState::from_code(code))), expected, "{code}");
            }
        }
        assert_eq!(cause(None), Cause::Database, "the connection broke");
    }

    #[test]
    fn what_the_database_quotes_of_an_event_is_left_out() {
        for (text, expected) in [
            (
                "invalid input syntax for type integer: \"ann@example.com\"",
                "invalid input syntax for type integer: \"…\"",
            ),
            ("value \"a\" and \"b\" is wrong", "value \"…\" is wrong"),
            ("unsupported Unicode escape sequence", "unsupported Unicode escape sequence"),
            ("one \" alone", "one \"…\" alone"),
        ] {
            assert_eq!(without_quotes(text), expected);
        }
    }
}
