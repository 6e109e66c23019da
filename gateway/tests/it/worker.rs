//! Workers behind the log in JetStream: what becomes of each event, and what happens when a worker is gone.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::pull::Config as Pull;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tracklane::testing::TrackingApi;
use tracklane_gateway::Worker;

use crate::nats::{LOG, Nats};
use crate::support::{Running, Sink, catalog, plain, wait_until};

fn track(id: &str, properties: &str) -> String {
    format!(r#"{{"type":"track","event":"E","userId":"u1","messageId":"{id}","properties":{properties}}}"#)
}

/// A worker in this process, on a runtime of its own.
pub(crate) struct InProcess {
    worker: Option<Worker>,
    runtime: Runtime,
}

impl InProcess {
    /// For the configuration of this gateway, with destinations that put what arrives into this sink.
    pub(crate) fn start(gateway: &Running, sink: &Sink) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let worker = runtime.block_on(Worker::start(gateway.path(), catalog(sink))).unwrap();
        Self { worker: Some(worker), runtime }
    }

    pub(crate) fn stop(mut self) {
        self.runtime.block_on(self.worker.take().unwrap().stop());
    }

    /// As a kill: nothing is acknowledged, and nobody is told.
    fn vanish(self) {
        self.runtime.shutdown_background();
    }
}

/// Messages of the log that are not acknowledged, and of these the ones that were delivered.
pub(crate) fn unacknowledged(context: &Context, runtime: &Runtime) -> (u64, usize) {
    let (mut waiting, mut pending) = (0, 0);
    for partition in 0..4 {
        let stream = runtime.block_on(context.get_stream(format!("{LOG}-{partition:02}"))).unwrap();
        let Ok(consumer) = runtime.block_on(stream.get_consumer::<Pull>("workers")) else {
            waiting += stream.cached_info().state.messages;
            continue;
        };
        let info = consumer.cached_info();
        waiting += info.num_pending + info.num_ack_pending as u64;
        pending += info.num_ack_pending;
    }
    (waiting, pending)
}

fn dead(context: &Context, runtime: &Runtime) -> Vec<(Option<String>, Value)> {
    let stream = runtime.block_on(context.get_stream(format!("{LOG}-dead"))).unwrap();
    let state = &stream.cached_info().state;
    let letters = (state.first_sequence..=state.last_sequence).map(|sequence| {
        let message = runtime.block_on(stream.direct_get(sequence)).unwrap();
        let destination = message.headers.get("Tracklane-Destination").map(|name| name.to_string());
        (destination, serde_json::from_slice(&message.payload).unwrap())
    });
    letters.collect()
}

#[test]
fn what_is_in_the_log_is_delivered_once_and_acknowledged() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let (sink, context) = (Sink::default(), nats.context(&gateway.runtime));
    let ids: Vec<String> = (0..50).map(|n| format!("m{n:02}")).collect();
    for id in &ids[..25] {
        assert_eq!(gateway.batch(&track(id, "{}")).status, 200);
    }
    let worker = InProcess::start(&gateway, &sink);
    for id in &ids[25..] {
        assert_eq!(gateway.batch(&track(id, "{}")).status, 200);
    }
    wait_until("they arrived", || sink.events().len() >= 50);
    worker.stop();
    assert_eq!(sink.ids(), ids, "in the order in which they were taken");
    assert_eq!(unacknowledged(&context, &gateway.runtime), (0, 0), "a graceful stop leaves nothing");
    let worker = InProcess::start(&gateway, &sink);
    assert_eq!(gateway.batch(&track("last", "{}")).status, 200);
    wait_until("the last one arrived", || sink.events().len() > 50);
    worker.stop();
    assert_eq!(sink.ids()[50..], ["last"], "nothing is repeated");
}

