//! Spreads the streams over the workers.
//!
//! Each worker tells the others that it is there, and computes from those that it hears which streams each of them is to
//! read. Invariant: this is advice. JetStream alone decides who reads a stream, so workers that hear different others
//! never read the same one; a worker that hears nobody asks for all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Client;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::interval;
use tracklane::BoxError;

use crate::gateway::until;
use crate::jetstream::{JetStream, workers_subject};

/// The time from one sign of life to the next, and the time without any after which a worker is gone.
const HERE_EVERY: Duration = Duration::from_secs(1);
const GONE_AFTER: Duration = Duration::from_secs(4);

/// The streams that this worker is to read, by their numbers.
pub(super) type Share = BTreeSet<usize>;

/// Whether a reader is to read its stream.
#[derive(Clone)]
pub(super) struct Turn {
    /// The number of the stream.
    pub(super) stream: usize,
    pub(super) share: watch::Receiver<Share>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Turn {
    /// Waits for the stream's turn. Returns `false` if the worker is stopped.
    pub(super) async fn begins(&mut self) -> bool {
        let stream = self.stream;
        tokio::select! {
            biased;
            () = until(self.stopped.clone()) => false,
            begun = self.share.wait_for(|share| share.contains(&stream)) => begun.is_ok(),
        }
    }

    /// Waits until another worker is to read the stream.
    pub(super) async fn ends(&mut self) {
        let stream = self.stream;
        if self.share.wait_for(|share| !share.contains(&stream)).await.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until the worker is stopped.
    pub(super) async fn is_stopped(&self) {
        until(self.stopped.clone()).await;
    }

    /// Waits for a time, or until the worker is stopped.
    pub(super) async fn rest(&self, time: Duration) {
        let _ = tokio::time::timeout(time, self.is_stopped()).await;
    }
}

/// Keeps the share of this worker up to date. Never ends, because the readers wait for what it says.
pub(super) async fn keep(log: Arc<JetStream>, worker: String, streams: usize, share: watch::Sender<Share>) {
    if let Err(error) = exchange(&log, streams, &worker, &share).await {
        tracing::warn!(target: "tracklane", %error, "this worker does not hear the others, and asks for everything");
        share.send_replace((0..streams).collect());
    }
    std::future::pending().await
}

async fn exchange(log: &JetStream, streams: usize, id: &str, share: &watch::Sender<Share>) -> Result<(), BoxError> {
    let client: Client = log.context().client();
    let subject = workers_subject(&log.config().name);
    let mut signs = client.subscribe(subject.clone()).await?;
    let mut heard: BTreeMap<String, Instant> = BTreeMap::new();
    let mut tick = interval(HERE_EVERY);
    loop {
        tokio::select! {
            sign = signs.next() => {
                let sign = sign.ok_or("the subscription ended")?;
                heard.insert(String::from_utf8_lossy(&sign.payload).into_owned(), Instant::now());
            }
            _ = tick.tick() => client.publish(subject.clone(), id.to_owned().into()).await?,
        }
        heard.retain(|_, at| at.elapsed() < GONE_AFTER);
        // It hears itself late, and not at all while NATS is away.
        heard.insert(id.to_owned(), Instant::now());
        let now = share_of(id, heard.keys(), streams);
        share.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
    }
}

/// The share of one of these workers. All of them come to the same result: each stream goes to the first worker, in an
/// order that follows from both, that has room. So few streams move when a worker comes or goes.
fn share_of<'w>(id: &str, workers: impl ExactSizeIterator<Item = &'w String> + Clone, streams: usize) -> Share {
    let room = streams.div_ceil(workers.len().max(1));
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut share = Share::new();
    for stream in 0..streams {
        let free = workers.clone().filter(|worker| taken.get(worker.as_str()).is_none_or(|taken| *taken < room));
        let Some(reader) = free.max_by_key(|worker| rank(worker, stream)) else { continue };
        *taken.entry(reader).or_default() += 1;
        if reader == id {
            share.insert(stream);
        }
    }
    share
}

fn rank(worker: &str, stream: usize) -> [u8; 32] {
    Sha256::new().chain_update(worker).chain_update(stream.to_be_bytes()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(workers: &[String], streams: usize) -> Vec<Share> {
        workers.iter().map(|id| share_of(id, workers.iter(), streams)).collect()
    }

    #[test]
    fn every_stream_has_one_reader_and_nobody_has_more_than_its_part() {
        for count in 1..8 {
            let workers: Vec<String> = (0..count).map(|worker| format!("w{worker}")).collect();
            for streams in [1, 4, 16, 17, 64] {
                let shares = shares(&workers, streams);
                let mut all: Vec<usize> = shares.iter().flatten().copied().collect();
                all.sort_unstable();
                assert_eq!(all, (0..streams).collect::<Vec<_>>(), "{count} workers");
                let most = shares.iter().map(Share::len).max().unwrap_or_default();
                assert!(most <= streams.div_ceil(count), "{count} workers, {streams} streams: {most}");
            }
        }
    }

    #[test]
    fn a_worker_that_comes_moves_few_streams() {
        let workers: Vec<String> = (0..5).map(|worker| format!("w{worker}")).collect();
        let (before, after) = (shares(&workers[..4], 64), shares(&workers, 64));
        let stay: usize = before.iter().zip(&after).map(|(before, after)| before.intersection(after).count()).sum();
        // At least 64 / 5 have to move.
        assert!(stay >= 40, "only {stay} of 64 stay");
    }
}
