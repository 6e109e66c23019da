//! Finds out whether any rule applies to an event. It reads the text and makes no map of it.
//!
//! Nearly all events have nothing to redact. They stay text, which makes the plugin cheap.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use tracklane::Event;
use tracklane::event::Object;

use crate::edit::{FIELDS, field, section_name};
use crate::rules::Rules;

thread_local! {
    /// The text of the section at hand: memory that is used again.
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Returns whether a rule applies anywhere in the event.
pub(crate) fn touches(rules: &Rules, event: &Event) -> Result<bool, serde_json::Error> {
    // The other fields are ids, which only a path names.
    let mut fields = FIELDS.iter().filter(|name| is_free_text(name) || !rules.paths.is_empty());
    if fields.any(|name| field(event, name).is_some_and(|text| in_field(rules, name, &text))) {
        return Ok(true);
    }
    Ok(in_section(rules, section_name(event), event.section())? || in_section(rules, "context", event.context())?)
}

fn in_field(rules: &Rules, name: &str, text: &str) -> bool {
    rules.paths.iter().any(|(path, _)| path.matches(&[name]))
        || (is_free_text(name) && !rules.keeps(&[name]) && rules.apply_to_text(text))
}

/// Returns whether the field is text for people, and no id.
pub(crate) fn is_free_text(name: &str) -> bool {
    matches!(name, "name" | "category" | "event")
}

fn in_section(rules: &Rules, root: &str, section: &Object) -> Result<bool, serde_json::Error> {
    if section.is_empty() {
        return Ok(false);
    }
    // A plugin that is called by a plugin would find the memory taken; it makes its own then.
    TEXT.with(|text| match text.try_borrow_mut() {
        Ok(mut text) => in_text_of(rules, root, section, &mut text),
        Err(_) => in_text_of(rules, root, section, &mut Vec::new()),
    })
}

fn in_text_of(rules: &Rules, root: &str, section: &Object, text: &mut Vec<u8>) -> Result<bool, serde_json::Error> {
    text.clear();
    section.write_json(text);
    // To check the whole text takes less than to check each string in it.
    let text = std::str::from_utf8(text).map_err(serde_json::Error::custom)?;
    let mut scan = Scan { rules, members: rules.needs_paths().then(|| vec![root.to_owned()]), found: false };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    (&mut scan).deserialize(&mut deserializer)?;
    Ok(scan.found)
}

/// Reads one value and all in it.
struct Scan<'r> {
    rules: &'r Rules,
    /// The place, if any rule depends on it.
    members: Option<Vec<String>>,
    found: bool,
}

impl Scan<'_> {
    fn member(&mut self, key: &str) {
        self.found |= match &mut self.members {
            None => self.rules.for_member(&[], key).is_some(),
            Some(members) => {
                members.push(key.to_owned());
                let path: Vec<&str> = members.iter().map(String::as_str).collect();
                self.rules.for_member(&path, key).is_some()
            }
        };
    }

    fn leave(&mut self) {
        if let Some(members) = &mut self.members {
            members.pop();
        }
    }

    fn is_kept(&self) -> bool {
        self.members.as_ref().is_some_and(|members| {
            let path: Vec<&str> = members.iter().map(String::as_str).collect();
            self.rules.keeps(&path)
        })
    }

    fn number(&mut self, number: impl fmt::Display, digits: bool) {
        if digits && !self.found && !self.is_kept() {
            self.found |= self.rules.in_number(&number.to_string()).is_some();
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Scan<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Whole numbers with at least as many digits as the shortest card number.
const LONG: u64 = 1_000_000_000_000;

impl<'de> Visitor<'de> for &mut Scan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        // No card number is negative.
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.number(number, number >= LONG);
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.number(number, number >= LONG as f64 && number.fract() == 0.0);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if !self.found && !self.is_kept() {
            self.found |= self.rules.apply_to_text(text);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0_usize;
        loop {
            if let Some(members) = &mut self.members {
                members.push(at.to_string());
            }
            let item = items.next_element_seed(&mut *self)?;
            self.leave();
            if item.is_none() {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Key(self))?.is_some() {
            map.next_value_seed(&mut *self)?;
            self.leave();
        }
        Ok(())
    }
}

/// Reads a key: looks it up while it is a piece of the text, and keeps it only if rules depend on where a value is.
struct Key<'s, 'r>(&'s mut Scan<'r>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        self.0.member(key);
        Ok(())
    }
}
