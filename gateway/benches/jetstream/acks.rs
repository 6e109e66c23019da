//! The CPU of acknowledgements, as the gateway and the worker use them, against doing without.
//!
//! Both sides send and read the same messages over the same connection, in rounds that take turns. What is counted is the
//! CPU of this process, in which nothing else runs; that of the server is not in it.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::event;
use crate::process::cpu;

const ROUNDS: usize = 5;
const SUBJECT: &str = "acks";

/// CPU seconds for an event, with acknowledgements and without.
#[derive(Default)]
struct Pair {
    with: f64,
    without: f64,
}

impl Pair {
    fn show(&self, what: &str, events: usize) -> f64 {
        let each = |seconds: f64| seconds * 1e6 / (events * ROUNDS) as f64;
        let (with, without) = (each(self.with), each(self.without));
        println!("  {what}: {with:.2} µs of CPU an event with acknowledgements, {without:.2} without");
        (with - without) / 1e6
    }
}

/// Seconds that gateway and worker take for an event, with acknowledgements.
pub(crate) struct Whole {
    pub(crate) in_batches: f64,
    pub(crate) alone: f64,
}

pub(crate) async fn compare(servers: Vec<&str>, copies: usize, whole: Whole) {
    let client = async_nats::connect(servers).await.unwrap();
    let context = jetstream::new(client.clone());
    let config = jetstream::stream::Config {
        name: SUBJECT.to_owned(),
        subjects: vec![SUBJECT.to_owned()],
        num_replicas: copies,
        ..Default::default()
    };
    let stream = context.create_stream(config).await.unwrap();
    for (events, messages, whole) in [(100, 2_000, whole.in_batches), (1, 40_000, whole.alone)] {
        println!("acknowledgements, {events} events in a message:");
        let (mut publishing, mut reading) = (Pair::default(), Pair::default());
        for round in 0..ROUNDS {
            let texts = |side: &str| texts(&format!("{events}-{round}-{side}"), events, messages);
            publishing.with += publish_acknowledged(&context, texts("with")).await;
            reading.with += read(&stream, AckPolicy::Explicit, messages).await;
            stream.purge().await.unwrap();
            publishing.without += publish_and_forget(&client, &stream, texts("without")).await;
            reading.without += read(&stream, AckPolicy::None, messages).await;
            stream.purge().await.unwrap();
        }
        let more = publishing.show("publishing", events * messages) + reading.show("reading", events * messages);
        println!(
            "  gateway and worker take {:.1} µs for an event, {:.2} × of what they would without acknowledgements",
            whole * 1e6,
            whole / (whole - more)
        );
    }
    context.delete_stream(SUBJECT).await.unwrap();
}

/// Messages as the gateway makes them, made before the time counts.
fn texts(id: &str, events: usize, messages: usize) -> Vec<PublishMessage> {
    let message = |number: usize| {
        let lines: String = (0..events).map(|at| event((number * events + at) as u64) + "\n").collect();
        PublishMessage::build()
            .header("Tracklane-Format", "events/1")
            .message_id(format!("{id}-{number}"))
            .expected_stream(SUBJECT)
            .payload(lines.into())
    };
    (0..messages).map(message).collect()
}

async fn publish_acknowledged(context: &Context, messages: Vec<PublishMessage>) -> f64 {
    let (before, mut under_way) = (cpu("self"), FuturesUnordered::new());
    for message in messages {
        let acknowledged = context.send_publish(SUBJECT, message).await.unwrap();
        under_way.push(acknowledged.into_future());
        if under_way.len() >= 64 {
            under_way.next().await.unwrap().unwrap();
        }
    }
    while let Some(acknowledged) = under_way.next().await {
        acknowledged.unwrap();
    }
    cpu("self") - before
}

/// The stream stores the messages all the same, which is awaited after the time that counts.
async fn publish_and_forget(client: &Client, stream: &Stream, messages: Vec<PublishMessage>) -> f64 {
    let (before, count) = (cpu("self"), messages.len() as u64);
    for message in messages {
        let message = message.outbound_message(SUBJECT);
        let headers = message.headers.unwrap_or_default();
        client.publish_with_headers(message.subject, headers, message.payload).await.unwrap();
    }
    client.flush().await.unwrap();
    let used = cpu("self") - before;
    while stream.get_info().await.unwrap().state.messages < count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    used
}

/// As a worker reads, which acknowledges each message and awaits that the server has it.
async fn read(stream: &Stream, ack_policy: AckPolicy, messages: usize) -> f64 {
    let config = pull::Config { ack_policy, max_ack_pending: 512, ..pull::Config::default() };
    let consumer = stream.create_consumer(config).await.unwrap();
    let before = cpu("self");
    let asked = consumer.stream().max_messages_per_batch(256).max_bytes_per_batch(4 << 20).messages();
    let mut read = asked.await.unwrap().take(messages);
    let mut under_way = FuturesUnordered::new();
    while let Some(message) = read.next().await {
        let message = message.unwrap();
        if ack_policy == AckPolicy::None {
            continue;
        }
        under_way.push(async move { message.double_ack().await });
        if under_way.len() >= 64 {
            under_way.next().await.unwrap().unwrap();
        }
    }
    while let Some(acknowledged) = under_way.next().await {
        acknowledged.unwrap();
    }
    cpu("self") - before
}
