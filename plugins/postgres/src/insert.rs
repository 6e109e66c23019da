//! One statement for all rows of a batch.

use std::collections::BTreeSet;

use tokio_postgres::types::{ToSql, Type};

use crate::row::Row;
use crate::table::{MESSAGE_ID, Table, quoted};

/// A column of the table in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its type in SQL, without a length: a cast to `varchar(20)` would cut values that the column refuses.
    pub(crate) kind: String,
}

/// The statement, and its parameters: an array for each column.
pub(crate) struct Insert<'a> {
    pub(crate) sql: String,
    values: Vec<Vec<Option<&'a str>>>,
}

impl<'a> Insert<'a> {
    /// Arrays as parameters make it one statement for any number of rows. Every value is sent as text and cast by the
    /// database, which refuses values that do not fit. Columns that no row fills get their defaults.
    pub(crate) fn new(table: &Table, columns: &[Column], rows: &'a [Row]) -> Self {
        let filled: BTreeSet<&str> = rows.iter().flat_map(Row::iter).map(|(column, _)| column).collect();
        let columns: Vec<&Column> = columns.iter().filter(|column| filled.contains(&*column.name)).collect();
        let list = |part: &dyn Fn(usize, &Column) -> String| {
            let parts: Vec<String> = columns.iter().enumerate().map(|(at, column)| part(at + 1, column)).collect();
            parts.join(", ")
        };
        let sql = format!(
            "INSERT INTO {table} ({}) SELECT {} FROM unnest({}) AS r({}) ON CONFLICT ({}) DO NOTHING",
            list(&|_, column| quoted(&column.name)),
            list(&|at, column| format!("c{at}::{}", column.kind)),
            list(&|at, _| format!("${at}::text[]")),
            list(&|at, _| format!("c{at}")),
            quoted(MESSAGE_ID),
        );
        let values = columns.iter().map(|column| rows.iter().map(|row| row.get(&column.name)).collect()).collect();
        Self { sql, values }
    }

    pub(crate) fn parameters(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(|values| (values as &(dyn ToSql + Sync), Type::TEXT_ARRAY)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_the_columns_that_are_there_and_filled() {
        let column = |name: &str, kind: &str| Column { name: name.to_owned(), kind: kind.to_owned() };
        let columns = [
            column("message_id", "text"),
            column("user_id", "bigint"),
            column("received_at", "timestamp with time zone"),
            column("pro\"perties", "jsonb"),
        ];
        let (mut first, mut second) = (Row::default(), Row::default());
        first.set("message_id", "m1");
        first.set("user_id", "7");
        first.set("no_such_column", "x");
        second.set("message_id", "m2");
        second.set("pro\"perties", "{}");
        let rows = [first, second];
        let insert = Insert::new(&Table::new("a.events").unwrap(), &columns, &rows);
        let expected = "INSERT INTO \"a\".\"events\" (\"message_id\", \"user_id\", \"pro\"\"perties\") SELECT c1::text, \
                        c2::bigint, c3::jsonb FROM unnest($1::text[], $2::text[], $3::text[]) AS r(c1, c2, c3) ON \
                        CONFLICT (\"message_id\") DO NOTHING";
        assert_eq!(insert.sql, expected);
        assert_eq!(insert.values, [vec![Some("m1"), Some("m2")], vec![Some("7"), None], vec![None, Some("{}")]]);
    }
}
