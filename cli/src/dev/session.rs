//! Finds smells that need several events: names that differ only in capitals, a property with two types, a repeated id.

use std::collections::HashMap;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};

use tracklane::Kind;
use tracklane::segment::rules::Fields;
use tracklane_ingest::rules::{Finding, Leaf, Level, Path, walk};

/// The largest number of names and properties that are remembered. Others are not compared.
const MAX_REMEMBERED: usize = 100_000;

/// The memory of the session.
#[derive(Default)]
pub(crate) struct Session {
    seen: Mutex<Seen>,
    hasher: RandomState,
}

#[derive(Default)]
struct Seen {
    /// The first spelling of a name.
    names: HashMap<String, String>,
    /// The first type of a property, by the hash of where it is.
    types: HashMap<u64, &'static str>,
}

impl Session {
    /// Adds the findings of the event in comparison with those before it.
    pub(crate) fn smells(&self, kind: Option<Kind>, fields: &Fields<'_>, findings: &mut Vec<Finding>) {
        let Some(kind) = kind else { return };
        let name = fields.event.text().or(fields.name.text()).unwrap_or_default();
        let mut call = self.hasher.build_hasher();
        (kind, &*name).hash(&mut call);
        let mut types = Vec::new();
        each_leaf(fields, |path, leaf| types.push((place(&call, path), leaf.type_name())));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if kind == Kind::Track && !name.is_empty() {
            seen.compare_name(&name, findings);
        }
        types.retain_mut(|(place, now)| match seen.other_type(*place, now) {
            Some(first) => {
                *now = first;
                true
            }
            None => false,
        });
        drop(seen);
        if types.is_empty() {
            return;
        }
        // The paths of the few that differ are written only now.
        let others: HashMap<u64, &str> = types.into_iter().collect();
        each_leaf(fields, |path, leaf| {
            if let Some(first) = others.get(&place(&call, path)) {
                let message = format!("{path} is {}, and was {first} before", leaf.type_name());
                findings.push(smell("type-changes", path.to_string(), message, "Send one type for one property."));
            }
        });
    }
}

/// Visits the values of the properties and traits that are not null.
fn each_leaf(fields: &Fields<'_>, mut visit: impl FnMut(&Path<'_>, Leaf<'_>)) {
    for (section, member) in [("properties", fields.properties), ("traits", fields.traits)] {
        let Some(json) = member.raw().filter(|_| member.is_object()) else { continue };
        walk(section, json, |path, leaf| {
            if leaf != Leaf::Null {
                visit(path, leaf);
            }
        });
    }
}

/// The hash of a path in the events of a call.
fn place(call: &DefaultHasher, path: &Path<'_>) -> u64 {
    let mut hasher = call.clone();
    path.hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    fn compare_name(&mut self, name: &str, findings: &mut Vec<Finding>) {
        let folded = name.to_lowercase();
        match self.names.get(&folded) {
            Some(first) if first != name => {
                let message = format!("{name:?} differs from {first:?} only by capitals: Segment takes them for two");
                findings.push(smell("name-differs-by-case", "event".to_owned(), message, "Use one spelling."));
            }
            Some(_) => {}
            None if self.names.len() < MAX_REMEMBERED => drop(self.names.insert(folded, name.to_owned())),
            None => {}
        }
    }

    /// The type that this property had first, if that was another.
    fn other_type(&mut self, place: u64, now: &'static str) -> Option<&'static str> {
        match self.types.get(&place) {
            Some(first) => (*first != now).then_some(*first),
            None => {
                if self.types.len() < MAX_REMEMBERED {
                    self.types.insert(place, now);
                }
                None
            }
        }
    }
}

/// The finding of an id that was there before.
pub(crate) fn repeated(message_id: &str) -> Finding {
    let message = format!("messageId {message_id:?} was there before: Segment drops the repetition");
    let fix = "Fine if it is a retry; else give each event an id of its own.";
    smell("message-id-repeated", "messageId".to_owned(), message, fix)
}

fn smell(rule: &'static str, property: String, message: String, fix: &'static str) -> Finding {
    Finding { rule, level: Level::Smell, property: Some(property.into()), message, fix }
}
