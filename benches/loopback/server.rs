//! The server process: answers requests, and checks off each event by its number.

use std::error::Error;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flate2::read::GzDecoder;
use memchr::memmem::Finder;
use tracklane::testing::{Reply, Request, TrackingApi};

use super::report::ServerReport;
use super::scenario::ServerTask;

/// One bit per event.
struct Seen {
    bits: Vec<AtomicU64>,
    once: AtomicU64,
    again: AtomicU64,
}

pub(crate) fn run(task: &ServerTask) -> Result<(), Box<dyn Error>> {
    let words = task.events.div_ceil(64);
    let bits = (0..words).map(|_| AtomicU64::new(0)).collect();
    let seen = Arc::new(Seen { bits, once: AtomicU64::new(0), again: AtomicU64::new(0) });
    let api = TrackingApi::start()?;
    api.count_only();
    let (watched, delay) = (seen.clone(), Duration::from_millis(task.delay));
    let finder = Finder::new(&format!("\"{}\":\"", task.id)).into_owned();
    api.reply_with(move |request| {
        watched.tick_off_all(request, &finder);
        Reply::ok().delay(delay)
    });
    println!("{}", api.url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let report = ServerReport {
        once: seen.once.load(Ordering::Relaxed),
        again: seen.again.load(Ordering::Relaxed),
        requests: api.request_count() as u64,
        bytes: api.body_bytes(),
        connections: api.connections() as u64,
        in_flight: api.max_in_flight() as u64,
    };
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

impl Seen {
    fn tick_off_all(&self, request: &Request, finder: &Finder<'_>) {
        if request.header("content-encoding") != Some("gzip") {
            return self.tick_off(request.body(), finder);
        }
        let mut body = Vec::with_capacity(request.body().len() * 8);
        GzDecoder::new(&request.body()[..]).read_to_end(&mut body).expect("a body in gzip");
        self.tick_off(&body, finder);
    }

    fn tick_off(&self, body: &[u8], finder: &Finder<'_>) {
        let (mut once, mut again) = (0, 0);
        for at in finder.find_iter(body) {
            let digits = body[at + finder.needle().len()..].iter().take_while(|byte| byte.is_ascii_digit());
            let read = |number: Option<u64>, digit: &u8| Some(number.unwrap_or(0) * 10 + u64::from(digit - b'0'));
            // The request that opens the connection has no number.
            let Some(number) = digits.fold(None, read) else {
                continue;
            };
            let bit = 1 << (number % 64);
            let before = self.bits[(number / 64) as usize].fetch_or(bit, Ordering::Relaxed);
            *if before & bit == 0 { &mut once } else { &mut again } += 1;
        }
        self.once.fetch_add(once, Ordering::Relaxed);
        self.again.fetch_add(again, Ordering::Relaxed);
    }
}
