//! Applies the rules to an event.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};
use tracklane::{Event, Kind};

use crate::action::{Action, REDACTED};
use crate::rules::{Rule, Rules, whole};
use crate::scan::Touched;

/// The members of an event that are strings.
pub(crate) const FIELDS: &[&str] = &["userId", "anonymousId", "groupId", "previousId", "name", "event", "category"];

/// Those that are text for people. The others are ids, which only a path names.
pub(crate) const FREE_TEXT: &[&str] = &["name", "event", "category"];

/// A value that is nested deeper is replaced: it is not looked into.
pub(crate) const MAX_DEPTH: usize = 100;

/// Redacts those parts of the event, and marks the redacted paths if that is set.
pub(crate) fn redact(rules: &Rules, event: &mut Event, touched: Touched) {
    let mut edit = Edit { rules, redacted: Vec::new() };
    if touched.fields {
        edit.fields(event);
    }
    if touched.section {
        let mut path = vec![section_name(event).to_owned()];
        match rules.dry_run {
            // The counts are all that is wanted.
            true => edit.members(&mut event.section().to_map(), &mut path),
            false => edit.members(event.section_mut().as_map_mut(), &mut path),
        }
    }
    if touched.context {
        let mut path = vec!["context".to_owned()];
        match rules.dry_run {
            true => edit.members(&mut event.context().to_map(), &mut path),
            false => edit.members(event.context_mut().as_map_mut(), &mut path),
        }
    }
    let redacted = edit.redacted;
    if rules.mark && !rules.dry_run && !redacted.is_empty() {
        event.context_mut().extend([("redacted", redacted)]);
    }
}

pub(crate) fn section_name(event: &Event) -> &'static str {
    match event.kind() {
        Kind::Identify | Kind::Group => "traits",
        _ => "properties",
    }
}

pub(crate) fn field<'e>(event: &'e Event, name: &str) -> Option<Cow<'e, str>> {
    match name {
        "userId" => event.user_id(),
        "anonymousId" => event.anonymous_id(),
        "groupId" => event.group_id(),
        "previousId" => event.previous_id(),
        "name" if event.kind() != Kind::Track => event.name(),
        "event" if event.kind() == Kind::Track => event.name(),
        "name" | "event" => None,
        _ => event.category(),
    }
}

fn set_field(event: &mut Event, name: &str, text: &str) {
    match name {
        "userId" => event.set_user_id(text),
        "anonymousId" => event.set_anonymous_id(text),
        "groupId" => event.set_group_id(text),
        "previousId" => event.set_previous_id(text),
        "name" | "event" => event.set_name(text),
        _ => event.set_category(text),
    }
}

struct Edit<'r> {
    rules: &'r Rules,
    /// The redacted paths.
    redacted: Vec<String>,
}

