//! What is written of an event, and where: pure but for an event without a time, which goes to the file of now.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tracklane::Event;

use crate::head::Head;
use crate::template::Template;

/// What changes an event's JSON before it is written.
pub(crate) type MapEvent = dyn Fn(&Event, &mut Value) + Send + Sync;

/// The hook, which `Debug` cannot show.
#[derive(Clone, Default)]
pub(crate) struct Hook(pub(crate) Option<Arc<MapEvent>>);

/// What would be written of an event, or why nothing would be. `Display` shows the path, and the line.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Explanation {
    /// The file, with its last name. While it is written, or if that name is taken, it has another ending.
    pub path: PathBuf,
    /// The line, without its end.
    pub line: String,
    /// Why it would not be written; `None` if it would.
    pub why_not: Option<String>,
}

/// Finds the path of each event. Most have that of the event before.
pub(crate) struct Paths {
    template: Template,
    /// The time, type and name of the last event, and its path.
    last: Option<([String; 3], String)>,
}

impl Paths {
    pub(crate) fn new(template: Template) -> Self {
        Self { template, last: None }
    }

    /// The path of the event of that JSON, below the directory.
    pub(crate) fn of(&mut self, json: &[u8]) -> &str {
        let Head { kind, timestamp, event } = Head::read(json, self.template.has_event());
        let until = self.template.letters_of_time().min(timestamp.len());
        let key = [timestamp.get(..until).unwrap_or(&timestamp), &*kind, &*event];
        if timestamp.is_empty() || self.last.as_ref().is_none_or(|(last, _)| *last != key) {
            let at = timestamp.parse().unwrap_or_else(|_| Timestamp::now());
            let path = self.template.path(at, if kind.is_empty() { "event" } else { &kind }, &event);
            self.last = Some((key.map(str::to_owned), path));
        }
        self.last.as_ref().map_or("", |(_, path)| path)
    }
}

impl Hook {
    /// The line of an event, without its end.
    pub(crate) fn write(
        &self,
        json: &[u8],
        event: impl FnOnce() -> Event,
        out: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let Some(map) = &self.0 else {
            out.extend_from_slice(json);
            return Ok(());
        };
        let mut value = serde_json::from_slice(json)?;
        map(&event(), &mut value);
        serde_json::to_writer(out, &value)
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a closure" } else { "none" })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = &self.why_not {
            writeln!(f, "not written: {reason}")?;
        }
        write!(f, "{}\n\n{}", self.path.display(), self.line)
    }
}
