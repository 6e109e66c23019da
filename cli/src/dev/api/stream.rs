//! Sends changes as server-sent events: at most a frame each 33 ms, and only the newest to a slow reader.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::HeaderValue;
use axum::http::header::HeaderName;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::query::Query;
use super::{App, Reply, filter, heads, search, typed};
use crate::dev::store::{Counters, Entry};
use crate::filter::Filter;

const FRAME: Duration = Duration::from_millis(33);
const ALIVE: Duration = Duration::from_secs(15);
/// The time in which the rate falls to nothing once no event arrives.
const SETTLES: Duration = Duration::from_secs(1);
const DEFAULT_ROWS: usize = 50;
const MAX_ROWS: usize = 500;
/// The largest number of changed rows in one frame.
const MAX_UPDATED: usize = 500;

#[derive(Deserialize)]
pub(super) struct Wanted {
    q: Option<String>,
    rows: Option<usize>,
}

pub(super) async fn stream(Shared(state): Shared<App>, Query(wanted): Query<Wanted>) -> Reply {
    let filter = match filter(wanted.q.as_deref()) {
        Ok(filter) => filter,
        Err(invalid) => return *invalid,
    };
    let watch = state.store.watch();
    let feed = Feed {
        watch,
        filter,
        rows: wanted.rows.unwrap_or(DEFAULT_ROWS).min(MAX_ROWS),
        shown: Shown::default(),
        next: Instant::now(),
        first: true,
        state,
    };
    let frames = stream::unfold(feed, |mut feed| async move {
        let text = feed.next().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(text)), feed))
    });
    let mut response = typed("text/event-stream", Body::from_stream(frames));
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

struct Feed {
    state: App,
    watch: watch::Receiver<u64>,
    filter: Filter,
    rows: usize,
    shown: Shown,
    /// When the next frame may leave.
    next: Instant,
    first: bool,
}

/// The counts so far, so that only new events are counted.
#[derive(Clone, Default)]
struct Shown {
    version: u64,
    newest: u64,
    evicted: u64,
    matched: u64,
    rate: u64,
    /// The newest events that match, the newest first.
    rows: Vec<Arc<Entry>>,
}

impl Feed {
    /// The next piece of the stream; `None` if the store is gone.
    async fn next(&mut self) -> Option<String> {
        if !self.first {
            // A rate that falls is a change, too.
            let patience = if self.shown.rate > 0 { SETTLES } else { ALIVE };
            match timeout(patience, self.watch.changed()).await {
                Ok(changed) => changed.ok()?,
                Err(_) if self.shown.rate > 0 => {}
                Err(_) => return Some(": alive\n\n".to_owned()),
            }
            sleep_until(self.next).await;
        }
        self.first = false;
        self.watch.mark_unchanged();
        self.next = Instant::now() + FRAME;
        self.frame().await
    }

    async fn frame(&mut self) -> Option<String> {
        let (state, filter, rows, shown) =
            (Arc::clone(&self.state), self.filter.clone(), self.rows, self.shown.clone());
        let looked = search(move || look(&state, &filter, rows, shown)).await.ok()?;
        let (shown, counters, changed) = looked;
        self.shown = shown;
        let data = json!({
            "counters": counters,
            "matched": self.shown.matched,
            "events": heads(&self.state, &self.shown.rows),
            "updated": heads(&self.state, &changed),
            "start": self.state.start,
        });
        Some(format!("event: frame\nid: {}\ndata: {data}\n\n", self.shown.newest))
    }
}

fn look(state: &App, filter: &Filter, rows: usize, mut shown: Shown) -> (Shown, Counters, Vec<Arc<Entry>>) {
    let store = &state.store;
    let (version, mut changed) = store.changed_since(shown.version);
    changed.truncate(MAX_UPDATED);
    let counters = store.counters();
    // Removed events cannot be subtracted from the count. With paths the same event may match now and not before.
    let recount = counters.evicted != shown.evicted || shown.version == 0 || !changed.is_empty();
    if recount && !filter.is_empty() || shown.version == 0 {
        let newest = store.bounds().1;
        let page = store.page_through(newest, rows, filter);
        shown.matched = page.matched;
        shown.newest = newest;
        shown.rows = page.events;
    } else {
        let newer = store.after(shown.newest, usize::MAX);
        if let Some(last) = newer.last() {
            shown.newest = last.seq;
        }
        let mut found = store.select(newer, filter);
        shown.matched += found.len() as u64;
        found.reverse();
        found.truncate(rows);
        let gone = counters.evicted != shown.evicted;
        found.extend(shown.rows.into_iter().filter(|entry| !gone || store.get(entry.seq).is_some()));
        found.truncate(rows);
        shown.rows = found;
    }
    if filter.is_empty() {
        shown.matched = counters.kept;
    }
    shown.version = version.max(1);
    shown.evicted = counters.evicted;
    shown.rate = counters.per_second;
    (shown, counters, changed)
}