impl Edit<'_> {
    fn fields(&mut self, event: &mut Event) {
        for name in FIELDS {
            if let Some(text) = field(event, name).map(Cow::into_owned)
                && let Some(text) = self.field(name, text)
                && !self.rules.dry_run
            {
                set_field(event, name, &text);
            }
        }
    }

    /// Returns the new text of a field, if it changes. A field is never removed because of its content.
    fn field(&mut self, name: &str, text: String) -> Option<String> {
        let rules = self.rules;
        if rules.keeps(&[name]) {
            return None;
        }
        if let Some((_, action)) = rules.paths.iter().find(|(path, _)| path.matches(&[name])) {
            self.note(Rule::Path, &[name.to_owned()]);
            return Some(action.apply(&text, &rules.hash_key).map_or_else(String::new, Cow::into_owned));
        }
        if !FREE_TEXT.contains(&name) {
            return None;
        }
        let redacted = self.string(name, &text, &[name.to_owned()])?;
        Some(redacted.unwrap_or_else(|| REDACTED.to_owned()))
    }

    fn members(&mut self, map: &mut Map<String, Value>, path: &mut Vec<String>) {
        map.retain(|key, value| {
            path.push(key.clone());
            let stays = self.member(key, value, path);
            path.pop();
            stays
        });
    }

    /// Redacts the value of this key, or an item of it. Returns whether it stays.
    fn member(&mut self, key: &str, value: &mut Value, path: &mut Vec<String>) -> bool {
        let members: Vec<&str> = path.iter().map(String::as_str).collect();
        if self.rules.keeps(&members) {
            return true;
        }
        match self.rules.for_member(&members, matches!(value, Value::Null | Value::Bool(_))) {
            Some((rule, action)) => {
                self.note(rule, path);
                replace(value, action, self.rules)
            }
            None => self.value(key, value, path),
        }
    }

    fn value(&mut self, key: &str, value: &mut Value, path: &mut Vec<String>) -> bool {
        if path.len() > MAX_DEPTH {
            *value = Value::String(REDACTED.to_owned());
            return true;
        }
        match value {
            Value::Object(map) => self.members(map, path),
            Value::Array(items) => self.items(key, items, path),
            Value::Number(number) => {
                let number = number.to_string();
                if let Some(digits) = whole(&number)
                    && let Some((detector, action)) = self.rules.in_number(key, &digits)
                {
                    self.note(Rule::Detector(detector), path);
                    *value = Value::String(digits.into_owned());
                    return replace(value, action, self.rules);
                }
            }
            Value::String(text) => match self.string(key, text, path) {
                None => {}
                Some(None) => return false,
                Some(Some(text)) => *value = Value::String(text),
            },
            Value::Null | Value::Bool(_) => {}
        }
        true
    }

    fn items(&mut self, key: &str, items: &mut [Value], path: &mut Vec<String>) {
        for (at, item) in items.iter_mut().enumerate() {
            path.push(at.to_string());
            if !self.member(key, item, path) {
                *item = Value::Null;
            }
            path.pop();
        }
    }

    /// Returns the replacement of a text: `None` if it stays, `Some(None)` if it is removed.
    fn string(&mut self, key: &str, text: &str, path: &[String]) -> Option<Option<String>> {
        let rules = self.rules;
        let mut changed: Option<String> = None;
        let mut candidates = rules.candidates(text);
        for (detector, action) in &rules.detectors {
            let now = changed.as_deref().unwrap_or(text);
            let looks = candidates.has(*detector) && !detector.is_ruled_out_by(key);
            let found = if looks { detector.find(now) } else { Vec::new() };
            if found.is_empty() {
                continue;
            }
            self.note(Rule::Detector(*detector), path);
            let Some(text) = splice(now, &found, action, rules) else { return Some(None) };
            candidates = rules.candidates(&text);
            changed = Some(text);
        }
        changed.map(Some)
    }

    fn note(&mut self, rule: Rule, path: &[String]) {
        self.rules.hits.add(rule);
        if self.rules.mark {
            self.redacted.push(path.join("."));
        }
    }
}

/// Applies an action to a whole value. Returns whether the member stays.
fn replace(value: &mut Value, action: &Action, rules: &Rules) -> bool {
    let text = match &*value {
        // There is nothing to redact.
        Value::Null => return *action != Action::Drop,
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    match action.apply(&text, &rules.hash_key).map(Cow::into_owned) {
        Some(text) => {
            *value = Value::String(text);
            true
        }
        None => false,
    }
}

/// Applies an action to the ranges that a detector has found. None if the whole text goes.
fn splice(text: &str, found: &[Range<usize>], action: &Action, rules: &Rules) -> Option<String> {
    let (mut out, mut end) = (String::with_capacity(text.len()), 0);
    for range in found {
        out.push_str(text.get(end..range.start).unwrap_or_default());
        out.push_str(&action.apply(text.get(range.clone()).unwrap_or_default(), &rules.hash_key)?);
        end = range.end;
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Some(out)
}
