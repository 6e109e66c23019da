//! How many events a second go into the log in JetStream, and out of it: `cargo bench -p tracklane-gateway --bench jetstream`.
//!
//! One NATS server (`NATS_SERVER`, or in `PATH`) with one copy of each event, the gateway, the worker and the load
//! share this machine, in processes of their own. Plain publishing in the same run is the yardstick. At the end, the CPU
//! that acknowledgements take is held against doing without them.
//!
//! `-- three` starts three servers that keep three copies. `-- always` lets the servers sync each message to the disk
//! before they acknowledge it.

mod acks;
mod load;
mod nats;
mod process;

use std::path::Path;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use futures_util::StreamExt;
use tempfile::TempDir;
use tracklane::plugin::{Batch, Batching, Destination};
use tracklane_gateway::{Catalog, Gateway, Worker};

use self::acks::Whole;
use self::load::load;
use self::nats::Servers;
use self::process::Process;

const ROUND: Duration = Duration::from_secs(3);
const PARTITIONS: u16 = 4;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        match Process::role() {
            Some((role, config)) => serve(&role, config).await,
            None => measure().await,
        }
    });
}

async fn serve(role: &str, config: String) {
    if role == "gateway" {
        let gateway = Gateway::start(config, catalog()).await.unwrap();
        process::ready(&gateway.addresses()[0].to_string());
        return gateway.run_until_signalled().await;
    }
    let worker = Worker::start(config, catalog()).await.unwrap();
    process::ready("");
    worker.run_until_signalled().await;
}

async fn measure() {
    let wanted = |name: &str| std::env::args().any(|argument| argument == name);
    let Some(servers) = Servers::start(if wanted("three") { 3 } else { 1 }, wanted("always")) else {
        println!("skipped: no nats-server is in PATH or named by NATS_SERVER (.ci/nats installs one)");
        return;
    };
    let directory = TempDir::new().unwrap();
    let config = directory.path().join("gateway.toml");
    std::fs::write(&config, text(&servers, directory.path())).unwrap();
    let begun = Instant::now();
    while let Err(error) = Gateway::create_streams(&config, &catalog()).await {
        // A cluster needs some seconds to choose a leader.
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let context = jetstream::new(async_nats::connect(servers.urls()).await.unwrap());
    let messages = plain(&context, servers.list.len()).await;
    println!("plain publishing, 500 bytes, 256 in flight: {messages:.0} messages/s");

    let gateway = Process::start("gateway", &config);
    let address = gateway.address();
    let (mut stored, mut taking, mut in_batches) = (0, 0.0, 0.0);
    for (name, events, connections) in [("batches of 100", 100, 16), ("single events", 1, 64)] {
        let before = gateway.cpu();
        let whole = load(address, events, connections, None).await;
        let (taken, per_second) = (whole.requests() * events as u64, whole.requests() as f64 / ROUND.as_secs_f64());
        taking = (gateway.cpu() - before) / taken as f64;
        println!(
            "{name}, {connections} connections: {:.0} events/s, {:.1} µs of CPU each, {whole}",
            per_second * events as f64,
            taking * 1e6
        );
        let half = load(address, events, connections, Some(per_second / 2.0)).await;
        stored += taken + half.requests() * events as u64;
        println!("{name}, half of that: {half}");
        if events == 100 {
            in_batches =
                taking + drain("what was stored so, many events in a message", &config, &context, stored).await;
            stored = 0;
        }
    }
    drain("what single requests stored", &config, &context, stored).await;
    let single = 50_000;
    publish_single(&context, single).await;
    let alone = taking + drain("one event in each message", &config, &context, single).await;
    drop(gateway);

    acks::compare(servers.urls(), servers.list.len(), Whole { in_batches, alone }).await;
}

fn catalog() -> Catalog {
    #[derive(serde::Deserialize)]
    struct Nothing {}
    Catalog::stock().destination("nowhere", move |_: Nothing| {
        let nowhere = Destination::from_fn("nowhere", |_: Batch| async { Ok::<(), std::io::Error>(()) });
        Ok::<_, std::io::Error>(nowhere.batching(Batching::every(1_000, Duration::from_millis(50))))
    })
}

fn text(servers: &Servers, directory: &Path) -> String {
    format!(
        "[worker]\nadmin = \"127.0.0.1:0\"\n[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n\
         [log.jetstream]\nservers = {:?}\nname = \"log\"\nreplicas = {}\npartitions = {PARTITIONS}\nmax_bytes = \"4GiB\"\nkeep = \"0s\"\n\
         directory = {:?}\n[sources.bench]\nkeys = [\"K\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"nowhere\"\n",
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

/// Returns the CPU that an event takes.
async fn drain(name: &str, config: &Path, context: &jetstream::Context, events: u64) -> f64 {
    let begun = Instant::now();
    let worker = Process::start("worker", config);
    while waiting(context).await != Some(0) {
        assert!(begun.elapsed() < Duration::from_secs(120), "{:?} messages of {name} wait", waiting(context).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (took, cpu) = (begun.elapsed().as_secs_f64(), worker.cpu() / events as f64);
    println!(
        "a worker delivers {name}: {:.0} events/s ({events} events), {:.2} µs of CPU each",
        events as f64 / took,
        cpu * 1e6
    );
    cpu
}

/// Messages that are not acknowledged; `None` before a worker has made its consumers.
async fn waiting(context: &jetstream::Context) -> Option<u64> {
    let mut waiting = 0;
    for partition in 0..PARTITIONS {
        let stream = context.get_stream(format!("log-{partition:02}")).await.ok()?;
        let consumer = stream.get_consumer::<jetstream::consumer::pull::Config>("workers").await.ok()?;
        // A consumer of a cluster says at first that nothing waits for it.
        let (last, floor) =
            (stream.cached_info().state.last_sequence, consumer.cached_info().ack_floor.stream_sequence);
        waiting += last.saturating_sub(floor);
    }
    Some(waiting)
}
