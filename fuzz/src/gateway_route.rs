//! The body of a request at a gateway, on the whole way from a connection to a destination.
//!
//! Not a module of this library, whose users have no gateway: the target and `gateway/tests/it/fuzzed.rs` include it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tracklane::plugin::{Batch, Batching, Destination};
use tracklane::segment::rules::raw_events;
use tracklane_gateway::{Catalog, Gateway};

const PATHS: [&str; 8] = ["/v1/batch", "/v1/t", "/v1/identify", "/v1/import", "/v1/m", "/b", "/v1/alias/", "/page"];

/// What is wrong with an event that arrived: a panic in a destination would be contained.
static WRONG: Mutex<Option<String>> = Mutex::new(None);

/// `data`: one byte for the path and the encoding, and a body.
pub fn check(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let path = PATHS[usize::from(*first) % PATHS.len()];
    let encoding = if *first >= 0xf0 { "content-encoding: gzip\r\n" } else { "" };
    let (status, answer) = ask(path, encoding, body);
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert!(matches!(status, 200 | 400 | 401 | 413 | 429), "{status}: {answer}");
    assert_eq!(answer["success"], status == 200, "{answer}");
    assert!(status == 200 || (answer["code"].is_string() && answer["message"].is_string()), "{answer}");
    if let (Some(rejected), "") = (answer["rejected"].as_array(), encoding) {
        let places: Vec<u64> = rejected.iter().map(|one| one["index"].as_u64().expect("a place")).collect();
        assert!(places.is_sorted_by(|a, b| a < b), "each once, in order: {answer}");
        let events = raw_events(body).map_or(0, |events| events.len());
        assert!(places.last().is_none_or(|last| (*last as usize) < events.max(1)), "{events} events: {answer}");
    }
    let wrong = WRONG.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    assert_eq!(wrong, None, "what arrived is an event");
}

/// What must hold of every event behind the gateway.
fn arrived(json: &[u8]) -> Result<(), String> {
    let event: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let has = |member: &str| event[member].as_str().is_some_and(|text| !text.is_empty());
    match json.len() <= 32_768 && has("type") && has("messageId") && has("timestamp") {
        true => Ok(()),
        false => Err(event.to_string()),
    }
}

/// A gateway that runs until the process ends.
struct Running {
    address: SocketAddr,
    _gateway: Gateway,
    _runtime: Runtime,
    _directory: TempDir,
}

fn running() -> &'static Running {
    static RUNNING: OnceLock<Running> = OnceLock::new();
    RUNNING.get_or_init(|| {
        let directory = TempDir::new().expect("a directory");
        let config = directory.path().join("gateway.toml");
        let text = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n[log.disk]\ndirectory = {:?}\n\
             [sources.web]\nkeys = [\"K\"]\npipeline = \"main\"\nip = \"truncate\"\n\
             [[pipelines.main.destinations]]\nplugin = \"checked\"\n",
            directory.path().join("log"),
        );
        std::fs::write(&config, text).expect("a file");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let gateway = runtime.block_on(Gateway::start(config, catalog())).expect("a gateway");
        Running { address: gateway.addresses()[0], _gateway: gateway, _runtime: runtime, _directory: directory }
    })
}

fn catalog() -> Catalog {
    Catalog::default().destination("checked", |_: std::collections::BTreeMap<String, String>| {
        let checked = Destination::from_fn("checked", |batch: Batch| async move {
            for message in batch.messages() {
                if let Err(problem) = arrived(message.json()) {
                    WRONG.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(problem);
                }
            }
            Ok::<(), std::io::Error>(())
        });
        Ok::<_, std::io::Error>(checked.batching(Batching::every(100, Duration::from_millis(1))))
    })
}

/// Sends it, and returns the status and the body of the answer.
fn ask(path: &str, encoding: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(running().address).expect("a connection");
    // Base64 of "K:".
    let key = "authorization: Basic Szo=\r\n";
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n{key}{encoding}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("there is an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("it has a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it has a status");
    (status, body.to_owned())
}
