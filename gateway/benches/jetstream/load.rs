//! Requests to the gateway.

use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{ROUND, event};

/// How long each request took that was answered with 200, in order.
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn requests(&self) -> u64 {
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
pub(crate) async fn load(address: SocketAddr, events: usize, connections: usize, rate: Option<f64>) -> Latencies {
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
