//! JSON Lines, with the header line of a spool's file and the rows of rejected events understood.

use std::io::{BufRead, BufReader, ErrorKind, Read};

use super::Row;

/// The largest number of bytes of a line. A longer line is not an event.
pub(super) const MAX_LINE: usize = 4 << 20;
const SPOOL: &str = "tracklane-spool ";

/// Reads a file line by line, and never holds more than one.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    line: u64,
    /// Whether the last line was longer than a line may be.
    is_too_long: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(1 << 18, reader), line: 0, is_too_long: false }
    }

    /// Reads the next line into `text`, without its end. Returns whether there is one.
    pub(crate) fn next_text(&mut self, text: &mut Vec<u8>) -> Result<bool, String> {
        text.clear();
        let mut any = false;
        self.is_too_long = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                buffer => buffer.map_err(|error| format!("line {}: {error}", self.line + 1))?,
            };
            let end = memchr::memchr(b'\n', buffer);
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            any |= !buffer.is_empty();
            let done = end.is_some() || buffer.is_empty();
            self.is_too_long |= text.len() + part.len() > MAX_LINE;
            if self.is_too_long {
                text.clear();
                text.push(b'!');
            } else {
                text.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if done {
                break;
            }
        }
        self.line += u64::from(any);
        while text.last() == Some(&b'\r') {
            text.pop();
        }
        Ok(any)
    }

    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The next line that should be an event.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, String> {
        loop {
            let mut bytes = Vec::new();
            if !self.next_text(&mut bytes)? {
                return Ok(None);
            }
            if bytes.trim_ascii().is_empty() || bytes.starts_with(SPOOL.as_bytes()) {
                continue;
            }
            let problem = self.is_too_long.then(|| format!("the line has more than {MAX_LINE} bytes"));
            let text = if self.is_too_long { Vec::new() } else { bytes };
            return Ok(Some(Row { line: self.line, text, problem }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whatever_they_hold() {
        let text =
            "tracklane-spool 1 00 00\n{\"a\":1}\r\n\n  \nnonsense\n{\"line\":7,\"rule\":\"x\",\"event\":{\"b\":2}}";
        let mut lines = Lines::new(text.as_bytes());
        let mut rows = Vec::new();
        while let Some(row) = lines.next_row().unwrap() {
            rows.push((row.line, row.json().ok().map(str::to_owned)));
        }
        assert_eq!(rows, [(2, Some("{\"a\":1}".into())), (5, None), (6, Some("{\"b\":2}".into()))]);
    }

    #[test]
    fn a_line_without_an_end_in_sight_costs_no_memory_and_no_neighbour() {
        let text = format!("{}\n{{\"a\":1}}\n", "x".repeat(9 << 20));
        let mut lines = Lines::new(text.as_bytes());
        assert_eq!(lines.next_row().unwrap().unwrap().json(), Err("the line has more than 4194304 bytes".into()));
        let row = lines.next_row().unwrap().unwrap();
        assert_eq!((row.line, row.json().unwrap()), (2, "{\"a\":1}"));
    }
}
