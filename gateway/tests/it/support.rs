//! A gateway on a temporary directory, a destination that keeps what arrives, and a client that says every byte itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, Destination, RetryPolicy, Verdict, before_fn};
use tracklane::testing::{Reply, TrackingApi};
use tracklane_gateway::{Catalog, Gateway};

pub(crate) const SOON: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3_600);

/// What arrived at the destination `sink`.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    pub(crate) down: Arc<AtomicBool>,
    /// Milliseconds that a batch takes at the destination `slow`.
    pub(crate) pause: Arc<AtomicU64>,
    /// With the destination's name.
    events: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Sink {
    /// Refuses for good what has `"refuse": true` among its properties.
    fn destination(&self, name: &str) -> Destination {
        let (sink, named) = (self.clone(), name.to_owned());
        let destination = Destination::from_fn(name, move |batch: Batch| {
            let (sink, named) = (sink.clone(), named.clone());
            async move {
                if named == "slow" {
                    tokio::time::sleep(Duration::from_millis(sink.pause.load(Ordering::Acquire))).await;
                }
                if sink.down.load(Ordering::Acquire) && named == "pausing" {
                    return Ok::<_, BoxError>(
                        Answer::new(Verdict::Pause(HOUR)).with_error("the sink asks for an hour"),
                    );
                }
                if sink.down.load(Ordering::Acquire) {
                    return Ok(Answer::new(Verdict::Retry).with_error("the sink is down"));
                }
                let events: Vec<Value> =
                    batch.messages().map(|message| serde_json::from_slice(message.json()).unwrap()).collect();
                if events.iter().any(|event| event["properties"]["refuse"] == true) {
                    return Ok(Answer::new(Verdict::SplitIfProven).with_error("a property says so"));
                }
                sink.events.lock().unwrap().extend(events.into_iter().map(|event| (named.clone(), event)));
                Ok(Answer::from(()))
            }
        });
        destination.retry(RetryPolicy::new().backoff(Duration::from_millis(10), Duration::from_millis(50)))
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap().iter().map(|(_, event)| event.clone()).collect()
    }

    /// Of what arrived at the destination of this name.
    pub(crate) fn ids_of(&self, name: &str) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let of = events.iter().filter(|(named, _)| named == name);
        of.map(|(_, event)| event["messageId"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.events().iter().map(|event| event["messageId"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn last(&self) -> Value {
        self.events().pop().expect("an event arrived")
    }
}

/// The plugins of the stock, a destination that keeps events, and a plugin that drops, fails or panics as events ask.
pub(crate) fn catalog(sink: &Sink) -> Catalog {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        name: Option<String>,
    }
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    let sink = sink.clone();
    Catalog::stock()
        .destination("sink", move |settings: Named| {
            Ok::<_, BoxError>(sink.destination(settings.name.as_deref().unwrap_or("sink")))
        })
        .plugin("as-told", |_: Nothing| {
            let told =
                before_fn("as-told", |event: &mut tracklane::Event| match event.name().unwrap_or_default().as_ref() {
                    "Drop me" => Ok(tracklane::plugin::Flow::drop("asked for")),
                    "Fail on me" => Err(BoxError::from("asked for")),
                    _ => Ok(tracklane::plugin::Flow::Continue),
                });
            Ok::<_, BoxError>(told)
        })
}

/// A gateway in this process.
pub(crate) struct Running {
    pub(crate) sink: Sink,
    pub(crate) directory: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    gateway: Option<Gateway>,
    pub(crate) runtime: Runtime,
}

pub(crate) const SERVER: &str = "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n";
pub(crate) const DESTINATION: &str = "\n[[pipelines.main.destinations]]\nplugin = \"sink\"\n";

/// One source with the key `K`, one pipeline, one destination.
pub(crate) fn plain(source: &str, rest: &str) -> String {
    format!("[sources.web]\nkeys = [\"K\"]\npipeline = \"main\"\n{source}\n{rest}{DESTINATION}")
}

impl Running {
    pub(crate) fn plain() -> Self {
        Self::with(&plain("", ""))
    }

    /// With this behind `[server]` and `[log.disk]`.
    pub(crate) fn with(config: &str) -> Self {
        Self::start(TempDir::new().unwrap(), Sink::default(), "", config)
    }

    pub(crate) fn start(directory: TempDir, sink: Sink, log: &str, config: &str) -> Self {
        Self::start_all(directory, sink, "", log, config)
    }

    /// With these lines in `[server]`, in `[log.disk]`, and behind both.
    pub(crate) fn start_all(directory: TempDir, sink: Sink, server: &str, log: &str, config: &str) -> Self {
        let text = Self::text(&directory, server, log, config);
        Self::start_text(directory, sink, &text, false)
    }

    /// With this as the whole of the log, whose streams are made first if need be.
    #[cfg(unix)]
    pub(crate) fn start_with_log(directory: TempDir, sink: Sink, log: &str, config: &str, create: bool) -> Self {
        let text = format!("{SERVER}{log}{config}");
        Self::start_text(directory, sink, &text, create)
    }

    fn start_text(directory: TempDir, sink: Sink, text: &str, create_streams: bool) -> Self {
        let path = directory.path().join("gateway.toml");
        std::fs::write(&path, text).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        if create_streams {
            runtime.block_on(Gateway::create_streams(&path, &catalog(&sink))).unwrap();
        }
        let gateway = runtime.block_on(Gateway::start(&path, catalog(&sink))).unwrap();
        let (address, admin) = (gateway.addresses()[0], gateway.admin_address().unwrap());
        Self { sink, directory, address, admin, gateway: Some(gateway), runtime }
    }

    fn text(directory: &TempDir, server: &str, log: &str, config: &str) -> String {
        let log_directory = directory.path().join("log");
        format!("{SERVER}{server}\n[log.disk]\ndirectory = {log_directory:?}\n{log}\n{config}")
    }

    /// Writes another configuration over the one in force.
    pub(crate) fn rewrite(&self, config: &str) {
        std::fs::write(self.path(), Self::text(&self.directory, "", "", config)).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("gateway.toml")
    }

    /// The process ends in good order; the directory stays.
    pub(crate) fn stop(mut self) -> (TempDir, Sink) {
        let gateway = self.gateway.take().unwrap();
        self.runtime.block_on(gateway.stop());
        (self.directory, self.sink)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Response {
        self.send(&format!("POST {path}"), "", body.as_bytes())
    }

    /// The body is that of a batch with the key `K`.
    pub(crate) fn batch(&self, events: &str) -> Response {
        self.post("/v1/batch", &format!(r#"{{"writeKey":"K","batch":[{events}]}}"#))
    }

    pub(crate) fn send(&self, line: &str, headers: &str, body: &[u8]) -> Response {
        send(self.address, line, headers, body)
    }

    pub(crate) fn metric(&self, line: &str) -> Option<f64> {
        let page = send(self.admin, "GET /metrics", "", b"").body;
        page.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
    }

    pub(crate) fn arrived(&self, events: usize) {
        wait_until("the events arrived", || self.sink.events().len() >= events);
    }
}

pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A destination that fails four requests in ten while it is flaky.
pub(crate) fn flaky_api(flaky: &Arc<AtomicBool>) -> TrackingApi {
    let api = TrackingApi::start().unwrap();
    let is_flaky = Arc::clone(flaky);
    api.reply_with(move |_| match fastrand::u32(..10) {
        0..=2 if is_flaky.load(Ordering::Acquire) => Reply::status(503),
        3 if is_flaky.load(Ordering::Acquire) => Reply::reset(),
        _ => Reply::as_segment(),
    });
    api
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

pub(crate) fn send(address: SocketAddr, line: &str, headers: &str, body: &[u8]) -> Response {
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n");
    raw(address, &[format!("{head}{headers}\r\n").as_bytes(), body].concat())
}

/// All of the answer to these bytes.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Response {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    // The server may answer before it has read all.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Response { status, head: head.to_owned(), body: body.to_owned() }
}
