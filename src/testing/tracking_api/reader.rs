//! Reads requests from one connection into a buffer that is used again and again.
//!
//! A connection that may have to be reset keeps the last byte of every request unread in the
//! socket until [`Reader::advance`], because closing over unread data is the only way the
//! standard library offers to send a TCP reset. That takes looking at all data twice, so plain
//! connections read straight away.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::http1::{self, Body, Found, Malformed, Message};

/// Room for two of the largest bodies; the system maps only the pages that are written to.
const CAPACITY: usize = 1 << 20;

pub(super) struct Reader<'a> {
    stream: &'a TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    holds_byte: bool,
}

pub(super) enum Incoming {
    Message(Message),
    Refused(Malformed),
    Gone,
}

impl<'a> Reader<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Reader<'a> {
        Reader { stream, buffer: vec![0; CAPACITY], start: 0, end: 0, holds_byte: false }
    }

    /// Blocks until a request is complete. `hold_back` is asked when its first bytes are there.
    pub(super) fn next(&mut self, hold_back: impl Fn() -> bool) -> io::Result<Incoming> {
        let mut hold = false;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            // Not read yet: the reply decides while the connection is idle how the request is read.
            if self.stream.peek(&mut [0])? == 0 {
                return Ok(Incoming::Gone);
            }
            hold = hold_back();
        }
        let mut continued = false;
        loop {
            match http1::find(self.filled(0)) {
                Err(malformed) => return Ok(Incoming::Refused(malformed)),
                Ok(Found::Complete(message)) => return Ok(Incoming::Message(message)),
                Ok(Found::Partial { awaits_continue }) if awaits_continue && !continued => {
                    continued = true;
                    self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                }
                Ok(Found::Partial { .. }) => {}
            }
            let more = if hold { self.take_all_but_last()? } else { self.take()? };
            if !more {
                return Ok(Incoming::Gone);
            }
        }
    }

    /// Returns the body of the message that was found last, put together if it came in chunks.
    pub(super) fn body(&self, body: &Body) -> Cow<'_, [u8]> {
        let message = self.filled(0);
        match body {
            Body::Plain(range) => Cow::Borrowed(message.get(range.clone()).unwrap_or_default()),
            Body::Chunked(chunks) => {
                Cow::Owned(chunks.iter().filter_map(|range| message.get(range.clone())).collect::<Vec<_>>().concat())
            }
        }
    }

    /// Removes a message of this length.
    pub(super) fn advance(&mut self, length: usize) -> io::Result<()> {
        if std::mem::take(&mut self.holds_byte) {
            self.stream.read_exact(&mut [0])?;
        }
        self.start += length;
        Ok(())
    }

    /// Returns the bytes in the buffer, with this many bytes beyond that were only peeked at.
    fn filled(&self, beyond: usize) -> &[u8] {
        self.buffer.get(self.start..self.end + beyond).unwrap_or_default()
    }

    fn take(&mut self) -> io::Result<bool> {
        let mut stream = self.stream;
        let count = stream.read(self.spare())?;
        self.end += count;
        Ok(count > 0)
    }

    fn take_all_but_last(&mut self) -> io::Result<bool> {
        let mut stream = self.stream;
        let count = stream.peek(self.spare())?;
        let visible = self.end + count;
        let taken = match http1::find(self.filled(count)) {
            Ok(Found::Complete(message)) => {
                self.holds_byte = true;
                self.start + message.length
            }
            _ => visible,
        };
        let held = usize::from(self.holds_byte);
        if let Some(bytes) = self.buffer.get_mut(self.end..taken.saturating_sub(held)) {
            stream.read_exact(bytes)?;
        }
        self.end = taken;
        Ok(count > 0)
    }

    /// Returns room to read into, and makes some if there is none.
    fn spare(&mut self) -> &mut [u8] {
        if self.end == self.buffer.len() {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            } else {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }
}
