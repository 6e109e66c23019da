//! The destination's service: one batch, one statement, one answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tower_service::Service;
use tracklane::emitter::signal::Failure;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane::{BoxError, Event};

use crate::connection::{Connection, Database, OpenError};
use crate::explanation::Explanation;
use crate::fault::{self, Cause, Fault};
use crate::row::Row;
use crate::table::MESSAGE_ID;

/// Changes a row before it is stored.
pub(crate) type MapEvent = dyn Fn(&Event, &mut Row) + Send + Sync;

#[derive(Clone)]
pub(crate) struct PostgresService(pub(crate) Arc<Shared>);

/// The shared state of batches under way.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) database: Database,
    pub(crate) map: Option<Arc<MapEvent>>,
    pub(crate) dry_run: bool,
    /// Idle connections: at most one, unless several batches may be in flight.
    pub(crate) idle: Mutex<Vec<Connection>>,
    /// The columns that were last reported as missing.
    pub(crate) told_missing: Mutex<Vec<&'static str>>,
}

impl Service<Batch> for PostgresService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let shared = self.0.clone();
        Box::pin(async move { Ok(shared.deliver(&batch).await) })
    }
}

impl Shared {
    async fn deliver(&self, batch: &Batch) -> Answer {
        let (mut rows, mut indexes, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for (index, message) in batch.messages().enumerate() {
            match row(message.json(), || message.event(), self.map.as_deref()) {
                Ok(row) => {
                    rows.push(row);
                    indexes.push(index);
                }
                Err(error) => answers.push((index, Answer::new(Verdict::Reject).with_error(error))),
            }
        }
        if self.dry_run {
            rows.into_iter().for_each(|row| self.show(row));
            return Answer::each(Verdict::Delivered, answers);
        }
        let connection = match self.connection(batch).await {
            Ok(connection) => connection,
            Err(error) => return unopened(error),
        };
        // If the attempt is given up here, the connection does not come back: its statement may still run.
        let stored = self.store(&connection, &rows).await;
        answers.extend(stored.refused.into_iter().filter_map(|(at, answer)| Some((*indexes.get(at)?, answer))));
        match stored.broken {
            None => lock(&self.idle).push(connection),
            Some((left, answer)) => {
                let left = left.into_iter().filter_map(|at| indexes.get(at));
                answers.extend(left.map(|index| (*index, answer.clone())));
            }
        }
        Answer::each(Verdict::Delivered, answers)
    }

    fn show(&self, row: Row) {
        let shown = Explanation::of(&self.database.table, row);
        tracing::info!(target: "tracklane_postgres", "dry run, not stored: {shown}");
    }

    /// Stores the rows by one statement, and where the database refuses one of them, by one for each half, down to the
    /// single row that is to blame.
    async fn store(&self, connection: &Connection, rows: &[Row]) -> Stored {
        let mut stored = Stored::default();
        let mut ranges: Vec<_> = std::iter::once(0..rows.len()).collect();
        while let Some(range) = ranges.pop() {
            let Some(part) = rows.get(range.clone()).filter(|part| !part.is_empty()) else { continue };
            let Err(error) = self.database.insert(connection, part).await else { continue };
            match fault::cause(error.code()) {
                Cause::Row if part.len() == 1 => {
                    let id = part.first().and_then(|row| row.get(MESSAGE_ID));
                    stored.refused.push((range.start, Answer::new(Verdict::Reject).with_error(Fault::new(&error, id))));
                }
                Cause::Row => {
                    let middle = range.start + part.len() / 2;
                    ranges.extend([middle..range.end, range.start..middle]);
                }
                cause => {
                    ranges.push(range);
                    stored.broken = Some((ranges.into_iter().flatten().collect(), cause.answer(&error)));
                    break;
                }
            }
        }
        stored
    }

    async fn connection(&self, batch: &Batch) -> Result<Connection, OpenError> {
        let idle = lock(&self.idle).pop().filter(|connection| !connection.is_closed());
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let connection = self.database.open().await?;
        self.tell_missing(&connection, batch);
        Ok(connection)
    }

    /// Says which columns the table does not have, once.
    fn tell_missing(&self, connection: &Connection, batch: &Batch) {
        let missing = connection.missing();
        if std::mem::replace(&mut *lock(&self.told_missing), missing.clone()) == missing || missing.is_empty() {
            return;
        }
        let (table, columns) = (&self.database.table, missing.join(", "));
        let message = format!("the table {table} has no column {columns}: what events have for it is not stored");
        batch.emitter().fail(Failure::new(self.name.as_str(), message, 0));
    }
}

/// The results for rows that were not stored.
#[derive(Default)]
struct Stored {
    refused: Vec<(usize, Answer)>,
    /// Rows that were not tried to the end, and why.
    broken: Option<(Vec<usize>, Answer)>,
}

/// An error before a row is sent has no row as its cause.
fn unopened(error: OpenError) -> Answer {
    match error {
        OpenError::Database(error) => fault::cause(error.code()).answer(&error),
        error => Answer::new(Verdict::Retry).with_error(error),
    }
}

/// The row of an event, changed by `map`. The id stays, or the event could be stored twice.
pub(crate) fn row(
    json: &[u8],
    event: impl FnOnce() -> Event,
    map: Option<&MapEvent>,
) -> Result<Row, serde_json::Error> {
    let mut row = Row::from_json(json)?;
    let Some(map) = map else { return Ok(row) };
    let id = row.get(MESSAGE_ID).map(str::to_owned);
    map(&event(), &mut row);
    match id {
        Some(id) => row.set(MESSAGE_ID, id),
        None => drop(row.remove(MESSAGE_ID)),
    }
    Ok(row)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
