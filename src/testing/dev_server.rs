//! Asks a running `tracklane dev` for events that a test expects.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::expect::{ExpectError, Expectation, NotMet, Verdict};

const DEFAULT_URL: &str = "http://127.0.0.1:8765";
/// How long an answer may take beyond the time of an expectation.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `tracklane dev`, for tests of a program that sends there.
///
/// ```no_run
/// use serde_json::json;
/// use tracklane::testing::{DevServer, Expectation};
///
/// // Beside `tracklane dev --exec -- cargo test`, or a `tracklane dev` on its port.
/// let dev = DevServer::from_env();
/// let events = dev.expect(Expectation::new().event(json!({ "event": "Order Completed" })).scope("KEY"))?;
/// assert_eq!(events[0]["userId"], "42");
/// # Ok::<(), tracklane::testing::ExpectError>(())
/// ```
#[derive(Clone)]
pub struct DevServer {
    url: String,
    token: Option<String>,
}

impl DevServer {
    /// The server at this URL, such as `http://127.0.0.1:8765`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), token: None }
    }

    /// The server that the environment names: `TRACKLANECTL_URL`, which `tracklane dev --exec` sets, and
    /// `TRACKLANECTL_TOKEN`. Without the first it is the one on the usual port of this machine.
    #[must_use]
    pub fn from_env() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let url = variable("TRACKLANECTL_URL").unwrap_or_else(|| DEFAULT_URL.to_owned());
        Self { url, token: variable("TRACKLANECTL_TOKEN") }
    }

    /// Sets the token that the server was started with.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Blocks until the expectation is met or cannot be met any more, at most for its time. Returns the event that met
    /// each matcher, in the order of the matchers. Events count that arrived, however they were answered.
    ///
    /// # Errors
    ///
    /// If it is not met; the error shows the events that came nearest, and where they differ. If it is no expectation,
    /// the server is not reached, or what it was asked for had to make room for newer events.
    pub fn expect(&self, expectation: Expectation) -> Result<Vec<Value>, ExpectError> {
        expectation.check()?;
        let body = json!(expectation).to_string();
        let (status, answer) = self.ask("POST", "expect", &body, expectation.time().saturating_add(PATIENCE))?;
        if !matches!(status, 200 | 417) {
            return Err(self.refused(status, &answer));
        }
        let verdict: Verdict = serde_json::from_value(answer)
            .map_err(|error| self.problem("the answer is not that of `tracklane dev`", Some(error.into())))?;
        if !verdict.met {
            return Err(ExpectError::NotMet(Box::new(NotMet::new(verdict, expectation.all()))));
        }
        verdict.events.iter().flatten().map(|seq| self.event(*seq)).collect()
    }

    /// One event, with the type that its path gave it.
    fn event(&self, seq: u64) -> Result<Value, ExpectError> {
        let (status, mut answer) = self.ask("GET", &format!("events/{seq}"), "", PATIENCE)?;
        if status != 200 {
            return Err(self.refused(status, &answer));
        }
        let kind = answer.pointer_mut("/head/kind").map(Value::take).filter(|kind| !kind.is_null());
        let mut event = answer.get_mut("event").map(Value::take).unwrap_or_default();
        if let (Some(members), Some(kind)) = (event.as_object_mut(), kind) {
            members.insert("type".to_owned(), kind);
        }
        Ok(event)
    }

    fn ask(&self, method: &str, path: &str, body: &str, patience: Duration) -> Result<(u16, Value), ExpectError> {
        let unreachable =
            |error: io::Error| self.problem("is not reached: start it with `tracklane dev`", Some(error.into()));
        let address = self.address().ok_or_else(|| self.problem("is no URL of a `tracklane dev`", None))?;
        let mut stream = TcpStream::connect(address).map_err(unreachable)?;
        stream.set_read_timeout(Some(patience)).map_err(unreachable)?;
        let token = self.token.as_ref().map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
        let length = body.len();
        let request = format!(
            "{method} /__tracklane/{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{token}content-length: \
             {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).map_err(unreachable)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(unreachable)?;
        parse(&answer).ok_or_else(|| self.problem("the answer is not that of `tracklane dev`", None))
    }

    /// Host and port.
    fn address(&self) -> Option<&str> {
        let address = self.url.trim().strip_prefix("http://")?.trim_end_matches('/');
        (address.contains(':') && !address.contains(['/', '@', '?']) && !address.contains(char::is_whitespace))
            .then_some(address)
    }

    /// The URL without what may be a secret.
    fn shown(&self) -> &str {
        if self.url.contains(['@', '?']) { "the URL" } else { &self.url }
    }

    fn refused(&self, status: u16, answer: &Value) -> ExpectError {
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => self.problem(error, None),
            None => self.problem(&format!("answers {status}"), None),
        }
    }

    fn problem(&self, problem: &str, source: Option<crate::error::BoxError>) -> ExpectError {
        ExpectError::Server { problem: format!("{}: {problem}", self.shown()), source }
    }
}

/// Shows no token.
impl fmt::Debug for DevServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevServer").field("url", &self.shown()).finish_non_exhaustive()
    }
}

/// Status and JSON of an answer that has ended. What is no JSON is null.
fn parse(answer: &[u8]) -> Option<(u16, Value)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = response.parse(answer).ok()? else { return None };
    let body = serde_json::from_slice(answer.get(end..)?).unwrap_or_default();
    Some((response.code?, body))
}
