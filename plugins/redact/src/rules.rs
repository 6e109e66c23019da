//! The rules, checked and arranged for looking them up.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::action::{Action, HashKey};
use crate::detect::{Detector, Detectors, Needs, SHORTEST_CARD, Signs};
use crate::key::{Ends, Filter, Plain};
use crate::path::Path;

/// The least number with as many digits as the shortest card number.
const LEAST_CARD: f64 = 1e12;

/// Everything that is looked for in an event.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) paths: Vec<(Path, Action)>,
    pub(crate) keep: Vec<Path>,
    /// If there are any, nothing but these passes.
    pub(crate) allow: Vec<Path>,
    pub(crate) keys: Keys,
    /// Each at most once.
    pub(crate) detectors: Vec<(Detector, Action)>,
    /// What a text needs for each of them to look at it, the shortest text first.
    pub(crate) needs: Vec<(Needs, Detector)>,
    pub(crate) hash_key: HashKey,
    pub(crate) mark: bool,
    pub(crate) dry_run: bool,
    pub(crate) hits: Hits,
}

/// The rule that found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Path,
    Key,
    NotAllowed,
    Detector(Detector),
}

/// The number of times that each kind of rule has applied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hits(Arc<HitCounts>);

#[derive(Debug, Default)]
pub(crate) struct HitCounts {
    pub(crate) path: AtomicU64,
    pub(crate) key: AtomicU64,
    pub(crate) not_allowed: AtomicU64,
    pub(crate) detectors: [AtomicU64; Detector::ALL.len()],
}

impl Rules {
    /// Returns whether the rules depend on where a value stands.
    pub(crate) fn needs_paths(&self) -> bool {
        !(self.paths.is_empty() && self.allow.is_empty() && self.keep.is_empty())
    }

    /// Returns the action on the whole value at `members`, whatever it is. A flag is `true`, `false` or null.
    pub(crate) fn for_member(&self, members: &[&str], is_flag: bool) -> Option<(Rule, &Action)> {
        if self.needs_paths() {
            if self.keep.iter().any(|path| path.covers(members)) {
                return None;
            }
            if !self.allows(members) {
                return Some((Rule::NotAllowed, &Action::Drop));
            }
            if let Some((_, action)) = self.paths.iter().find(|(path, _)| path.matches(members)) {
                return Some((Rule::Path, action));
            }
        }
        let (key, around) = members.split_last()?;
        self.for_key(key, Place::of(around), is_flag).map(|action| (Rule::Key, action))
    }

    /// Returns the action on the value of a key, in an object at this place. A flag is no secret, whatever its key.
    #[inline]
    pub(crate) fn for_key(&self, key: &str, place: Place, is_flag: bool) -> Option<&Action> {
        self.keys.get(key, place).filter(|_| !is_flag)
    }

    /// Returns whether the value at `members` stays as it is, with everything in it.
    pub(crate) fn keeps(&self, members: &[&str]) -> bool {
        self.keep.iter().any(|path| path.covers(members))
    }

    fn allows(&self, members: &[&str]) -> bool {
        self.allow.is_empty()
            || self.allow.iter().chain(&self.keep).any(|path| path.covers(members) || path.reaches_into(members))
    }

    /// Returns whether any detector finds something in `text`, the value of this key.
    pub(crate) fn apply_to_text(&self, key: &str, text: &str) -> bool {
        let candidates = self.candidates(text);
        let finds = |detector: Detector| !detector.find(text).is_empty() && !detector.is_ruled_out_by(key);
        !candidates.is_empty()
            && self.detectors.iter().any(|(detector, _)| candidates.has(*detector) && finds(*detector))
    }

    /// Returns the detectors that have to look at `text`: the others certainly find nothing.
    pub(crate) fn candidates(&self, text: &str) -> Detectors {
        let signs = Signs::new(text);
        let long_enough = self.needs.iter().take_while(|(needs, _)| needs.len <= text.len());
        long_enough.filter(|(needs, _)| signs.meet(needs)).map(|(_, detector)| *detector).collect()
    }

    /// Returns the detector that finds something in the digits of this [whole](whole) number, the value of this key.
    pub(crate) fn in_number(&self, key: &str, number: &str) -> Option<(Detector, &Action)> {
        let reads = |(detector, _): &&(Detector, Action)| detector.reads_numbers() && !detector.is_ruled_out_by(key);
        self.detectors
            .iter()
            .filter(reads)
            .find(|(detector, _)| !detector.find(number).is_empty())
            .map(|(detector, action)| (*detector, action))
    }
}

/// Returns the digits of a whole number of JSON that is long enough for a card, also if it is written as 4.111111111111111e15.
pub(crate) fn whole(number: &str) -> Option<Cow<'_, str>> {
    if number.bytes().all(|byte| byte.is_ascii_digit()) {
        return (number.len() >= SHORTEST_CARD).then_some(Cow::Borrowed(number));
    }
    if number.len() < SHORTEST_CARD && !number.contains(['e', 'E']) {
        return None;
    }
    let value: f64 = number.parse().ok().filter(|value: &f64| *value >= LEAST_CARD && value.fract() == 0.0)?;
    Some(Cow::Owned(value.to_string()))
}

