//! A scripted server on this machine, for the tests of destinations. Behind the feature `testing`.
//!
//! Real sockets, and no runtime: each connection has a thread. Nothing sleeps that the end of the server does not wake.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tracklane::plugin::{Destination, RetryPolicy};
use tracklane::{Analytics, SettingsError};

/// Bytes of a request's head at most.
const MOST_HEAD: usize = 64 * 1024;
/// Bytes of a request's body at most.
const MOST_BODY: usize = 64 * 1024 * 1024;

/// A client with that destination, which makes three attempts with no wait between them.
///
/// # Errors
///
/// Returns an error if the destination cannot be registered.
pub fn client(destination: Destination) -> Result<Analytics, SettingsError> {
    let retry = RetryPolicy::new().max_retries(2).backoff(Duration::ZERO, Duration::ZERO);
    Analytics::builder().plugin(destination.retry(retry)).build()
}

/// A request as the server got it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The exact bytes of the body.
    pub body: Vec<u8>,
}

impl Request {
    /// Returns a header as text; empty if it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the body as text, decompressed if it is gzip.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be decompressed or is not UTF-8.
    pub fn text(&self) -> io::Result<String> {
        let mut text = String::new();
        match self.header("content-encoding") {
            "gzip" => flate2::read::MultiGzDecoder::new(&*self.body).read_to_string(&mut text)?,
            _ => (&*self.body).read_to_string(&mut text)?,
        };
        Ok(text)
    }

    /// Returns the body as JSON, decompressed if it is gzip.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not that.
    pub fn json(&self) -> io::Result<serde_json::Value> {
        Ok(serde_json::from_str(&self.text()?)?)
    }
}

/// The server's reaction to a request.
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    delay: Duration,
    cut: Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Nothing,
    All,
    HalfTheBody,
}

impl Reply {
    /// An answer with that status, which counts as 500 if it is none.
    pub fn new(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body: Vec::new(), delay: Duration::ZERO, cut: Cut::Nothing }
    }

    /// No answer: the connection is reset once the request has been read.
    pub fn reset() -> Self {
        Self { cut: Cut::All, ..Self::new(200) }
    }

    /// No answer for longer than any test waits.
    pub fn hang() -> Self {
        Self::new(200).delay(Duration::from_secs(24 * 60 * 60))
    }

    /// Adds a header. One that is not valid is left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.append(name, value);
        }
        self
    }

    /// The body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Waits before it answers.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Resets the connection after the head and half of the body.
    pub fn reset_in_body(mut self) -> Self {
        self.cut = Cut::HalfTheBody;
        self
    }

    fn write(&self) -> (Vec<u8>, bool) {
        let reason = self.status.canonical_reason().unwrap_or("Unknown");
        let mut out = format!("HTTP/1.1 {} {reason}\r\n", self.status.as_u16()).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
        let body = match self.cut {
            Cut::Nothing => &*self.body,
            Cut::All => return (Vec::new(), true),
            Cut::HalfTheBody => self.body.get(..self.body.len() / 2).unwrap_or_default(),
        };
        out.extend_from_slice(body);
        (out, self.cut != Cut::Nothing)
    }
}

/// The server. It ends when the last clone of it is dropped.
///
/// ```
/// use tracklane_http::testing::{Reply, Server};
///
/// let server = Server::start([Reply::new(503).header("retry-after", "2"), Reply::reset(), Reply::new(200)])?;
/// assert!(server.url("/hook").starts_with("http://127.0.0.1:"));
/// assert!(server.requests().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    _stop: Arc<Stop>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    script: VecDeque<Reply>,
    otherwise: Reply,
    requests: Vec<Request>,
    has_stopped: bool,
}

