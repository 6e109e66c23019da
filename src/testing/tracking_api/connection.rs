//! Serves one connection: receives requests, and answers or fails each as its reply says.
//!
//! However it ends, also by a panic in a caller's function, the connection has left the register
//! and its request is no longer in flight before the socket closes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;

use super::encode;
use super::http1::{Head, Malformed};
use super::reader::{Incoming, Reader};
use super::reply::Outcome;
use super::rules;
use super::script::Source;
use super::shared::{Shared, Waiting};
use super::{Reply, Request};

pub(super) fn serve(stream: &TcpStream, number: usize, shared: &Shared) -> io::Result<()> {
    let connection = Connection { stream, number, shared };
    stream.set_nodelay(true)?;
    let mut reader = Reader::new(stream);
    loop {
        let message = match reader.next(|| shared.may_reset())? {
            Incoming::Message(message) => message,
            Incoming::Refused(malformed) => return connection.refuse(malformed),
            Incoming::Gone => return Ok(()),
        };
        let keep_alive = message.keep_alive;
        let without_body = message.head.method == Method::HEAD;
        let body = reader.body(&message.body);
        let (waiting, reply) = connection.receive(message.head, &body);
        let running = shared.connections.pause(reply.delay);
        if !running || reply.resets() {
            return Ok(());
        }
        reader.advance(message.length)?;
        let status = match &reply.outcome {
            Outcome::Status(status) => *status,
            Outcome::Garbage(bytes) => {
                return connection.write(bytes, reply.drip, || drop(waiting));
            }
            Outcome::Hang => return connection.outlast_client(),
            Outcome::AsSegment | Outcome::Reset | Outcome::Close => return Ok(()),
        };
        let response = encode::response(&reply, status, keep_alive, without_body);
        connection.write(&response.bytes, reply.drip, || waiting.answered(status))?;
        if !response.keep_alive {
            return Ok(());
        }
    }
}

struct Connection<'a> {
    stream: &'a TcpStream,
    number: usize,
    shared: &'a Shared,
}

impl<'a> Connection<'a> {
    /// Enters the request and decides what to do about it. The reply is no longer `AsSegment`.
    fn receive(&self, head: Arc<Head>, body: &[u8]) -> (Waiting<'a>, Reply) {
        let request = self.shared.keeps_requests().then(|| self.request(Arc::clone(&head), body));
        let (waiting, source) = self.shared.arrived(request.clone(), body.len());
        let reply = match source {
            Source::Fixed(reply) => reply,
            Source::Function(answer) => {
                let request = request.unwrap_or_else(|| self.request(Arc::clone(&head), body));
                answer(&request)
            }
        };
        let reply = match reply.outcome {
            Outcome::AsSegment => reply.judged(rules::judge(&head, body)),
            _ => reply,
        };
        (waiting, reply)
    }

    fn request(&self, head: Arc<Head>, body: &[u8]) -> Request {
        Request::new(head, Bytes::copy_from_slice(body), self.number)
    }

    /// Calls `settle` before the last byte, so that a client that has the whole answer finds the request settled.
    fn write(&self, bytes: &[u8], drip: Option<Duration>, settle: impl FnOnce()) -> io::Result<()> {
        let mut stream = self.stream;
        let mut rest = bytes;
        if let (Some(interval), Some((_, first))) = (drip, bytes.split_last()) {
            for byte in first {
                stream.write_all(std::slice::from_ref(byte))?;
                if !self.shared.connections.pause(interval) {
                    return Ok(());
                }
            }
            rest = bytes.get(first.len()..).unwrap_or_default();
        }
        settle();
        stream.write_all(rest)
    }

    fn refuse(&self, malformed: Malformed) -> io::Result<()> {
        let status = malformed.status();
        let response = encode::response(&Reply::status(status), status, false, false);
        self.write(&response.bytes, None, || ())?;
        // Closing over unread bytes would reset the connection and lose the answer.
        self.stream.shutdown(Shutdown::Write)?;
        self.outlast_client()
    }

    /// Keeps the connection until the client closes its side or the server stops.
    fn outlast_client(&self) -> io::Result<()> {
        let mut stream = self.stream;
        let mut discarded = [0; 4096];
        while stream.read(&mut discarded)? > 0 {}
        Ok(())
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.shared.connections.leave(self.number);
    }
}