impl Hits {
    pub(crate) fn add(&self, rule: Rule) {
        let count = match rule {
            Rule::Path => Some(&self.0.path),
            Rule::Key => Some(&self.0.key),
            Rule::NotAllowed => Some(&self.0.not_allowed),
            Rule::Detector(detector) => {
                Detector::ALL.iter().position(|one| *one == detector).and_then(|at| self.0.detectors.get(at))
            }
        };
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn counts(&self) -> &HitCounts {
        &self.0
    }
}

/// Where an object stands in an event, as far as rules for keys depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Event,
    Context,
    /// The traits, or those of the context.
    Traits,
    /// `context.location`
    Location,
    Elsewhere,
}

impl Place {
    /// Returns the place of the object at these members.
    pub(crate) fn of(members: &[&str]) -> Self {
        members.iter().fold(Place::Event, |place, key| place.inside(key))
    }

    /// Returns the place of the object under a key of the object here.
    #[inline]
    pub(crate) fn inside(self, key: &str) -> Self {
        match (self, key) {
            (Place::Event | Place::Context, "traits") => Place::Traits,
            (Place::Event, "context") => Place::Context,
            (Place::Context, "location") => Place::Location,
            _ => Place::Elsewhere,
        }
    }
}

/// The objects in which a rule for a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Everywhere,
    InTraits,
    NotInLocation,
}

impl Scope {
    fn has(self, place: Place) -> bool {
        match self {
            Scope::Everywhere => true,
            Scope::InTraits => place == Place::Traits,
            Scope::NotInLocation => place != Place::Location,
        }
    }
}

/// Actions by key.
#[derive(Debug)]
pub(crate) struct Keys {
    actions: HashMap<Box<[u8]>, (Scope, Action)>,
    filter: Filter,
    /// For the keys that have none of their own.
    ends: Vec<(&'static Ends, Action)>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { actions: HashMap::new(), filter: Filter::new(), ends: Vec::new() }
    }
}

impl Keys {
    /// Returns whether the key can be compared at all.
    pub(crate) fn insert(&mut self, key: &str, scope: Scope, action: Action) -> bool {
        let Some(plain) = Plain::new(key) else { return false };
        self.filter.insert(plain.as_bytes());
        self.actions.insert(plain.as_bytes().into(), (scope, action));
        true
    }

    pub(crate) fn insert_ends(&mut self, ends: &'static Ends, action: Action) {
        self.ends.push((ends, action));
    }

    /// Returns the action on the value of a key, in an object at this place.
    #[inline]
    pub(crate) fn get(&self, key: &str, place: Place) -> Option<&Action> {
        if self.filter.may_have(key)
            && let Some((scope, action)) = self.actions.get(Plain::new(key)?.as_bytes())
        {
            return scope.has(place).then_some(action);
        }
        self.ends.iter().find(|(ends, _)| ends.has(key)).map(|(_, action)| action)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, &Action)> {
        self.actions.iter().map(|(key, (_, action))| (String::from_utf8_lossy(key).into_owned(), action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{PERSONAL, SECRETS};

    #[test]
    fn a_key_is_found_in_each_spelling_and_no_other_is() {
        let mut keys = Keys::default();
        for key in SECRETS.iter().chain(PERSONAL) {
            assert!(keys.insert(key, Scope::Everywhere, Action::Drop), "{key}");
        }
        for key in SECRETS.iter().chain(PERSONAL) {
            for spelled in [(*key).to_owned(), key.to_uppercase(), key.replace('_', ""), format!("__{key}-é ")] {
                assert!(keys.get(&spelled, Place::Elsewhere).is_some(), "{spelled}");
            }
            assert!(
                keys.get(&format!("{key}x9"), Place::Elsewhere).is_none()
                    && keys.get(&format!("9{key}"), Place::Elsewhere).is_none(),
                "{key}"
            );
        }
        for other in ["", "_", "é", "order_id", "product_id", "pxn", "passworts"] {
            assert!(keys.get(other, Place::Elsewhere).is_none(), "{other:?}");
        }
    }

    #[test]
    fn keys_of_one_letter_and_of_two_are_found() {
        let mut keys = Keys::default();
        assert!(["a", "b2", "_X_"].iter().all(|key| keys.insert(key, Scope::Everywhere, Action::Drop)));
        assert!(["a", "A", "-a", "b2", "B_2", "_b2_", "x"].iter().all(|key| keys.get(key, Place::Elsewhere).is_some()));
        assert!(["b", "2", "2b", "aa", "ab2"].iter().all(|key| keys.get(key, Place::Elsewhere).is_none()));
    }

    #[test]
    fn a_number_is_whole_and_long_enough_for_a_card_in_each_spelling() {
        for (number, expected) in [
            ("4000000000006", Some("4000000000006")),
            ("4000000000006.0", Some("4000000000006")),
            ("4.000000000006e12", Some("4000000000006")),
            ("4E12", Some("4000000000000")),
            ("4e+12", Some("4000000000000")),
            ("400000000000e1", Some("4000000000000")),
            ("400000000000", None),
            ("4e11", None),
            ("39.95", None),
            ("-4000000000006", None),
            ("4000000000006.5", None),
            ("true", None),
        ] {
            assert_eq!(whole(number).as_deref(), expected, "{number}");
        }
    }
}
