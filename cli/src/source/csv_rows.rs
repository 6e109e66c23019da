//! CSV with a header row, and a mapping from its columns to places in events.

use std::io::Read;

use serde_json::{Map, Value};

use super::Row;
use super::assign::Place;

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
    reader: csv::Reader<R>,
    columns: Vec<(Place, usize)>,
    constants: Map<String, Value>,
    record: csv::StringRecord,
}

impl<R: Read> CsvRows<R> {
    pub(crate) fn new(reader: R, mapping: &Mapping) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(reader);
        let headers = reader.headers().map_err(|error| format!("the header row: {error}"))?.clone();
        let find = |(place, column): &(Place, String)| match headers.iter().position(|header| header.trim() == column) {
            Some(index) => Ok((place.clone(), index)),
            None => {
                let known: Vec<&str> = headers.iter().map(str::trim).collect();
                Err(format!("there is no column {column:?}; there are {}", known.join(", ")))
            }
        };
        let columns = mapping.places.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Self { reader, columns, constants: mapping.constants.clone(), record: csv::StringRecord::new() })
    }

    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, String> {
        match self.reader.read_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = self.record.position().map_or(0, csv::Position::line);
                let end = self.reader.position().byte();
                Ok(Some(match self.event() {
                    Ok(text) => Row { line, end, text, problem: None },
                    Err(problem) => Row { line, end, text: self.cells(), problem: Some(problem) },
                }))
            }
            Err(error) if error.is_io_error() => Err(error.to_string()),
            // A row of another length, or of other bytes, is wrong by itself.
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                let end = self.reader.position().byte();
                Ok(Some(Row { line, end, text: Vec::new(), problem: Some(error.to_string()) }))
            }
        }
    }

    fn cells(&self) -> Vec<u8> {
        self.record.iter().collect::<Vec<_>>().join(",").into_bytes()
    }

    /// The JSON of an event.
    fn event(&self) -> Result<Vec<u8>, String> {
        let mut event = self.constants.clone();
        for (place, index) in &self.columns {
            // An empty cell is no value.
            if let Some(cell) = self.record.get(*index).filter(|cell| !cell.is_empty()) {
                place.set(&mut event, cell)?;
            }
        }
        serde_json::to_vec(&event).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, maps: &[&str]) -> Result<Vec<Result<String, String>>, String> {
        let maps: Vec<String> = maps.iter().map(|map| (*map).to_owned()).collect();
        let mapping = Mapping::parse(&maps, Some("track"), Some("Order Completed"))?;
        let mut rows = CsvRows::new(text.as_bytes(), &mapping)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next_row()? {
            found.push(row.json().map(str::to_owned));
        }
        Ok(found)
    }

    #[test]
    fn columns_go_where_the_mapping_says() {
        let text = "id,Total,note\n7,39.95,\"a, \"\"b\"\"\"\n8,,\n9,x,y\n10,1\n";
        let found = rows(text, &["userId=id", "properties.total:number=Total", "properties.note=note"]).unwrap();
        let first =
            r#"{"event":"Order Completed","properties":{"note":"a, \"b\"","total":39.95},"type":"track","userId":"7"}"#;
        assert_eq!(found[0].as_deref(), Ok(first));
        assert_eq!(found[1].as_deref(), Ok(r#"{"event":"Order Completed","type":"track","userId":"8"}"#));
        assert!(found[2].as_ref().is_err_and(|problem| problem.contains("\"x\" is no number")), "{found:?}");
        assert!(found[3].is_err() && found.len() == 4, "a short row is wrong by itself: {found:?}");
    }

    #[test]
    fn a_column_that_is_not_there_is_named_with_those_that_are() {
        let problem = rows("id,total\n", &["userId=user"]).unwrap_err();
        assert!(problem.contains("\"user\"") && problem.contains("id, total"), "{problem}");
    }
}
