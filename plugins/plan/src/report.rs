//! The findings since the start.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracklane::Kind;

use crate::violation::{Violation, ViolationType};

/// Names that are counted by themselves. Those beyond are counted together: names may be made of ids.
const MOST_NAMES: usize = 1_000;

/// The findings of the plugins of one [`TrackingPlan`](crate::TrackingPlan) so far. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Report(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    checked: u64,
    blocked: u64,
    unplanned: HashMap<String, u64>,
    other_unplanned: u64,
    violations: HashMap<(Kind, String, ViolationType, String), u64>,
    other_violations: u64,
}

/// An event that is in no rule, and how often it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unplanned {
    /// Its name.
    pub event: String,
    /// The number of times.
    pub count: u64,
}

impl Report {
    pub(crate) fn note(&self, kind: Kind, name: &str, violations: &[Violation], is_blocked: bool) {
        let mut counts = self.counts();
        let counts = &mut *counts;
        counts.checked += 1;
        counts.blocked += u64::from(is_blocked);
        for violation in violations {
            counts.note(kind, name, violation);
        }
    }

    /// Events that were checked.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.counts().checked
    }

    /// Events that were blocked.
    #[must_use]
    pub fn blocked(&self) -> u64 {
        self.counts().blocked
    }

    /// The events that are in no rule, the most frequent first: 1,000 of them at most.
    #[must_use]
    pub fn unplanned(&self) -> Vec<Unplanned> {
        let counts = self.counts();
        let of = |(event, count): (&String, &u64)| Unplanned { event: event.clone(), count: *count };
        let mut unplanned: Vec<_> = counts.unplanned.iter().map(of).collect();
        unplanned.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.event.cmp(&b.event)));
        unplanned
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn note(&mut self, kind: Kind, name: &str, violation: &Violation) {
        if violation.violation_type == ViolationType::UnplannedEvent {
            return count(&mut self.unplanned, name.to_owned(), &mut self.other_unplanned);
        }
        let key = (kind, name.to_owned(), violation.violation_type, violation.field.clone());
        count(&mut self.violations, key, &mut self.other_violations);
    }
}

fn count<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, u64>, key: K, others: &mut u64) {
    let is_full = counts.len() >= MOST_NAMES;
    match counts.get_mut(&key) {
        Some(count) => *count += 1,
        None if is_full => *others += 1,
        None => drop(counts.insert(key, 1)),
    }
}

/// A line for the whole, and one for each kind of finding.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unplanned = self.unplanned();
        let counts = self.counts();
        write!(f, "{} events checked, {} blocked", counts.checked, counts.blocked)?;
        for Unplanned { event, count } in unplanned {
            write!(f, "\n{count} × {}: {event:?}", ViolationType::UnplannedEvent)?;
        }
        let mut violations: Vec<_> = counts.violations.iter().collect();
        violations.sort_by(|(a, a_count), (b, b_count)| {
            let key = |(kind, name, _, field): &&(Kind, String, ViolationType, String)| {
                (kind.as_str(), name.clone(), field.clone())
            };
            b_count.cmp(a_count).then_with(|| key(a).cmp(&key(b)))
        });
        for ((kind, name, violation_type, field), count) in violations {
            let name = if name.is_empty() { kind.to_string() } else { format!("{name:?}") };
            write!(f, "\n{count} × {violation_type}: {field} of {name}")?;
        }
        match counts.other_unplanned + counts.other_violations {
            0 => Ok(()),
            others => write!(f, "\n{others} × others"),
        }
    }
}
