//! The bytes of CSV on their way to its reader: ends a row that goes on and on, and knows how the file ends.

use std::io::{self, Read};

use super::lines::MAX_LINE;

/// Reads so many bytes for a row, and fails at the next one.
pub(super) struct Bounded<R> {
    reader: R,
    /// The bytes that may still be read for this row.
    left: usize,
    last: Option<u8>,
    has_ended: bool,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, left: MAX_LINE, last: None, has_ended: false }
    }

    /// The bytes that are read from here on are those of the next row.
    pub(super) fn begin_row(&mut self) {
        self.left = MAX_LINE;
    }

    /// The last byte of the file, once that was read and found to be the last.
    pub(super) fn end(&self) -> Option<u8> {
        self.last.filter(|_| self.has_ended)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let message = format!("it has more than {MAX_LINE} bytes. Does a quote lack its end?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let count = self.reader.read(buffer)?;
        self.left = self.left.saturating_sub(count);
        self.has_ended = count == 0;
        self.last = count.checked_sub(1).map_or(self.last, |last| buffer.get(last).copied());
        Ok(count)
    }
}
