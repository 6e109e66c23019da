//! Bare connections, each with one request under way.

use std::fmt::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use url::Url;

use super::{BenchArgs, EVENT, Report};
use crate::exit::Failure;

/// One connection, and what it has to do.
struct Sender {
    address: String,
    connection: SendRequest<Full<Bytes>>,
    key: String,
    batch: u32,
    /// Makes ids that no other connection and no other run makes.
    prefix: String,
    sent: u64,
}

pub(super) async fn run(args: &BenchArgs, url: &Url) -> Result<Report, Failure> {
    let host = url.host_str().unwrap_or_default();
    let address = format!("{host}:{}", url.port_or_known_default().unwrap_or(80));
    let run = uuid::Uuid::new_v4().simple().to_string();
    let mut senders = Vec::new();
    for number in 0..args.connections {
        let prefix = format!("{run}-{number}-");
        senders.push(Sender::connect(&address, args, prefix).await?);
    }
    let begun = Instant::now();
    // The connections take turns: each is due once in so long a time.
    let turn = args.requests_per_second().map(|requests| Duration::from_secs_f64(1.0 / requests));
    let mut tasks = JoinSet::new();
    for (sender, number) in senders.into_iter().zip(0..) {
        let pace = turn.map(|turn| (begun + turn * number, turn * args.connections));
        tasks.spawn(sender.send_all(begun + args.time, pace));
    }
    let mut report = Report::default();
    while let Some(done) = tasks.join_next().await {
        report.add(done.map_err(|error| Failure::cannot_run(error.to_string()))??);
    }
    report.took = begun.elapsed();
    Ok(report)
}

impl Sender {
    async fn connect(address: &str, args: &BenchArgs, prefix: String) -> Result<Self, Failure> {
        let unreachable =
            |error: &dyn std::fmt::Display| Failure::cannot_run(format!("cannot reach {address}: {error}"));
        let stream = TcpStream::connect(address).await.map_err(|error| unreachable(&error))?;
        stream.set_nodelay(true).map_err(|error| unreachable(&error))?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
        tokio::spawn(driver);
        let (key, batch) = (args.write_key.clone(), args.batch);
        Ok(Self { address: address.to_owned(), connection, key, batch, prefix, sent: 0 })
    }

    /// Sends until `end`: at once when an answer is there, or as often as `pace` says, from its first time on.
    async fn send_all(mut self, end: Instant, pace: Option<(Instant, Duration)>) -> Result<Report, Failure> {
        let mut report = Report::default();
        let mut due = pace.map_or_else(Instant::now, |(first, _)| first);
        while due < end {
            if pace.is_some() {
                sleep_until(due.into()).await;
            }
            let body = self.body();
            report.bytes += body.len() as u64;
            match self.send(body).await? {
                status if status.is_success() => report.answered += u64::from(self.batch),
                _ => report.failed += u64::from(self.batch),
            }
            report.latencies.push(due.elapsed());
            due = pace.map_or_else(Instant::now, |(_, every)| due + every);
        }
        Ok(report)
    }

    async fn send(&mut self, body: String) -> Result<StatusCode, Failure> {
        let broken = |error: hyper::Error| Failure::cannot_run(format!("the connection broke off: {error}"));
        let request = Request::builder()
            .method(Method::POST)
            .uri("/v1/batch")
            .header(HOST, &self.address)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, basic(&self.key))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| Failure::usage(error.to_string()))?;
        self.connection.ready().await.map_err(broken)?;
        let answer = self.connection.send_request(request).await.map_err(broken)?;
        let status = answer.status();
        answer.into_body().collect().await.map_err(broken)?;
        Ok(status)
    }

    fn body(&mut self) -> String {
        let mut body = String::with_capacity((EVENT.len() + 60) * self.batch as usize);
        body.push_str("{\"batch\":[");
        for index in 0..self.batch {
            if index > 0 {
                body.push(',');
            }
            self.sent += 1;
            body.push_str(EVENT);
            // To a string it never fails.
            let _ = write!(body, "{}{}\"}}", self.prefix, self.sent);
        }
        body.push_str("]}");
        body
    }
}

/// The key as the user name of Basic authorization.
fn basic(key: &str) -> String {
    use base64::Engine;

    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{key}:")))
}