#[test]
fn what_a_destination_refuses_is_in_the_stream_of_the_dead_before_it_is_acknowledged() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let (sink, context) = (Sink::default(), nats.context(&gateway.runtime));
    let worker = InProcess::start(&gateway, &sink);
    assert_eq!(gateway.batch(&track("first", "{}")).status, 200);
    wait_until("the first arrived", || sink.events().len() == 1);
    let events = [track("a", "{}"), track("bad", r#"{"refuse":true}"#), track("b", "{}")];
    assert_eq!(gateway.batch(&events.join(",")).status, 200);
    wait_until("all is acknowledged", || unacknowledged(&context, &gateway.runtime).0 == 0);
    assert_eq!(sink.ids(), ["first", "a", "b"]);
    let dead = dead(&context, &gateway.runtime);
    assert_eq!(dead.len(), 1, "{dead:?}");
    let (destination, letter) = &dead[0];
    assert_eq!(destination.as_deref(), Some("sink"));
    assert_eq!((&letter["reason"], &letter["event"]["messageId"]), (&"rejected".into(), &"bad".into()));
    assert_eq!(letter["error"], "the attempt failed: a property says so");
    worker.stop();
}

#[test]
fn what_a_destination_cannot_take_waits_in_the_log_and_arrives_in_order() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let (sink, context) = (Sink::default(), nats.context(&gateway.runtime));
    sink.down.store(true, Ordering::Release);
    let worker = InProcess::start(&gateway, &sink);
    let ids: Vec<String> = (0..30).map(|n| format!("m{n:02}")).collect();
    for id in &ids {
        assert_eq!(gateway.batch(&track(id, "{}")).status, 200);
    }
    // Longer than a message may be without a sign of life.
    std::thread::sleep(Duration::from_secs(12));
    assert!(unacknowledged(&context, &gateway.runtime).0 > 0, "nothing is acknowledged that is not delivered");
    sink.down.store(false, Ordering::Release);
    wait_until("all is acknowledged", || unacknowledged(&context, &gateway.runtime).0 == 0);
    assert_eq!(sink.ids(), ids);
    worker.stop();
}

/// Sends twenty events with the next ids.
pub(crate) fn send_twenty(gateway: &Running, ids: &mut Vec<String>) {
    for _ in 0..20 {
        let id = format!("m{:03}", ids.len());
        assert_eq!(gateway.batch(&track(&id, "{}")).status, 200);
        ids.push(id);
    }
}

#[test]
fn a_worker_that_is_gone_is_replaced_within_twenty_seconds_and_the_order_stays() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let (sink, context) = (Sink::default(), nats.context(&gateway.runtime));
    let first = InProcess::start(&gateway, &sink);
    let second = InProcess::start(&gateway, &sink);
    let mut ids = Vec::new();
    send_twenty(&gateway, &mut ids);
    wait_until("they arrived", || sink.events().len() == 20);
    // What the first one has then is not acknowledged when it goes.
    sink.down.store(true, Ordering::Release);
    send_twenty(&gateway, &mut ids);
    wait_until("a worker has them", || unacknowledged(&context, &gateway.runtime).1 > 0);
    first.vanish();
    sink.down.store(false, Ordering::Release);
    let begun = Instant::now();
    send_twenty(&gateway, &mut ids);
    wait_until("all is acknowledged", || unacknowledged(&context, &gateway.runtime).0 == 0);
    let took = begun.elapsed();
    let mut seen = std::collections::HashSet::new();
    let arrived: Vec<String> = sink.ids().into_iter().filter(|id| seen.insert(id.clone())).collect();
    assert_eq!(arrived, ids);
    println!("the partitions went on after {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    second.stop();
}

/// How many events are parked of a destination of the pipeline `main`.
pub(crate) fn parked(context: &Context, runtime: &Runtime, destination: &str) -> u64 {
    let stream = runtime.block_on(context.get_stream(format!("{LOG}-park-main-{destination}"))).unwrap();
    stream.cached_info().state.messages
}

#[test]
fn a_destination_that_takes_nothing_is_parked_and_keeps_its_order_and_others_go_on() {
    let Some(nats) = Nats::start() else { return };
    let api = TrackingApi::start().unwrap();
    let other = format!(
        "[[pipelines.main.destinations]]\nplugin = \"segment\"\nsettings = {{ write_key = \"k\", host = {:?} }}\n",
        api.url()
    );
    let config = plain("", "") + &other;
    let gateway = nats.gateway_with(TempDir::new().unwrap(), "park_after = \"500ms\"", &config, true);
    let (sink, context) = (Sink::default(), nats.context(&gateway.runtime));
    sink.down.store(true, Ordering::Release);
    let first = InProcess::start(&gateway, &sink);
    let second = InProcess::start(&gateway, &sink);
    let mut ids = Vec::new();
    send_twenty(&gateway, &mut ids);
    wait_until("the other destination has all", || api.events().len() == 20);
    wait_until("all is parked and acknowledged", || {
        parked(&context, &gateway.runtime, "sink") > 0 && unacknowledged(&context, &gateway.runtime).0 == 0
    });
    assert_eq!(sink.events().len(), 0);
    send_twenty(&gateway, &mut ids);
    wait_until("the other destination goes on", || api.events().len() == 40);
    // Whoever takes over knows what is parked.
    first.vanish();
    send_twenty(&gateway, &mut ids);
    sink.down.store(false, Ordering::Release);
    send_twenty(&gateway, &mut ids);
    wait_until("nothing is parked", || {
        parked(&context, &gateway.runtime, "sink") == 0 && unacknowledged(&context, &gateway.runtime).0 == 0
    });
    send_twenty(&gateway, &mut ids);
    wait_until("all arrived", || sink.ids().contains(ids.last().unwrap()));
    let mut seen = std::collections::HashSet::new();
    let arrived: Vec<String> = sink.ids().into_iter().filter(|id| seen.insert(id.clone())).collect();
    assert_eq!(arrived, ids);
    second.stop();
}

