//! JSON Lines, with the header line of a spool's file and the rows of rejected events understood.

use std::io::{BufRead, BufReader, Read};

use super::Row;

/// The largest number of bytes of a line. A longer line is not an event.
const MAX_LINE: u64 = 4 << 20;
const SPOOL: &str = "tracklane-spool ";

/// Reads a file line by line, and never holds more than one.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    line: u64,
    end: u64,
    /// Whether the last line was longer than a line may be.
    is_too_long: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(1 << 18, reader), line: 0, end: 0, is_too_long: false }
    }

    /// The next line that is not empty, without its end.
    pub(crate) fn next_text(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut text = Vec::new();
        let read = self.reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut text);
        let count = read.map_err(|error| format!("line {}: {error}", self.line + 1))?;
        if count == 0 {
            return Ok(None);
        }
        self.line += 1;
        self.end += count as u64;
        self.is_too_long = text.last() != Some(&b'\n') && count as u64 == MAX_LINE;
        if self.is_too_long {
            self.end += self.pass_over_rest()?;
            text = b"!".to_vec();
        }
        while text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            text.pop();
        }
        Ok(Some(text))
    }

    fn pass_over_rest(&mut self) -> Result<u64, String> {
        let mut passed = 0;
        loop {
            let buffer = self.reader.fill_buf().map_err(|error| format!("line {}: {error}", self.line))?;
            let end = memchr::memchr(b'\n', buffer);
            let used = end.map_or(buffer.len(), |at| at + 1);
            let done = end.is_some() || buffer.is_empty();
            self.reader.consume(used);
            passed += used as u64;
            if done {
                return Ok(passed);
            }
        }
    }

    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The next line that should be an event.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, String> {
        loop {
            let Some(bytes) = self.next_text()? else { return Ok(None) };
            if bytes.trim_ascii().is_empty() || bytes.starts_with(SPOOL.as_bytes()) {
                continue;
            }
            let problem = self.is_too_long.then(|| format!("the line has more than {MAX_LINE} bytes"));
            let text = if self.is_too_long { Vec::new() } else { bytes };
            return Ok(Some(Row { line: self.line, end: self.end, text, problem }));
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
        assert_eq!((row.line, row.end, row.json().unwrap()), (2, text.len() as u64, "{\"a\":1}"));
    }
}
