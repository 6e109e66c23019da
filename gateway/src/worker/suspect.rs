//! A message that was delivered often and not acknowledged may be one that kills workers. It goes alone, and the worker
//! notes that before, so that the next one knows what ended it.
//!
//! The note stands in the metadata of the stream's consumer. It is no claim: JetStream alone decides who reads a stream.
//!
//! Invariant: a message is set aside only if [`DEADLY`] workers in turn ended within [`SURVIVAL`] after they handed it
//! over, and had no other suspect in progress. A restart while a message waits for its destination is no such end.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{Consumer, FromConsumer};
use async_nats::jetstream::stream::Stream;
use tokio::sync::{Mutex, MutexGuard};
use tracklane::BoxError;

use crate::jetstream::CONSUMER;

/// A message that was delivered more often than this is a suspect.
const SUSPECT: i64 = 3;
/// The number of workers that have to end of it.
const DEADLY: u32 = 7;
/// A worker that lives for so long with a suspect does not end of it.
pub(super) const SURVIVAL: Duration = Duration::from_secs(5);
/// The key of the note in the metadata.
const NOTE: &str = "tracklane_suspect";

/// The suspects of a worker.
pub(super) struct Suspects {
    worker: String,
    /// Held while a suspect may end the worker: one at a time in all streams, so that the one that does is known.
    turn: Mutex<()>,
}

impl Suspects {
    /// Those of the worker with that name, which no other has.
    pub(super) fn of(worker: String) -> Self {
        Self { worker, turn: Mutex::default() }
    }

    /// Waits for the turn of a suspect.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Notes that this worker is about to hand the message over.
    pub(super) async fn note(&self, stream: &Stream, sequence: u64) -> Result<Note, BoxError> {
        change(stream, |before| {
            let note = Note::next(before, sequence, &self.worker);
            (Some(note.clone()), note)
        })
        .await
    }

    /// Forgets the note of a stream, because the worker lives on.
    pub(super) async fn forget(&self, stream: &Stream) -> Result<(), BoxError> {
        change(stream, |_| (None, ())).await
    }
}

/// How a message is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handling {
    WithOthers,
    /// In its turn, with a note before.
    Alone,
    /// To no destination: its events are dead.
    SetAside,
}

/// Decides how a message is handed over that was delivered so often, this time included, by its note if there is one
/// already. How often it was delivered proves nothing: restarts and crashes because of other messages count as well.
pub(super) fn handling(deliveries: i64, note: Option<&Note>) -> Handling {
    match note {
        _ if deliveries <= SUSPECT => Handling::WithOthers,
        Some(note) if note.ends >= DEADLY => Handling::SetAside,
        _ => Handling::Alone,
    }
}

/// What is known of the suspect of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    sequence: u64,
    /// The number of workers that ended of it, one after the other.
    ends: u32,
    /// The worker that has it now, or ended of it.
    worker: String,
}

impl Note {
    /// Returns the note that `worker` makes before it hands the message over. It ended the worker of the note before,
    /// unless that is this one.
    fn next(before: Option<Self>, sequence: u64, worker: &str) -> Self {
        let ends = match before {
            Some(note) if note.sequence != sequence => 0,
            Some(note) if note.worker == worker => note.ends,
            Some(note) => note.ends.saturating_add(1),
            None => 0,
        };
        Self { sequence, ends, worker: worker.to_owned() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.sequence, self.ends, self.worker)
    }
}

/// No note can be read from another text.
impl FromStr for Note {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(' ');
        let mut next = || parts.next().ok_or(());
        let (sequence, ends, worker) = (next()?, next()?, next()?);
        let (sequence, ends) = (sequence.parse().map_err(drop)?, ends.parse().map_err(drop)?);
        Ok(Self { sequence, ends, worker: worker.to_owned() })
    }
}

