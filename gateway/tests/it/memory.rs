//! Memory has a bound, whatever clients send and however many there are.
//!
//! `TRACKLANE_GATEWAY_CONNECTIONS` sets how many there are; a long run is
//! `TRACKLANE_GATEWAY_CONNECTIONS=9000 cargo test --release -p tracklane-gateway --test it memory -- --nocapture`, which
//! needs as many file descriptors (`ulimit -n`).

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::time::timeout;

use crate::process::Process;
use crate::support::{SOON, send, wait_until};

const CONNECTIONS: usize = 200;
/// Requests of each connection.
const ROUNDS: usize = 3;
const MIB: u64 = 1 << 20;

fn write_config(directory: &Path, server: &str) {
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n{server}\n[log.disk]\ndirectory = {:?}\n\
         [sources.app]\nkeys = [\"K\"]\npipeline = \"main\"\n[[pipelines.main.destinations]]\nplugin = \"nowhere\"\n",
        directory.join("log"),
    );
    std::fs::write(directory.join("gateway.toml"), text).unwrap();
}

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A body that is small on the wire and large in memory, or slow.
struct Bomb {
    what: &'static str,
    request: Vec<u8>,
    /// What is sent, before a pause in which nothing comes.
    until_the_pause: usize,
}

impl Bomb {
    fn new(what: &'static str, headers: &str, body: &[u8]) -> Self {
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
            body.len()
        );
        let request = [head.as_bytes(), body].concat();
        Self { what, until_the_pause: request.len(), request }
    }

    fn gzip(what: &'static str, body: &str) -> Self {
        Self::new(what, "content-encoding: gzip\r\n", &zipped(body.as_bytes()))
    }

    fn slow(self, what: &'static str, until_the_pause: usize) -> Self {
        Self { what, until_the_pause: until_the_pause.min(self.request.len()), ..self }
    }
}

