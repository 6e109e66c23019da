//! How many events a second go into the log in JetStream, and out of it: `cargo bench -p tracklane-gateway --bench jetstream`.
//!
//! One NATS server (`NATS_SERVER`, or in `PATH`) with one copy of each event, the gateway, the worker and the load
//! share this machine; gateway, worker and load share this process. Plain publishing in the same run is the yardstick.
//!
//! `-- three` starts three servers that keep three copies. `-- always` lets the servers sync each message to the disk
//! before they acknowledge it.

use std::fmt::{self, Display, Formatter};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use futures_util::StreamExt;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracklane::plugin::{Batch, Batching, Destination};
use tracklane_gateway::{Catalog, Gateway, Worker};

const ROUND: Duration = Duration::from_secs(3);
const PARTITIONS: u16 = 4;

#[tokio::main]
async fn main() {
    let wanted = |name: &str| std::env::args().any(|argument| argument == name);
    let Some(servers) = Servers::start(if wanted("three") { 3 } else { 1 }, wanted("always")) else {
        println!("skipped: no nats-server is in PATH or named by NATS_SERVER (.ci/nats installs one)");
        return;
    };
    let (directory, arrived) = (TempDir::new().unwrap(), Arc::new(AtomicU64::new(0)));
    let config = directory.path().join("gateway.toml");
    std::fs::write(&config, text(&servers, directory.path())).unwrap();
    let begun = Instant::now();
    while let Err(error) = Gateway::create_streams(&config, &catalog(&arrived)).await {
        // A cluster needs some seconds to choose a leader.
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let context = jetstream::new(async_nats::connect(servers.urls()).await.unwrap());
    let messages = plain(&context, servers.list.len()).await;
    println!("plain publishing, 500 bytes, 256 in flight: {messages:.0} messages/s");

    let gateway = Gateway::start(&config, catalog(&arrived)).await.unwrap();
    let address = gateway.addresses()[0];
    let mut stored = 0;
    for (name, events, connections) in [("batches of 100", 100, 16), ("single events", 1, 64)] {
        let whole = load(address, events, connections, None).await;
        stored += whole.requests() * events as u64;
        let per_second = whole.requests() as f64 / ROUND.as_secs_f64();
        println!("{name}, {connections} connections: {:.0} events/s, {whole}", per_second * events as f64);
        let half = load(address, events, connections, Some(per_second / 2.0)).await;
        stored += half.requests() * events as u64;
        println!("{name}, half of that: {half}");
    }
    drain("what was stored so, many events in a message", &config, &arrived, stored).await;

    let single = 50_000;
    publish_single(&context, single).await;
    drain("one event in each message", &config, &arrived, single).await;
    gateway.stop().await;
}

fn catalog(arrived: &Arc<AtomicU64>) -> Catalog {
    #[derive(serde::Deserialize)]
    struct Nothing {}
    let arrived = Arc::clone(arrived);
    Catalog::stock().destination("counter", move |_: Nothing| {
        let arrived = Arc::clone(&arrived);
        let counter = Destination::from_fn("counter", move |batch: Batch| {
            arrived.fetch_add(batch.len() as u64, Ordering::Relaxed);
            async { Ok::<(), std::io::Error>(()) }
        });
        Ok::<_, std::io::Error>(counter.batching(Batching::every(1_000, Duration::from_millis(50))))
    })
}

fn text(servers: &Servers, directory: &Path) -> String {
    format!(
        "[worker]\nadmin = \"127.0.0.1:0\"\n[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n\
         [log.jetstream]\nservers = {:?}\nname = \"log\"\nreplicas = {}\npartitions = {PARTITIONS}\nkeep = \"0s\"\n\
         directory = {:?}\n[sources.bench]\nkeys = [\"K\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"counter\"\n",
        servers.urls(),
        servers.list.len(),
        directory.join("log"),
    )
}

fn event(number: u64) -> String {
    let padding = "x".repeat(300);
    format!(
        r#"{{"type":"track","event":"Order Completed","userId":"u{}","messageId":"m{number}","properties":{{"p":"{padding}"}}}}"#,
        number % 1_000
    )
}

/// Messages a second.
async fn plain(context: &jetstream::Context, copies: usize) -> f64 {
    let stream = jetstream::stream::Config {
        name: "plain".to_owned(),
        subjects: vec!["plain".to_owned()],
        num_replicas: copies,
        ..Default::default()
    };
    context.create_stream(stream).await.unwrap();
    let (begun, mut count, mut under_way) = (Instant::now(), 0_u64, futures_util::stream::FuturesUnordered::new());
    while begun.elapsed() < ROUND {
        while under_way.len() < 256 {
            let acknowledged = context.publish("plain", bytes::Bytes::from(vec![b'x'; 500])).await.unwrap();
            under_way.push(acknowledged.into_future());
        }
        under_way.next().await.unwrap().unwrap();
        count += 1;
    }
    context.delete_stream("plain").await.unwrap();
    count as f64 / begun.elapsed().as_secs_f64()
}

/// How long each request took that was answered with 200, in order.
struct Latencies(Vec<Duration>);

impl Latencies {
    fn requests(&self) -> u64 {
        self.0.len() as u64
    }
}

impl Display for Latencies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let of = |percent: usize| self.0[self.0.len() * percent / 100];
        write!(f, "p50 {:.1?}, p99 {:.1?}", of(50), of(99))
    }
}

