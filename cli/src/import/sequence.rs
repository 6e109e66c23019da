//! Whether the events of a file are in the order of their timestamps.

use tracklane::Event;
use tracklane::event::Timestamp;

use crate::output;

/// What was seen so far.
#[derive(Default)]
pub(super) struct Sequence {
    /// The latest timestamp, in milliseconds since the Unix epoch, and its line.
    latest: Option<(i64, u64)>,
    /// Events that are older than one before them.
    behind: u64,
    /// The first of them, and the line of the later one before it.
    first: Option<(u64, u64)>,
}

impl Sequence {
    /// Takes in the event of a line. One without a timestamp is at any place.
    pub(super) fn see(&mut self, line: u64, event: &Event) {
        let Some(at) = event.timestamp().map(Timestamp::as_unix_millis) else { return };
        match self.latest {
            Some((latest, before)) if at < latest => {
                self.behind += 1;
                self.first.get_or_insert((line, before));
            }
            _ => self.latest = Some((at, line)),
        }
    }

    /// What is wrong with the order, if anything is.
    fn problem(&self) -> Option<String> {
        let (line, before) = self.first?;
        let Self { behind, .. } = self;
        Some(format!(
            "{behind} events are older than one before them; the first is on line {line}, behind line {before}"
        ))
    }

    /// Says that the order is not that of the timestamps.
    pub(super) fn warn(&self) {
        if let Some(problem) = self.problem() {
            output::note(&format!("tracklane: {problem}. --sort refuses such a file"));
        }
    }

    /// Fails if they are not in order.
    pub(super) fn require(&self) -> Result<(), String> {
        match self.problem() {
            Some(problem) => Err(format!("{problem}. Nothing was sent: sort the file by timestamp first")),
            None => Ok(()),
        }
    }
}
