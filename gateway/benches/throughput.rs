//! How many events a second are safe on the disk: batches of 100 and single events, beside a no-op axum handler.
//!
//! `cargo bench -p tracklane-gateway`, or with `-- batches` or `-- single` behind it one kind of load. Both servers run in
//! processes of their own on two threads each; the load comes from this one, over loopback, and takes part of the same
//! machine. Rounds of the two alternate, and medians are shown. The destination behind the gateway takes everything at once,
//! so that what goes to it and is deleted is in the figures.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::routing::post;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracklane::plugin::{Batch, Batching, Destination};
use tracklane_gateway::{Catalog, Gateway};

const ROLE: &str = "TRACKLANE_GATEWAY_BENCH_ROLE";
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("noop") => serve(noop()),
        Ok(directory) => serve(gateway(directory.to_owned())),
        Err(_) => measure(),
    }
}

fn serve(server: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(server);
}

fn listening(address: SocketAddr) {
    println!("listening {address}");
    std::io::stdout().flush().unwrap();
}

async fn noop() {
    let answer = |_: bytes::Bytes| async { "{\"success\":true}" };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listening(listener.local_addr().unwrap());
    axum::serve(listener, axum::Router::new().route("/v1/batch", post(answer))).await.unwrap();
}

async fn gateway(directory: String) {
    #[derive(serde::Deserialize)]
    struct Nothing {}
    let catalog = Catalog::stock().destination("nowhere", |_: Nothing| {
        let nowhere = Destination::from_fn("nowhere", |_: Batch| async { Ok::<(), std::io::Error>(()) });
        Ok::<_, std::io::Error>(nowhere.batching(Batching::every(1_000, Duration::from_millis(50))))
    });
    let config = format!("{directory}/gateway.toml");
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n[log.disk]\ndirectory = \"{directory}/log\"\n\
         max_bytes = \"4GB\"\n[sources.bench]\nkeys = [\"K\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"nowhere\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let gateway = Gateway::start(config, catalog).await.unwrap();
    listening(gateway.addresses()[0]);
    gateway.run_until_signalled().await;
}

/// A server in a process of its own.
struct Server {
    child: Child,
    address: SocketAddr,
    /// How long it took until it listened.
    started_in: Duration,
}

impl Server {
    fn start(role: &str) -> Self {
        let begun = Instant::now();
        let mut child =
            Command::new(std::env::current_exe().unwrap()).env(ROLE, role).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().strip_prefix("listening ")?.parse().ok()).unwrap();
        Self { child, address, started_in: begun.elapsed() }
    }

    /// Seconds of CPU that it has used; 0 where that cannot be asked.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
        (ticks(11) + ticks(12)) / 100.0
    }

    /// MiB that it has in memory.
    fn memory(&self) -> f64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap_or_default();
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or_default() * 4_096.0 / 1_048_576.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One kind of load.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    events: usize,
    connections: usize,
    /// Of each connection, from one request to the next.
    every: Option<Duration>,
}

/// What one round showed.
struct Round {
    per_second: f64,
    cpu_micros: f64,
    p50: f64,
    p99: f64,
}