/// Each connection sends its next request after the answer to the last one, and not before its turn where `rate` says
/// how many requests a second there are. A request counts from its turn on.
async fn load(address: SocketAddr, events: usize, connections: usize, rate: Option<f64>) -> Latencies {
    let numbers = Arc::new(AtomicU64::new(0));
    let pause = rate.map(|rate| Duration::from_secs_f64(connections as f64 / rate));
    let clients = (0..connections).map(|connection| {
        let numbers = Arc::clone(&numbers);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let (begun, mut latencies) = (Instant::now(), Vec::new());
            let first = pause.unwrap_or_default() * connection as u32 / connections as u32;
            while begun.elapsed() < ROUND {
                let first_number = numbers.fetch_add(events as u64, Ordering::Relaxed);
                let batch: Vec<String> = (first_number..first_number + events as u64).map(event).collect();
                let body = format!(r#"{{"writeKey":"K","batch":[{}]}}"#, batch.join(","));
                let head = format!("POST /v1/batch HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
                let turn = pause.map(|pause| begun + first + pause * latencies.len() as u32);
                if let Some(turn) = turn {
                    tokio::time::sleep_until(turn.into()).await;
                }
                let sent = turn.unwrap_or_else(Instant::now);
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                let mut answer = [0; 4_096];
                let count = stream.read(&mut answer).await.unwrap();
                assert!(answer[..count].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..count]));
                latencies.push(sent.elapsed());
            }
            latencies
        })
    });
    let mut latencies = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        latencies.extend(client.await.unwrap());
    }
    latencies.sort();
    Latencies(latencies)
}

/// As a gateway would that has one event at a time.
async fn publish_single(context: &jetstream::Context, count: u64) {
    let mut under_way = futures_util::stream::FuturesUnordered::new();
    for number in 0..count {
        let subject = format!("log.{:02}.main", number % u64::from(PARTITIONS));
        let acknowledged = context.publish(subject, format!("{}\n", event(number)).into()).await.unwrap();
        under_way.push(acknowledged.into_future());
        if under_way.len() >= 256 {
            under_way.next().await.unwrap().unwrap();
        }
    }
    while let Some(acknowledged) = under_way.next().await {
        acknowledged.unwrap();
    }
}

async fn drain(name: &str, config: &Path, arrived: &Arc<AtomicU64>, events: u64) {
    let before = arrived.load(Ordering::Relaxed);
    let begun = Instant::now();
    let worker = Worker::start(config, catalog(arrived)).await.unwrap();
    while arrived.load(Ordering::Relaxed) - before < events {
        assert!(begun.elapsed() < Duration::from_secs(120), "{} of {events}", arrived.load(Ordering::Relaxed) - before);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = begun.elapsed();
    worker.stop().await;
    println!("a worker delivers {name}: {:.0} events/s ({events} events)", events as f64 / took.as_secs_f64());
}

/// NATS servers that know each other.
struct Servers {
    list: Vec<Server>,
    _stores: TempDir,
}

struct Server {
    child: Child,
    url: String,
}

impl Servers {
    fn start(count: usize, always: bool) -> Option<Self> {
        let binary = std::env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
        let stores = TempDir::new().unwrap();
        // Bound all at once, so that no two are the same.
        let listeners: Vec<_> = (0..2 * count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<SocketAddr> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        drop(listeners);
        let (own, routes) = addresses.split_at(count);
        let routes: Vec<String> = routes.iter().map(|route| format!("nats://{route}")).collect();
        let mut list = Vec::new();
        for (number, address) in own.iter().enumerate() {
            let store = stores.path().join(number.to_string());
            let config = stores.path().join(format!("{number}.conf"));
            let sync = if always { "always" } else { "2m" };
            let mut text =
                format!("jetstream {{ store_dir: {store:?}, sync_interval: {sync} }}\nlisten: \"{address}\"\n");
            if count > 1 {
                let own = routes[number].trim_start_matches("nats://");
                text +=
                    &format!("server_name: n{number}\ncluster {{ name: c, listen: \"{own}\", routes: {routes:?} }}\n");
            }
            std::fs::write(&config, text).unwrap();
            let child = Command::new(&binary).arg("--config").arg(config).stderr(Stdio::null()).spawn().ok()?;
            list.push(Server { child, url: format!("nats://{address}") });
            while std::net::TcpStream::connect(address).is_err() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Some(Self { list, _stores: stores })
    }

    fn urls(&self) -> Vec<&str> {
        self.list.iter().map(|server| &*server.url).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