/// Wakes the waiting threads, and the thread that accepts.
#[derive(Debug)]
struct Stop {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts on a free port of 127.0.0.1 and answers with `replies` in their order, then with 200 and no body.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no port or no thread.
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = State {
            script: replies.into_iter().collect(),
            otherwise: Reply::new(200),
            requests: Vec::new(),
            has_stopped: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = shared.clone();
        thread::Builder::new().name("scripted-server".to_owned()).spawn(move || accept(&listener, &accepting))?;
        let stop = Arc::new(Stop { address, shared: shared.clone() });
        Ok(Self { address, shared, _stop: stop })
    }

    /// Sets the reply after the end of the script, in place of 200.
    pub fn otherwise(&self, reply: Reply) {
        self.shared.state().otherwise = reply;
    }

    /// The URL of a path, such as `/hook`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Waits until there are `count` requests, at most `timeout`, and gives those that there are.
    #[must_use]
    pub fn wait_for_requests(&self, count: usize, timeout: Duration) -> Vec<Request> {
        let give_up = Instant::now() + timeout;
        let mut state = self.shared.state();
        while state.requests.len() < count {
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.requests.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and takes the reply to it.
    fn reply_to(&self, request: Request) -> Reply {
        let mut state = self.state();
        state.requests.push(request);
        let reply = state.script.pop_front().unwrap_or_else(|| state.otherwise.clone());
        drop(state);
        self.changed.notify_all();
        reply
    }

    /// Waits; whether the server still runs.
    fn wait(&self, delay: Duration) -> bool {
        let give_up = Instant::now() + delay;
        let mut state = self.state();
        while !state.has_stopped {
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.shared.state().has_stopped = true;
        self.shared.changed.notify_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.state().has_stopped {
            return;
        }
        let (Ok(stream), shared) = (stream, shared.clone()) else { continue };
        // A test notices a missing answer if a connection was not served.
        let _ = thread::Builder::new().name("scripted-connection".to_owned()).spawn(move || serve(stream, &shared));
    }
}

/// Serves a connection until its other end closes it, or a reply does.
fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut read = Vec::new();
    while let Some(request) = next_request(&mut stream, &mut read)? {
        let reply = shared.reply_to(request);
        if !shared.wait(reply.delay) {
            return Ok(());
        }
        let (bytes, reset) = reply.write();
        stream.write_all(&bytes)?;
        stream.flush()?;
        if reset {
            return socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
    }
    Ok(())
}

/// The next request; none if the connection was closed before it was whole.
fn next_request(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        if let Some((head_len, body_len, mut request)) = parse_head(read)? {
            while read.len() < head_len + body_len {
                if !read_more(stream, read)? {
                    return Ok(None);
                }
            }
            request.body = read.drain(..head_len + body_len).skip(head_len).collect();
            return Ok(Some(request));
        }
        if !read_more(stream, read)? {
            return Ok(None);
        }
    }
}

/// The head of a request with its length and that of the body, once it is whole.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(usize, usize, Request)>> {
    let invalid = |problem: &str| io::Error::new(io::ErrorKind::InvalidData, problem.to_owned());
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(len) = head.parse(bytes).map_err(|error| invalid(&error.to_string()))? else {
        return if bytes.len() > MOST_HEAD { Err(invalid("the head is too long")) } else { Ok(None) };
    };
    let method = Method::try_from(head.method.unwrap_or_default()).map_err(|error| invalid(&error.to_string()))?;
    let mut map = HeaderMap::new();
    for header in head.headers.iter() {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(header.name), HeaderValue::from_bytes(header.value)) else {
            return Err(invalid("a header is not valid"));
        };
        map.append(name, value);
    }
    let body_len = match map.get("content-length").map(|len| len.to_str().unwrap_or_default().parse::<usize>()) {
        None => 0,
        Some(Ok(len)) if len <= MOST_BODY => len,
        Some(_) => return Err(invalid("the length of the body is not valid")),
    };
    let path = head.path.unwrap_or_default().to_owned();
    Ok(Some((len, body_len, Request { method, path, headers: map, body: Vec::new() })))
}

fn read_more(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 8 * 1024];
    let len = stream.read(&mut piece)?;
    read.extend_from_slice(piece.get(..len).unwrap_or_default());
    Ok(len > 0)
}
