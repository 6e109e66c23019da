//! Bar charts of the tables in docs/PERFORMANCE.md, as SVG that follows the colours of the reader's system.
//!
//! `CHARTS=write cargo test --test it charts` draws them again. Without `CHARTS` the test compares them with the page.

mod svg;
mod table;

use table::Table;

/// One chart: a column of a table, one bar for each row.
pub(crate) struct Chart {
    /// The name of the file in docs/images/, without its ending.
    pub(crate) name: &'static str,
    title: &'static str,
    /// The unit behind each value.
    unit: &'static str,
    /// The heading above the table.
    heading: &'static str,
    /// The number of the table below the heading, from 0.
    table: usize,
    bars: Bars,
    /// Bars whose label begins so are drawn in colour.
    accent: &'static str,
}

/// The bars of a chart.
enum Bars {
    /// A bar for each row that has no word of `without` in its label: the values of this column.
    Rows { column: &'static str, without: &'static [&'static str] },
    /// A bar for each of these columns of one row. Only the first value of `p50 / p99` counts.
    Columns { row: &'static str, columns: &'static [&'static str] },
}

/// The charts of the page.
pub(crate) const CHARTS: &[Chart] = &[
    Chart {
        name: "whole-path",
        title: "Whole path: from the call to the acknowledged batch",
        unit: "events/s",
        heading: "## Whole path",
        table: 0,
        bars: Bars::Rows { column: "events/s", without: &["gzip"] },
        accent: "tracklane",
    },
    Chart {
        name: "peers",
        title: "Beside the peers: whole path, the server answers at once",
        unit: "events/s",
        heading: "## Beside the peers",
        table: 0,
        bars: Bars::Rows { column: "events/s", without: &[] },
        accent: "tracklane",
    },
    Chart {
        name: "peers-slow",
        title: "Beside the peers: whole path, the server answers after 50 ms",
        unit: "events/s",
        heading: "## Beside the peers",
        table: 1,
        bars: Bars::Rows { column: "events/s", without: &[] },
        accent: "tracklane",
    },
    Chart {
        name: "peers-cpu",
        title: "Beside the peers: CPU time of the client per event (less is better)",
        unit: "µs",
        heading: "## Beside the peers",
        table: 0,
        bars: Bars::Rows { column: "CPU µs per event", without: &["one by one"] },
        accent: "tracklane",
    },
    Chart {
        name: "call",
        title: "One call: median, each event built just before, server after 50 ms (less is better)",
        unit: "ns",
        heading: "## One call",
        table: 0,
        bars: Bars::Columns {
            row: "each event built just before, server after 50 ms",
            columns: &[
                "bare queue",
                "bare queue, JSON copied",
                "`track()`, built before",
                "`serde_json` map built",
                "`track()`, built in the call",
            ],
        },
        accent: "track()",
    },
];

impl Chart {
    /// Draws the chart from the page.
    ///
    /// # Panics
    ///
    /// Panics if the page has no such table, row or column, or a value is not a number.
    pub(crate) fn draw(&self, page: &str) -> String {
        let table = Table::find(page, self.heading, self.table);
        let bars: Vec<(String, String)> = match &self.bars {
            Bars::Rows { column, without } => {
                let rows = table.rows.iter().filter(|row| !without.iter().any(|word| row[0].contains(word)));
                rows.map(|row| (row[0].clone(), table.cell(row, column))).collect()
            }
            Bars::Columns { row, columns } => {
                let row = table.row(row);
                columns.iter().map(|column| (column.replace('`', ""), table.cell(row, column))).collect()
            }
        };
        svg::draw(self.title, self.unit, self.accent, &bars)
    }
}
