//! A load that does not wait for its answers: requests are due at their times, whatever became of those before.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Events of a request.
const EVENTS: u64 = 50;

/// So many events a second.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) rate: u32,
    /// Each sends its requests one after the other, for its events have an order. The more there are, the longer an answer
    /// may take until it keeps a request waiting.
    pub(crate) users: u32,
}

/// What was offered, and what became of it.
#[derive(Default)]
pub(crate) struct Offered {
    /// For each user the numbers of the events that were answered with 200.
    pub(crate) taken: Vec<Vec<u64>>,
    /// How often each status came; 0 stands for no answer.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// From the time at which each request was due to its answer.
    latencies: Vec<Duration>,
}

impl Load {
    /// Sends until it is told to end.
    pub(crate) async fn run(self, end: Arc<AtomicBool>) -> Offered {
        let begun = Instant::now();
        let users: Vec<_> =
            (0..self.users).map(|user| tokio::spawn(self.user(user, begun, Arc::clone(&end)))).collect();
        let mut all = Offered::default();
        for user in users {
            let offered = user.await.unwrap();
            all.taken.extend(offered.taken);
            all.latencies.extend(offered.latencies);
            for (status, count) in offered.statuses {
                *all.statuses.entry(status).or_default() += count;
            }
        }
        all.latencies.sort_unstable();
        all
    }

    async fn user(self, user: u32, begun: Instant, end: Arc<AtomicBool>) -> Offered {
        let every = Duration::from_secs_f64(f64::from(self.users) * EVENTS as f64 / f64::from(self.rate));
        let (mut offered, mut taken, mut next) = (Offered::default(), Vec::new(), 0_u64);
        let mut due = begun + every * user / self.users;
        let mut connection = None;
        loop {
            tokio::time::sleep_until(due.into()).await;
            if end.load(Ordering::Acquire) {
                offered.taken.push(taken);
                return offered;
            }
            let body = body(user, next..next + EVENTS);
            let status = exchange(&mut connection, self.address, &body).await.unwrap_or_else(|_| {
                connection = None;
                0
            });
            *offered.statuses.entry(status).or_default() += 1;
            offered.latencies.push(due.elapsed());
            if status == 200 {
                taken.extend(next..next + EVENTS);
            }
            next += EVENTS;
            due += every;
        }
    }
}

fn body(user: u32, numbers: std::ops::Range<u64>) -> String {
    let padding = "x".repeat(300);
    let events = numbers.map(|number| {
        format!(
            r#"{{"type":"track","event":"Order Completed","userId":"u{user}","messageId":"{user}-{number}","properties":{{"p":"{padding}"}}}}"#
        )
    });
    format!(r#"{{"writeKey":"K","batch":[{}]}}"#, events.collect::<Vec<_>>().join(","))
}

async fn exchange(connection: &mut Option<TcpStream>, address: SocketAddr, body: &str) -> std::io::Result<u16> {
    let stream = match connection {
        Some(stream) => stream,
        None => connection.insert(TcpStream::connect(address).await?),
    };
    let head = format!("POST /v1/batch HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    // An answer is short, and comes in one piece.
    let mut answer = [0; 4_096];
    let count = stream.read(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer[..count]);
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|text| text.get(..3)?.parse().ok());
    status.ok_or_else(|| std::io::Error::other(format!("not an answer: {text:?}")))
}

impl Display for Offered {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let taken: usize = self.taken.iter().map(Vec::len).sum();
        let of = |permille: usize| self.latencies.get(self.latencies.len() * permille / 1_000);
        let (half, most, all) = (of(500), of(990), self.latencies.last());
        write!(f, "{taken} events taken, statuses {:?}, ", self.statuses)?;
        write!(f, "p50 {half:.1?}, p99 {most:.1?}, slowest {all:.1?}")
    }
}
