//! Writes the JSON of an event out of the cells of a row of CSV, without a tree of values.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::assign::{Place, Type};

/// A member of an event, and where its value comes from.
#[derive(Default)]
pub(super) struct Template {
    /// The value where the cell is empty, as JSON.
    constant: Option<String>,
    cell: Option<Cell>,
    /// The members of its object by their names, which are written as JSON.
    members: BTreeMap<String, Template>,
}

/// The cell with the value.
struct Cell {
    index: usize,
    kind: Type,
    /// The name of its column, for errors.
    column: String,
}

impl Template {
    /// The value of a member of every event that has no other.
    pub(super) fn constant(&mut self, name: &str, json: String) {
        self.member(name).constant = Some(json);
    }

    /// Puts the cells of a column at a place. Each place has one column, and only JSON can have members besides.
    pub(super) fn cell(&mut self, place: &Place, index: usize, column: &str) -> Result<(), String> {
        let node = place.path().iter().fold(self, |node, name| node.member(name));
        if let Some(first) = &node.cell {
            return Err(format!("{place} is mapped twice, to the columns {:?} and {column:?}", first.column));
        }
        node.cell = Some(Cell { index, kind: place.kind(), column: column.to_owned() });
        Ok(())
    }

    /// Fails if a member has members, and a value that can have none.
    pub(super) fn check(&self) -> Result<(), String> {
        let inner = self.members.values().find_map(Template::column);
        match (&self.cell, inner) {
            (Some(cell), Some(inner)) if cell.kind != Type::Json => Err(format!(
                "the column {inner:?} is mapped to a member of what the column {:?} is: only json can have members",
                cell.column
            )),
            _ => self.members.values().try_for_each(Template::check),
        }
    }

    /// A column of it or of its members.
    fn column(&self) -> Option<&str> {
        self.cell.as_ref().map(|cell| &*cell.column).or_else(|| self.members.values().find_map(Template::column))
    }

    fn member(&mut self, name: &str) -> &mut Template {
        self.members.entry(serde_json::Value::from(name).to_string()).or_default()
    }

    /// The JSON of an event with the cells of a row.
    pub(super) fn event(&self, row: &csv::StringRecord) -> Result<Vec<u8>, String> {
        let mut out = Vec::with_capacity(64 + 2 * row.as_slice().len());
        if !self.write_members(row, &mut out)? {
            out.extend_from_slice(b"{}");
        }
        Ok(out)
    }

    /// Appends the object of the members; nothing if none has a value.
    fn write_members(&self, row: &csv::StringRecord, out: &mut Vec<u8>) -> Result<bool, String> {
        let start = out.len();
        for (name, member) in &self.members {
            let end = out.len();
            out.push(if end == start { b'{' } else { b',' });
            out.extend_from_slice(name.as_bytes());
            out.push(b':');
            if !member.write_value(row, out)? {
                out.truncate(end);
            }
        }
        let any = out.len() > start;
        if any {
            out.push(b'}');
        }
        Ok(any)
    }

    /// Appends the value. An empty cell is no value.
    fn write_value(&self, row: &csv::StringRecord, out: &mut Vec<u8>) -> Result<bool, String> {
        let cell = self.cell.as_ref().and_then(|cell| Some((cell, row.get(cell.index)?)));
        let Some((cell, text)) = cell.filter(|(_, text)| !text.is_empty()) else {
            if let Some(constant) = &self.constant {
                out.extend_from_slice(constant.as_bytes());
                return Ok(true);
            }
            return self.write_members(row, out);
        };
        let start = out.len();
        let named = |problem: String| format!("column {:?}: {problem}", cell.column);
        cell.kind.write(text, out).map_err(named)?;
        if self.members.is_empty() {
            return Ok(true);
        }
        let mut members = Vec::new();
        if self.write_members(row, &mut members)? {
            let whole = merged(out.get(start..).unwrap_or_default(), &members).map_err(named)?;
            out.truncate(start);
            out.extend_from_slice(&whole);
        }
        Ok(true)
    }
}

/// An object with the members of another one in it, at every depth.
fn merged(own: &[u8], other: &[u8]) -> Result<Vec<u8>, String> {
    type Members<'a> = BTreeMap<String, &'a RawValue>;
    let not_an_object = |_| "it is no object, and can have no members".to_owned();
    let mut members: Members<'_> = serde_json::from_slice(own).map_err(not_an_object)?;
    let other: Members<'_> = serde_json::from_slice(other).map_err(not_an_object)?;
    let mut deeper = Vec::new();
    for (name, value) in other {
        match members.get(&name) {
            Some(old) if old.get().starts_with('{') && value.get().starts_with('{') => {
                let both = merged(old.get().as_bytes(), value.get().as_bytes())?;
                deeper.push((name, String::from_utf8(both).map_err(|error| error.to_string())?));
            }
            _ => drop(members.insert(name, value)),
        }
    }
    for (name, json) in &deeper {
        members.insert(name.clone(), serde_json::from_str(json).map_err(|error| error.to_string())?);
    }
    serde_json::to_vec(&members).map_err(|error| error.to_string())
}
