//! A row that is shown and not stored.

use std::fmt;

use crate::row::Row;
use crate::table::{MESSAGE_ID, Table, quoted};

/// What would be stored of an event, or why nothing would be. `Display` shows the table and a line per column.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Explanation {
    /// The table, as SQL has it.
    pub table: String,
    /// The row. Whether the database takes its values is known when they come there.
    pub row: Option<Row>,
    /// Why no row would be stored; `None` if one would.
    pub why_not: Option<String>,
}

impl Explanation {
    pub(crate) fn of(table: &Table, row: Row) -> Self {
        Self { table: table.to_string(), row: Some(row), why_not: None }
    }

    pub(crate) fn not_stored(table: &Table, reason: String) -> Self {
        Self { table: table.to_string(), row: None, why_not: Some(reason) }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = &self.why_not {
            writeln!(f, "not stored: {reason}")?;
        }
        let Some(row) = &self.row else { return Ok(()) };
        writeln!(f, "INSERT INTO {} … ON CONFLICT ({}) DO NOTHING\n", self.table, quoted(MESSAGE_ID))?;
        write!(f, "{row}")
    }
}