#[test]
fn what_is_done_with_is_deleted_after_a_while_and_nothing_else() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("keep = \"1s\"");
    let (sink, context) = (Sink::default(), nats.context(&gateway.runtime));
    let worker = InProcess::start(&gateway, &sink);
    let messages = || -> u64 {
        let count = |partition| {
            let stream = context.get_stream(format!("{LOG}-{partition:02}"));
            gateway.runtime.block_on(stream).unwrap().cached_info().state.messages
        };
        (0..4).map(count).sum()
    };
    assert_eq!(gateway.batch(&track("a", "{}")).status, 200);
    wait_until("it is delivered and deleted", || sink.events().len() == 1 && messages() == 0);
    sink.down.store(true, Ordering::Release);
    assert_eq!(gateway.batch(&track("b", "{}")).status, 200);
    std::thread::sleep(Duration::from_secs(15));
    assert_eq!(messages(), 1, "it has no outcome");
    worker.stop();
}

#[test]
fn a_worker_that_joins_has_its_share_within_twenty_seconds_and_gives_it_back_when_it_is_gone() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway("");
    let (first_sink, second_sink, context) = (Sink::default(), Sink::default(), nats.context(&gateway.runtime));
    let first = InProcess::start(&gateway, &first_sink);
    let (mut sent, mut round) = (Vec::new(), 0);
    // An event of each of so many users, so that every partition gets some.
    let mut send_round = || {
        round += 1;
        let ids: Vec<String> = (0..20).map(|user| format!("{user}-{round}")).collect();
        let event = |id: &String| track(id, "{}").replace("\"u1\"", &format!("\"u{}\"", id.split('-').next().unwrap()));
        assert_eq!(gateway.batch(&ids.iter().map(event).collect::<Vec<_>>().join(",")).status, 200);
        sent.extend(ids);
        wait_until("they arrived", || first_sink.events().len() + second_sink.events().len() >= sent.len());
    };
    send_round();
    assert_eq!(first_sink.events().len(), 20);
    let second = InProcess::start(&gateway, &second_sink);
    let begun = Instant::now();
    while second_sink.events().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the second worker has nothing");
        send_round();
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("the second worker has its share after {:?}", begun.elapsed());
    std::thread::sleep(Duration::from_secs(6));
    let before = (first_sink.events().len(), second_sink.events().len());
    send_round();
    let (of_first, of_second) = (first_sink.events().len() - before.0, second_sink.events().len() - before.1);
    assert!(of_first > 0 && of_second > 0, "both work: {of_first} and {of_second}");
    // What is delivered and not acknowledged comes again after a kill.
    wait_until("all is acknowledged", || unacknowledged(&context, &gateway.runtime).0 == 0);
    second.vanish();
    let begun = Instant::now();
    send_round();
    println!("the first worker has everything after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(20));
    let mut arrived = [first_sink.ids(), second_sink.ids()].concat();
    arrived.sort();
    sent.sort();
    assert_eq!(arrived, sent, "each event once");
    first.stop();
}

#[test]
fn a_worker_needs_a_log_that_is_there() {
    let Some(nats) = Nats::start() else { return };
    let gateway = nats.gateway_in(TempDir::new().unwrap(), "", false);
    let started = gateway.runtime.block_on(Worker::start(gateway.path(), catalog(&Sink::default())));
    let error = tracklane::text_with_causes(&started.map(drop).unwrap_err());
    assert!(error.contains("the stream \"log-00\" does not exist"), "{error}");
    assert!(error.contains("--create-streams"), "{error}");
}
