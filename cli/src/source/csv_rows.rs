//! CSV with a header row, and a mapping from its columns to places in events.

use std::io::Read;

use serde_json::{Map, Value};

use super::Row;
use super::assign::Place;
use super::bounded::Bounded;
use super::template::Template;

/// The place of each column, and the members of every event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mapping {
    places: Vec<(Place, String)>,
    constants: Map<String, Value>,
}

impl Mapping {
    /// From options such as `userId=id` and `properties.total:number=Total`.
    pub(crate) fn parse(maps: &[String], kind: Option<&str>, event: Option<&str>) -> Result<Self, String> {
        let mut mapping = Self::default();
        for map in maps {
            let (place, column) =
                map.split_once('=').ok_or_else(|| format!("--map {map:?}: write PLACE=COLUMN, such as userId=id"))?;
            let place = Place::parse(place).map_err(|problem| format!("--map {map:?}: {problem}"))?;
            mapping.places.push((place, column.to_owned()));
        }
        for (name, value) in [("type", kind), ("event", event)] {
            if let Some(value) = value {
                mapping.constants.insert(name.to_owned(), Value::from(value));
            }
        }
        Ok(mapping)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The members of every event that does not say otherwise.
    pub(super) fn constants(&self) -> &Map<String, Value> {
        &self.constants
    }
}

/// Reads rows, one at a time.
pub(crate) struct CsvRows<R> {
    reader: csv::Reader<Bounded<R>>,
    template: Template,
    record: csv::StringRecord,
    /// Whether lines end with CR LF.
    has_crlf: bool,
}

impl<R: Read> CsvRows<R> {
    pub(crate) fn new(reader: R, mapping: &Mapping) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(Bounded::new(reader));
        let headers = reader.headers().map_err(|error| format!("the header row: {error}"))?.clone();
        if headers.is_empty() {
            return Err("the file is empty: CSV begins with a row of column names".to_owned());
        }
        let mut template = Template::default();
        for (name, value) in &mapping.constants {
            template.constant(name, value.to_string());
        }
        for (place, column) in &mapping.places {
            template.cell(place, index_of(&headers, column)?, column)?;
        }
        template.check()?;
        // Of two characters at the end of a line, the reader leaves the second one to the next row.
        let lines = 1 + headers.iter().flat_map(str::bytes).filter(|byte| *byte == b'\n').count() as u64;
        let has_crlf = reader.position().line() == lines;
        Ok(Self { reader, template, record: csv::StringRecord::new(), has_crlf })
    }

    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, String> {
        self.reader.get_mut().begin_row();
        let begin = self.reader.position().line() + u64::from(self.has_crlf);
        let problem = match self.reader.read_record(&mut self.record) {
            Ok(false) => return Ok(None),
            Ok(true) if self.is_open() => Some("a quote is not closed up to the end of the file".to_owned()),
            Ok(true) => None,
            Err(error) if error.is_io_error() => return Err(format!("the row on line {begin}: {error}")),
            // A row of another length, or of other bytes, is wrong by itself.
            Err(error) => Some(problem(error.kind())),
        };
        let line = self.line();
        Ok(Some(match problem.map_or_else(|| self.template.event(&self.record), Err) {
            Ok(text) => Row { line, text, problem: None },
            Err(problem) => Row { line, text: self.cells(), problem: Some(problem) },
        }))
    }

    /// Returns whether the last cell goes on to the end of the file, and is not closed there.
    fn is_open(&self) -> bool {
        let last = self.record.iter().next_back();
        last.is_some_and(|cell| cell.contains('\n')) && self.reader.get_ref().end().is_some_and(|end| end != b'"')
    }

    /// The line on which the row begins. The reader has it on the one before, if lines end with two characters.
    fn line(&self) -> u64 {
        let inside = self.record.iter().flat_map(str::bytes).filter(|byte| *byte == b'\n').count() as u64;
        let ends_there = self.is_open() || self.reader.get_ref().end().is_some_and(|end| end != b'\n');
        let behind = u64::from(!self.has_crlf && !ends_there);
        self.reader.position().line().saturating_sub(inside + behind)
    }

    /// The row as it stands in a file.
    fn cells(&self) -> Vec<u8> {
        let mut row = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let written = row.write_record(&self.record);
        let mut text = written.ok().and_then(|()| row.into_inner().ok()).unwrap_or_default();
        text.pop_if(|last| *last == b'\n');
        text
    }
}

/// The reason in words. The reader's own names a line that may be the one before.
fn problem(kind: &csv::ErrorKind) -> String {
    match kind {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} cells, and there are {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { err, .. } => {
            format!("the cell of column {} is not UTF-8: save the file as UTF-8", err.field() + 1)
        }
        other => format!("{other:?}"),
    }
}