fn request(events: usize) -> Vec<u8> {
    let event = |n: usize| {
        let id = format!("ajs-next-1754300000000-8f9a3c1e-1111-4222-8333-{n:012}");
        format!(
            r#"{{"type":"track","messageId":"{id}","timestamp":"2026-08-04T09:33:20.000Z","event":"Order Completed","userId":"019mr8mf4r","anonymousId":"507f191e-810c-4197-9de8-60ea00000000","properties":{{"order_id":"50314b8e9bcf000000000000","total":27.5,"currency":"USD","coupon":"hasbros","products":3}},"context":{{"library":{{"name":"analytics.js","version":"npm:next-1.84.0"}},"locale":"en-US","page":{{"path":"/checkout","title":"Checkout"}}}}}}"#
        )
    };
    let batch: Vec<String> = (0..events).map(event).collect();
    let body = format!(r#"{{"batch":[{}],"sentAt":"2026-08-04T09:33:20.000Z","writeKey":"K"}}"#, batch.join(","));
    let head = format!("POST /v1/batch HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

async fn round(server: &Server, load: Load) -> Round {
    let request: Arc<[u8]> = request(load.events).into();
    let (begun, cpu) = (Instant::now(), server.cpu());
    let connections: Vec<_> = (0..load.connections)
        .map(|at| tokio::spawn(connection(server.address, Arc::clone(&request), begun + ROUND, load, at)))
        .collect();
    let mut latencies = Vec::new();
    for connection in connections {
        latencies.extend(connection.await.unwrap());
    }
    let (elapsed, events) = (begun.elapsed().as_secs_f64(), (latencies.len() * load.events) as f64);
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    let cpu_micros = (server.cpu() - cpu) * 1e6 / events;
    Round { per_second: events / elapsed, cpu_micros, p50: at(0.5), p99: at(0.99) }
}

/// Sends one request after the other until the end, and notes how long each took.
async fn connection(address: SocketAddr, request: Arc<[u8]>, end: Instant, load: Load, at: usize) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut latencies, mut answer) = (Vec::new(), vec![0; 4_096]);
    let mut due = Instant::now() + load.every.unwrap_or_default().mul_f64(at as f64 / load.connections as f64);
    while Instant::now() < end {
        if let Some(every) = load.every {
            tokio::time::sleep_until(due.into()).await;
            due += every;
        }
        let sent = Instant::now();
        stream.write_all(&request).await.unwrap();
        let mut length = 0;
        while !answer[..length].ends_with(b"{\"success\":true}") {
            let count = stream.read(&mut answer[length..]).await.unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&answer[..length]));
            length += count;
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..length]));
        latencies.push(sent.elapsed());
    }
    latencies
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure() {
    let directory = tempfile::TempDir::new_in(std::env::var("BENCH_DIRECTORY").unwrap_or_else(|_| ".".to_owned()));
    let directory = directory.unwrap();
    let (noop, gateway) = (Server::start("noop"), Server::start(directory.path().to_str().unwrap()));
    println!(
        "gateway: started in {:.0} ms, idle: {:.1} MiB\n",
        gateway.started_in.as_secs_f64() * 1e3,
        gateway.memory()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("| load | server | events/s | CPU µs per event | p50 ms | p99 ms |\n|---|---|--:|--:|--:|--:|");
    let selected: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let kinds = [("batches of 100", 100, 32), ("single events", 1, 256)];
    let is_selected = |name: &str| selected.is_empty() || selected.iter().any(|part| name.contains(part.as_str()));
    for (name, events, connections) in kinds.into_iter().filter(|(name, ..)| is_selected(name)) {
        let full = Load { name, events, connections, every: None };
        let per_second = both(&runtime, &noop, &gateway, full);
        let every = Duration::from_secs_f64((events * connections) as f64 / (per_second / 2.0));
        let half = Load { every: Some(every), ..full };
        show(&format!("{name}, half of that"), "gateway", &rounds(&runtime, &[&gateway], half)[0]);
    }
    println!("\ngateway at the end: {:.1} MiB", gateway.memory());
}

/// Rounds of both in turn. Returns the gateway's events a second.
fn both(runtime: &tokio::runtime::Runtime, noop: &Server, gateway: &Server, load: Load) -> f64 {
    let rounds = rounds(runtime, &[noop, gateway], load);
    show(load.name, "no-op handler", &rounds[0]);
    show(load.name, "gateway", &rounds[1]);
    median(rounds[1].iter().map(|round| round.per_second).collect())
}

fn rounds(runtime: &tokio::runtime::Runtime, servers: &[&Server], load: Load) -> Vec<Vec<Round>> {
    let mut rounds: Vec<Vec<Round>> = servers.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (server, rounds) in servers.iter().zip(&mut rounds) {
            rounds.push(runtime.block_on(round(server, load)));
        }
    }
    rounds
}

fn show(load: &str, server: &str, rounds: &[Round]) {
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    println!(
        "| {load} | {server} | {:.0} | {:.2} | {:.2} | {:.2} |",
        of(|round| round.per_second),
        of(|round| round.cpu_micros),
        of(|round| round.p50),
        of(|round| round.p99),
    );
}