/// Changes the note of a stream. `change` returns the new one, and what this returns.
async fn change<T>(stream: &Stream, change: impl FnOnce(Option<Note>) -> (Option<Note>, T)) -> Result<T, BoxError> {
    let consumer: Consumer<Config> = stream.get_consumer(CONSUMER).await?;
    let mut config = Config::try_from_consumer_config(consumer.cached_info().config.clone())?;
    let before = config.metadata.remove(NOTE).and_then(|text| text.parse().ok());
    let (note, result) = change(before);
    config.metadata.extend(note.map(|note| (NOTE.to_owned(), note.to_string())));
    stream.update_consumer(config).await?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::Handling::{Alone, SetAside, WithOthers};
    use super::*;

    /// The end of a worker that got message 7.
    #[derive(Clone, Copy, Debug)]
    enum End {
        /// Soon after it handed message 7 over.
        Soon,
        /// Later, while the message waited for its destination.
        Later,
        /// Soon after it handed another message over, before it came to 7.
        OfAnother,
    }

    /// How the next worker hands message 7 over, after these workers had it in turn.
    fn after(ends: &[End]) -> Handling {
        let mut note = None;
        for (number, end) in (1..).zip(ends) {
            let (suspect, worker) = (handling(number, None) == Alone, format!("worker {number}"));
            let sequence = if matches!(end, End::OfAnother) { 6 } else { 7 };
            note = if suspect { Some(Note::next(note, sequence, &worker)) } else { note };
            if matches!(end, End::Later) {
                note = None;
            }
        }
        let deliveries = ends.len() as i64 + 1;
        match handling(deliveries, None) {
            Alone => handling(deliveries, Some(&Note::next(note, 7, "the next"))),
            with_others => with_others,
        }
    }

    #[test]
    fn only_ends_soon_after_it_was_handed_over_alone_make_a_message_deadly() {
        use End::{Later, OfAnother, Soon};
        for (ends, expected, why) in [
            (vec![], WithOthers, "it is new"),
            (vec![Soon; 2], WithOthers, "two workers may end of anything"),
            (vec![Soon; 3], Alone, "it is a suspect"),
            (vec![Soon; 9], Alone, "the first three had others in progress, and six ended of it"),
            (vec![Soon; 10], SetAside, "seven ended of it"),
            // Eleven deliveries and more were once taken for a proof.
            (vec![Later; 10], Alone, "restarts while it waits for its destination are no proof"),
            (vec![Later; 1_000], Alone, "however many"),
            (vec![OfAnother; 10], Alone, "another message ended them"),
            ([vec![Soon; 9], vec![Later]].concat(), Alone, "a worker lived on with it"),
            ([vec![Soon; 9], vec![Later], vec![Soon; 6]].concat(), Alone, "it begins anew"),
            ([vec![Soon; 9], vec![Later], vec![Soon; 7]].concat(), SetAside, "and then seven ended of it"),
        ] {
            assert_eq!(after(&ends), expected, "{why}: {ends:?}");
        }
    }

    #[test]
    fn only_workers_that_ended_with_the_same_message_count() {
        let at = |sequence, ends, worker: &str| Note { sequence, ends, worker: worker.to_owned() };
        for (before, sequence, worker, expected) in [
            (None, 7, "a", at(7, 0, "a")),
            (Some(at(7, 0, "a")), 7, "b", at(7, 1, "b")),
            (Some(at(7, 6, "a")), 7, "b", at(7, 7, "b")),
            // The worker read the stream again, and did not end.
            (Some(at(7, 2, "a")), 7, "a", at(7, 2, "a")),
            // Another message did that.
            (Some(at(6, 6, "a")), 7, "b", at(7, 0, "b")),
            (Some(at(7, u32::MAX, "a")), 7, "b", at(7, u32::MAX, "b")),
        ] {
            assert_eq!(Note::next(before.clone(), sequence, worker), expected, "{before:?}");
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let note = Note { sequence: u64::MAX, ends: 6, worker: "0123456789abcdef".to_owned() };
        assert_eq!(note.to_string().parse(), Ok(note));
        for text in ["", "7", "7 1", "x 1 a", "7 -1 a"] {
            assert_eq!(text.parse::<Note>(), Err(()), "{text}");
        }
    }
}
