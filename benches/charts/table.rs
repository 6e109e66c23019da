//! Reads a table of a Markdown page.

/// The cells of a table as text.
pub(super) struct Table {
    header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// Finds table number `number` (from 0) below `heading`, before the next heading of that level.
    pub(super) fn find(page: &str, heading: &str, number: usize) -> Self {
        let (_, below) = page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading:?}"));
        let section = below.split("\n## ").next().unwrap_or_default();
        let mut tables: Vec<Vec<Vec<String>>> = vec![Vec::new()];
        for line in section.lines() {
            match line.strip_prefix('|') {
                Some(row) => tables.last_mut().unwrap().push(cells(row)),
                None if tables.last().is_some_and(|table| !table.is_empty()) => tables.push(Vec::new()),
                None => {}
            }
        }
        let mut rows = tables.into_iter().nth(number).unwrap_or_else(|| panic!("no table {number} below {heading:?}"));
        assert!(rows.len() > 2, "table {number} below {heading:?} has no rows");
        let header = rows.remove(0);
        rows.remove(0);
        Self { header, rows }
    }

    /// Returns the row that begins with the cell `name`.
    pub(super) fn row(&self, name: &str) -> &[String] {
        self.rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no row {name:?}"))
    }

    /// Returns the value of `row` in the column `name`: of `p50 / p99` the first.
    pub(super) fn cell(&self, row: &[String], name: &str) -> String {
        let index =
            self.header.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name:?}"));
        row[index].split(" / ").next().unwrap_or_default().to_owned()
    }
}

fn cells(row: &str) -> Vec<String> {
    row.trim().trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}
