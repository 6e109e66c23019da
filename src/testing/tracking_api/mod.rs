//! A local server that speaks Segment's HTTP tracking API.
//!
//! It tests code that sends events over a real socket, with answers that a real service gives only on its worst days.
//! Dropping the handle closes every connection and joins every thread. It speaks plain HTTP/1.1 on the loopback
//! interface only: no TLS, no HTTP/2, no content coding but gzip, and no check of the write key.

mod coding;
mod connection;
mod connections;
mod encode;
mod expect;
mod http1;
mod observe;
mod reader;
mod record;
mod reply;
mod request;
mod rules;
mod script;
mod server;
mod shared;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

pub use reply::Reply;
pub use request::Request;

use script::Source;
use shared::Shared;

/// The time that dropping tries to reach its own listener. Loopback answers at once or not at all.
const WAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// A local server that speaks Segment's HTTP tracking API, for tests and benchmarks.
///
/// It listens on a free port of `127.0.0.1`, serves from threads of its own (no async runtime is needed, any may be
/// used) and records what arrives. By default it answers as Segment does:
///
/// | Request | Answer |
/// |---|---|
/// | `POST` of JSON to `/v1/batch`, `/v1/import`, `/v1/b`, `/v1/track`, `/v1/identify`, `/v1/page`, `/v1/screen`, `/v1/group`, `/v1/alias`, or the short paths of browsers, `/v1/t`, `/v1/i`, `/v1/p`, `/v1/s`, `/v1/g`, `/v1/a` and `/v1/m` | 200 `{"success":true}` |
/// | the same, compressed by gzip with `Content-Encoding: gzip` | the same |
/// | the same with malformed JSON, more than 500 000 bytes, or an event of more than 32 768 bytes | 400 |
/// | the same in another `Content-Encoding` | 415 |
/// | another method on one of these paths | 405 |
/// | any other path | 404 |
///
/// The sizes are those of the decompressed body.
///
/// [`script`](Self::script) sets the replies to the next requests, one each. [`set_default`](Self::set_default) and
/// [`reply_with`](Self::reply_with) set the reply once the script has run out. Such replies are sent whatever the
/// request looks like; [`Reply::as_segment`] applies the rules above.
///
/// Requests are listed, and take replies from the script, in the order in which they were
/// received completely. Bytes that are not HTTP/1.1 are answered with 400 and not recorded.
///
/// # Example
///
/// A server that fails once; the client tries again.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use std::time::Duration;
/// use tracklane::testing::{Reply, TrackingApi};
///
/// # fn main() -> std::io::Result<()> {
/// let api = TrackingApi::start()?;
/// api.script([Reply::status(503).header("retry-after", "1")]);
///
/// # let address = api.url().replace("http://", "");
/// // Sends a request in place of the client under test, which would be given `api.url()`.
/// let post = |json: &str| -> std::io::Result<String> {
///     let mut stream = TcpStream::connect(&address)?;
///     write!(
///         stream,
///         "POST /v1/batch HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{json}",
///         json.len(),
///     )?;
///     let mut answer = String::new();
///     stream.read_to_string(&mut answer)?;
///     Ok(answer)
/// };
///
/// let batch = r#"{"batch":[{"type":"track","event":"Signed Up","messageId":"m-1"}]}"#;
/// assert!(post(batch)?.starts_with("HTTP/1.1 503 "));
/// assert!(post(batch)?.starts_with("HTTP/1.1 200 "));
///
/// let events = api.wait_for_events(1, Duration::from_secs(5));
/// assert_eq!(events[0]["event"], "Signed Up");
/// assert_eq!(api.delivered_ids(), ["m-1"]);
/// assert_eq!(api.requests()[0].answered(), Some(503));
/// # Ok(())
/// # }
/// ```
///
/// # Waiting in async tests
///
/// [`wait_for_requests`](Self::wait_for_requests) and [`wait_for_events`](Self::wait_for_events)
/// block the thread, and with it the other tasks of a test with a single-threaded runtime. The client has a thread of its
/// own and goes on. A client on the test's runtime ([`Builder::runtime`](crate::Builder::runtime)) does not: share the server
/// in an [`Arc`] and wait inside the runtime's `spawn_blocking`.
pub struct TrackingApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl TrackingApi {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// Returns an error if no port can be bound or the accepting thread cannot be started.
    pub fn start() -> io::Result<TrackingApi> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let acceptor = server::spawn(listener, Arc::clone(&shared))?;
        Ok(TrackingApi { address, shared, acceptor: Some(acceptor) })
    }

    /// Returns the URL of the server: `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Appends replies to the script. Every request takes one, in order of arrival. When none is left, the default is
    /// used again.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        // Collected first: the iterator is the caller's code and must not run under the lock.
        self.shared.script(replies.into_iter().collect());
    }

    /// Sets the reply while the script is empty, in place of an earlier default.
    ///
    /// `set_default(Reply::as_segment())` restores the behaviour of a fresh server.
    pub fn set_default(&self, reply: Reply) {
        self.shared.set_fallback(Source::Fixed(reply));
    }

    /// Sets a function that returns the reply while the script is empty, in place of an earlier default.
    ///
    /// It runs on the connection's thread, at the same time as for other connections. If it panics, the connection is
    /// closed without an answer. Dropping the server waits for it.
    pub fn reply_with(&self, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        self.shared.set_fallback(Source::Function(Arc::new(answer)));
    }

    /// Answers every request with [`Reply::ok`] without looking at it. This is the cheapest way to serve, for
    /// benchmarks. The same as `set_default(Reply::ok())`.
    pub fn accept_everything(&self) {
        self.set_default(Reply::ok());
    }

    /// Only counts requests and their bytes from now on, so that memory stays level under load. Earlier records are
    /// kept.
    pub fn count_only(&self) {
        self.shared.count_only();
    }

    /// Stops the accepting thread, which sleeps in the kernel until somebody connects.
    fn join_acceptor(&mut self) {
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        let woken = TcpStream::connect_timeout(&self.address, WAKE_TIMEOUT).is_ok();
        // Should the connection fail (no descriptors left), joining might never return.
        if woken || acceptor.is_finished() {
            let _ = acceptor.join();
        }
    }
}

impl Drop for TrackingApi {
    fn drop(&mut self) {
        self.shared.connections.stop();
        self.join_acceptor();
    }
}

impl fmt::Debug for TrackingApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackingApi")
            .field("url", &self.url())
            .field("request_count", &self.request_count())
            .field("connections", &self.connections())
            .field("open_connections", &self.open_connections())
            .finish_non_exhaustive()
    }
}
