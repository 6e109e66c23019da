//! Reports names in `integrations` that no destination has: a misspelt name selects nothing, and switches nothing off.
//!
//! A name is reported once. Where a destination gets events whatever `All` says, as Segment does, nothing is: it
//! forwards to destinations of its own, whose names are not known here.

use std::sync::{Mutex, PoisonError};

use crate::event::Event;
use crate::plugin::Selection;
use crate::supervise::log;

/// The most names that are reported, because whoever sends events decides how many there are.
const MOST_NAMES: usize = 16;
/// The letters of a name that are logged.
const MOST_LETTERS: usize = 64;

/// The names that were reported.
#[derive(Default)]
pub(super) struct UnknownNames(Mutex<Vec<String>>);

impl UnknownNames {
    /// Looks at the names in an event. Without any destination there is another warning.
    pub(super) fn report<'s, I>(&self, event: &Event, destinations: impl Fn() -> I)
    where
        I: Iterator<Item = &'s Selection>,
    {
        let Some(integrations) = event.integrations() else { return };
        if integrations.is_empty() || destinations().next().is_none() || destinations().any(Selection::ignores_all) {
            return;
        }
        let is_unknown = |name: &str| name != "All" && !destinations().any(|destination| destination.has_name(name));
        integrations.keys().filter(|name| is_unknown(name)).for_each(|name| self.report_once(&name));
    }

    #[cold]
    fn report_once(&self, name: &str) {
        let name: String = name.chars().take(MOST_LETTERS).collect();
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.len() >= MOST_NAMES || reported.contains(&name) {
            return;
        }
        reported.push(name.clone());
        drop(reported);
        log!(WARN, name, "integrations name a destination that is not registered: names are case sensitive");
    }
}