/// The index of a column. Spaces around its name do not count.
fn index_of(headers: &csv::StringRecord, column: &str) -> Result<usize, String> {
    let names: Vec<&str> = headers.iter().map(str::trim).collect();
    let mut found = names.iter().enumerate().filter(|(_, name)| **name == column);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => Err(format!("there are several columns {column:?}: give them names of their own")),
        (None, _) => Err(format!("there is no column {column:?}; there are {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of a row, and its JSON or what is wrong with it.
    type Read = (u64, Result<String, String>);

    fn lines(text: &str, maps: &[&str]) -> Result<Vec<Read>, String> {
        let maps: Vec<String> = maps.iter().map(|map| (*map).to_owned()).collect();
        let mapping = Mapping::parse(&maps, Some("track"), Some("Order Completed"))?;
        let mut rows = CsvRows::new(text.as_bytes(), &mapping)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next_row()? {
            found.push((row.line, row.json().map(str::to_owned)));
        }
        Ok(found)
    }

    fn rows(text: &str, maps: &[&str]) -> Result<Vec<Result<String, String>>, String> {
        Ok(lines(text, maps)?.into_iter().map(|(_, row)| row).collect())
    }

    #[test]
    fn columns_go_where_the_mapping_says() {
        let text = "id,Total,note\n7,39.95,\"a, \"\"b\"\"\"\n8,,\n9,x,y\n10,1\n";
        let found = rows(text, &["userId=id", "properties.total:number=Total", "properties.note=note"]).unwrap();
        let first =
            r#"{"event":"Order Completed","properties":{"note":"a, \"b\"","total":39.95},"type":"track","userId":"7"}"#;
        assert_eq!(found[0].as_deref(), Ok(first));
        assert_eq!(found[1].as_deref(), Ok(r#"{"event":"Order Completed","type":"track","userId":"8"}"#));
        assert_eq!(found[2], Err("column \"Total\": \"x\" is no number".into()));
        assert_eq!(found[3], Err("the row has 2 cells, and there are 3 columns".into()));
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_constant_is_for_rows_with_an_empty_cell() {
        let found = rows("id,what\n1,page\n2,\n", &["userId=id", "type=what", "event=what"]).unwrap();
        assert_eq!(found[0].as_deref(), Ok(r#"{"event":"page","type":"page","userId":"1"}"#));
        assert_eq!(found[1].as_deref(), Ok(r#"{"event":"Order Completed","type":"track","userId":"2"}"#));
    }

    #[test]
    fn numbers_stay_as_they_stand_in_the_file() {
        let numbers = ["0.1234567890123456789", "18446744073709551615", "1.50", "-0", "1e2", " 7 "];
        let text = format!("n\n{}\n", numbers.join("\n"));
        let found = rows(&text, &["properties.n:number=n"]).unwrap();
        for (number, row) in numbers.iter().zip(found) {
            let row = row.unwrap();
            assert!(row.contains(&format!("{{\"n\":{}}}", number.trim())), "{row}");
        }
        for wrong in ["007", "+5", ".5", "1,5", "NaN", "1 2", "0x1", "1e400", "true"] {
            let row = rows(&format!("n;m\n\"{wrong}\"\n"), &["properties.n:number=n;m"]).unwrap().remove(0);
            assert_eq!(row, Err(format!("column \"n;m\": {wrong:?} is no number")));
        }
    }

    #[test]
    fn columns_of_json_can_have_members_of_other_columns() {
        let text = "all,total,city\n\"{\"\"coupon\"\":\"\"A\"\",\"\"total\"\":1,\"\"ship\"\":{\"\"zip\"\":\"\"8001\"\"}}\",2,Bern\n,3,\n7,4,\n";
        let maps = ["properties:json=all", "properties.total:number=total", "properties.ship.city=city"];
        let found = rows(text, &maps).unwrap();
        let first = r#""properties":{"coupon":"A","ship":{"city":"Bern","zip":"8001"},"total":2}"#;
        assert!(found[0].as_ref().is_ok_and(|row| row.contains(first)), "{found:?}");
        assert!(found[1].as_ref().is_ok_and(|row| row.contains(r#""properties":{"total":3}"#)), "{found:?}");
        assert_eq!(found[2], Err("column \"all\": it is no object, and can have no members".into()));
        let inside = rows("a,b\n", &["properties.x=a", "properties.x.y=b"]);
        assert!(inside.as_ref().is_err_and(|problem| problem.contains("only json can have members")), "{inside:?}");
    }

    #[test]
    fn a_column_that_cannot_be_meant_is_named() {
        for (text, maps, said) in [
            ("id,total\n", &["userId=user"][..], "no column \"user\"; there are id, total"),
            ("id,id\n", &["userId=id"], "several columns \"id\""),
            ("id,mail\n", &["userId=id", "userId=mail"], "userId is mapped twice, to the columns \"id\" and \"mail\""),
            ("", &["userId=id"], "the file is empty"),
        ] {
            let problem = rows(text, maps).unwrap_err();
            assert!(problem.contains(said), "{problem}");
        }
        let both = rows("id\n1\n", &["userId=id", "properties.id=id"]).unwrap();
        assert!(both[0].as_ref().is_ok_and(|row| row.contains(r#""properties":{"id":"1"}"#)), "one column, two places");
    }

    #[test]
    fn rows_have_the_line_on_which_they_begin() {
        let text = "id,note\n1,a\n\n2,\"b\nc\"\n3,d\n4,e";
        for text in [
            text.to_owned(),
            text.replace('\n', "\r\n"),
            format!("{text}\n"),
            format!("{text}\n\n").replace('\n', "\r\n"),
        ] {
            let found = lines(&text, &["userId=id"]).unwrap();
            assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4, 6, 7], "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_and_costs_no_memory() {
        let row = "2,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
        let found = lines(&format!("id,note\n1,\"open\n{}", row.repeat(3)), &["userId=id"]).unwrap();
        assert_eq!(found, [(2, Err("a quote is not closed up to the end of the file".into()))]);
        let closed = lines("id,note\n1,\"open\nand closed\"", &["userId=id"]).unwrap();
        assert!(closed[0].1.is_ok(), "{closed:?}");
        let problem = lines(&format!("id,note\n1,\"open\n{}", row.repeat(200_000)), &["userId=id"]).unwrap_err();
        assert!(problem.starts_with("the row on line 2: it has more than 4194304 bytes"), "{problem}");
    }
}