fn bombs() -> Vec<Bomb> {
    let batch = |around: &str, event: &str, count: usize| {
        format!(r#"{{"writeKey":"K"{around},"batch":[{}]}}"#, vec![event; count].join(","))
    };
    let large = format!(r#"{{"type":"track","event":"E","userId":"u","properties":{{"p":"{}"}}}}"#, "x".repeat(30_000));
    let context = format!(r#","context":{{"c":"{}"}}"#, "x".repeat(30_000));
    let plain = batch("", &large, 100);
    vec![
        Bomb::gzip("64 MB of spaces", &" ".repeat(64 << 20)),
        Bomb::gzip("two million elements", &batch("", "0", 2_000_000)),
        Bomb::gzip("as many bad events as may be", &batch("", "0", 10_000)),
        Bomb::gzip("large events", &batch("", &large, 130)),
        Bomb::gzip("small events with a large context", &batch(&context, r#"{"type":"page","userId":"u"}"#, 5_000)),
        Bomb::gzip("deep", &"[".repeat(3 << 20)),
        Bomb::new("a plain body", "", plain.as_bytes()),
        Bomb::new("", "", plain.as_bytes()).slow("a plain body that stops in its middle", 400_000),
        Bomb::gzip("", &plain).slow("a gzip body that stops in its middle", 1_000),
    ]
}

/// Sends the same request a few times, and counts what it is answered with; 0 stands for no answer.
async fn client(address: SocketAddr, bomb: Arc<Bomb>, all_connected: Arc<Barrier>, pause: Duration) -> Vec<u16> {
    let mut stream = TcpStream::connect(address).await.ok();
    all_connected.wait().await;
    let mut statuses = Vec::new();
    for _ in 0..ROUNDS {
        let status = match &mut stream {
            Some(open) => timeout(4 * SOON, exchange(open, &bomb, pause)).await.ok().flatten(),
            None => None,
        };
        statuses.push(status.unwrap_or(0));
        // An answer before the end of the body ends the connection.
        stream = TcpStream::connect(address).await.ok();
    }
    statuses
}

async fn exchange(stream: &mut TcpStream, bomb: &Bomb, pause: Duration) -> Option<u16> {
    let (now, later) = bomb.request.split_at(bomb.until_the_pause);
    // The server may answer before it has read all.
    let _ = stream.write_all(now).await;
    if !later.is_empty() {
        tokio::time::sleep(pause).await;
        let _ = stream.write_all(later).await;
    }
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.ok()?;
    std::str::from_utf8(&answer).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

/// A client whose body the server has but for the last byte.
struct First<'b> {
    stream: std::net::TcpStream,
    last: &'b [u8],
}

impl<'b> First<'b> {
    fn begin(gateway: &Process, request: &'b [u8]) -> Self {
        let (most, last) = request.split_at(request.len() - 1);
        let before = gateway.memory("VmRSS");
        let mut stream = std::net::TcpStream::connect(gateway.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(most).unwrap();
        wait_until("the server has the body", || gateway.memory("VmRSS") >= before + most.len() as u64);
        Self { stream, last }
    }

    fn end(mut self) -> u16 {
        self.stream.write_all(self.last).unwrap();
        let mut answer = [0; 12];
        self.stream.read_exact(&mut answer).unwrap();
        std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap()
    }
}

#[test]
fn bombs_and_slow_clients_on_many_connections_stay_within_the_budget() {
    let long = std::env::var("TRACKLANE_GATEWAY_CONNECTIONS").ok().map(|count| count.parse::<usize>().unwrap());
    let connections = long.unwrap_or(CONNECTIONS);
    // The short form has a budget that these few can use up.
    let (server, budget) = match long {
        Some(_) => ("", 512 * MIB),
        None => ("max_connections = 256\nmax_memory = \"32MiB\"", 32 * MIB),
    };
    let directory = TempDir::new().unwrap();
    write_config(directory.path(), server);
    let gateway = Process::gateway(directory.path());
    let idle = gateway.memory("VmRSS");
    println!("idle: {} MiB", idle / MIB);
    assert!(idle <= 40 * MIB, "{} MiB while nothing happens", idle / MIB);

    let bombs: Vec<Arc<Bomb>> = bombs().into_iter().map(Arc::new).collect();
    let plain = bombs.iter().find(|bomb| bomb.what == "a plain body").unwrap();
    // The long form takes longer than a body may.
    let first = long.is_none().then(|| First::begin(&gateway, &plain.request));
    let pause = if long.is_some() { Duration::from_secs(10) } else { Duration::from_secs(1) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut statuses = runtime.block_on(async {
        let all_connected = Arc::new(Barrier::new(connections));
        let clients: Vec<_> = (0..connections)
            .map(|at| {
                let bomb = Arc::clone(&bombs[at % bombs.len()]);
                let client = client(gateway.address, Arc::clone(&bomb), Arc::clone(&all_connected), pause);
                (bomb.what, tokio::spawn(client))
            })
            .collect();
        let mut statuses: BTreeMap<(&str, u16), usize> = BTreeMap::new();
        for (what, client) in clients {
            for status in client.await.unwrap() {
                *statuses.entry((what, status)).or_default() += 1;
            }
        }
        statuses
    });
    if let Some(first) = first {
        statuses.insert(("the first body", first.end()), 1);
    }
    let peak = gateway.memory("VmHWM");
    println!("{connections} connections: at most {} MiB, budget {} MiB\n{statuses:#?}", peak / MIB, budget / MIB);
    assert!(peak <= budget + 64 * MIB, "{} MiB with a budget of {} MiB: {statuses:#?}", peak / MIB, budget / MIB);
    let expected = |status: &u16| matches!(status, 0 | 200 | 400 | 401 | 408 | 413 | 429);
    assert!(statuses.keys().all(|(_, status)| expected(status)), "{statuses:#?}");
    // Whoever has got memory first keeps it, and is served. Which clients these are besides the first one depends on the
    // machine.
    assert!(statuses.keys().any(|(_, status)| *status == 200), "{statuses:#?}");

    // What the bombs took is free again.
    for what in ["a plain body", "large events"] {
        let bomb = bombs.iter().find(|bomb| bomb.what == what).unwrap();
        let answer = crate::support::raw(gateway.address, &bomb.request);
        assert_eq!(answer.status, 200, "{what}, after the bombs: {answer:?}");
    }
    assert_eq!(send(gateway.address, "GET /health/live", "", b"").status, 200);
}
