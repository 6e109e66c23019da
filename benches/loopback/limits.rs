//! The same work without an SDK: the best that the machine can do.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::meter::Meter;
use super::report::ClientReport;
use super::scenario::Scenario;
use crate::item_purchased::{self, BatchBody};

/// One keep-alive connection, one request after the other.
struct Connection {
    stream: TcpStream,
    gzip: bool,
    head: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    fn open(url: &str, gzip: bool) -> io::Result<Self> {
        let stream = TcpStream::connect(url.trim_start_matches("http://"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, gzip, head: Vec::new(), answer: vec![0; 4096] })
    }

    fn post(&mut self, body: &[u8]) -> io::Result<()> {
        if !self.gzip {
            return self.post_as_is(body, "");
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
        encoder.write_all(body)?;
        self.post_as_is(&encoder.finish()?, "content-encoding: gzip\r\n")
    }

    fn post_as_is(&mut self, body: &[u8], encoding: &str) -> io::Result<()> {
        self.head.clear();
        write!(
            self.head,
            "POST /v1/batch HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic V1JJVEVfS0VZOg==\r\n\
             content-type: application/json\r\n{encoding}content-length: {}\r\n\r\n",
            body.len()
        )?;
        let written = self.stream.write_vectored(&[io::IoSlice::new(&self.head), io::IoSlice::new(body)])?;
        let sent = written.saturating_sub(self.head.len());
        self.stream.write_all(&body[sent..])?;
        let mut length = 0;
        // The answers have no more than a few bytes, which end with an object.
        while !self.answer[..length].ends_with(b"}") && !self.answer[..length].ends_with(b"0\r\n\r\n") {
            match self.stream.read(&mut self.answer[length..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => length += read,
            }
        }
        if !self.answer.starts_with(b"HTTP/1.1 200") {
            return Err(io::Error::other("not accepted"));
        }
        Ok(())
    }
}

/// Builds a map, serialises it and sends it, on the calling thread.
pub(crate) fn one_thread<S>(url: &str, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let mut connection = Connection::open(url, scenario.gzip)?;
    let meter = Meter::start();
    each_batch(scenario, |body| connection.post(&body))?;
    Ok(meter.report())
}

/// Builds and serialises on the calling thread. Another thread sends the batches.
pub(crate) fn bytes_in_batches<S>(url: &str, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let mut connection = Connection::open(url, scenario.gzip)?;
    let (batches, sender) = mpsc::sync_channel::<Vec<u8>>(64);
    let meter = Meter::start();
    let sending = thread::spawn(move || sender.iter().try_for_each(|body| connection.post(&body)));
    each_batch(scenario, |body| batches.send(body).map_err(io::Error::other))?;
    drop(batches);
    sending.join().map_err(|_| "the sender panicked")??;
    Ok(meter.report())
}

fn each_batch<S>(scenario: &Scenario<S>, mut take: impl FnMut(Vec<u8>) -> io::Result<()>) -> io::Result<()> {
    let mut body = BatchBody::new();
    for number in 0..scenario.events {
        body.push(&item_purchased::plain(number));
        if body.events == scenario.flush_at {
            take(std::mem::replace(&mut body, BatchBody::new()).finish())?;
        }
    }
    if body.events > 0 {
        take(body.finish())?;
    }
    Ok(())
}
