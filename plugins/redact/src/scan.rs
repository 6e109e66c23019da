//! Finds out whether any rule applies to an event. It reads the text and makes no map of it.
//!
//! Nearly all events have nothing to redact. They stay text, which makes the plugin cheap.

use std::borrow::Cow;
use std::cell::RefCell;

use tracklane::Event;
use tracklane::event::Object;

use crate::edit::{FIELDS, FREE_TEXT, MAX_DEPTH, field, section_name};
use crate::error::Unreadable;
use crate::rules::{Place, Rules, whole};

thread_local! {
    /// The text of the section at hand: memory that is used again.
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The parts of an event to which a rule applies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touched {
    pub(crate) fields: bool,
    /// The properties or traits.
    pub(crate) section: bool,
    pub(crate) context: bool,
}

/// Returns the parts to which a rule applies. The others stay as they are.
pub(crate) fn touched(rules: &Rules, event: &Event) -> Result<Touched, Unreadable> {
    let names = if rules.paths.is_empty() { FREE_TEXT } else { FIELDS };
    Ok(Touched {
        fields: names.iter().any(|name| field(event, name).is_some_and(|text| in_field(rules, name, &text))),
        section: in_section(rules, section_name(event), event.section())?,
        context: in_section(rules, "context", event.context())?,
    })
}

fn in_field(rules: &Rules, name: &str, text: &str) -> bool {
    rules.paths.iter().any(|(path, _)| path.matches(&[name]))
        || (FREE_TEXT.contains(&name) && !rules.keeps(&[name]) && rules.apply_to_text(name, text))
}

fn in_section(rules: &Rules, root: &str, section: &Object) -> Result<bool, Unreadable> {
    if section.is_empty() {
        return Ok(false);
    }
    // A plugin that is called by a plugin would find the memory taken; it makes its own then.
    TEXT.with(|text| match text.try_borrow_mut() {
        Ok(mut text) => in_text_of(rules, root, section, &mut text),
        Err(_) => in_text_of(rules, root, section, &mut Vec::new()),
    })
}

fn in_text_of(rules: &Rules, root: &str, section: &Object, text: &mut Vec<u8>) -> Result<bool, Unreadable> {
    text.clear();
    section.write_json(text);
    let text = std::str::from_utf8(text).map_err(|_| Unreadable)?;
    let members = rules.needs_paths().then(|| vec![root.to_owned()]);
    match (Scan { rules, text, at: 0, members }).value(root, Place::of(&[root]), 0) {
        Ok(()) => Ok(false),
        Err(Stop::Found) => Ok(true),
        Err(Stop::Broken) => Err(Unreadable),
    }
}

/// Why the rest of a text is not read.
enum Stop {
    /// A rule applies.
    Found,
    /// It is no JSON.
    Broken,
}

/// Reads JSON without white space, as objects write it, up to the first place where a rule applies.
struct Scan<'r, 't> {
    rules: &'r Rules,
    text: &'t str,
    at: usize,
    /// The place, if any rule depends on it.
    members: Option<Vec<String>>,
}

impl<'t> Scan<'_, 't> {
    /// Reads the value that begins here, of this key, or an item of it. If it is an object, it stands at this place.
    ///
    /// One that is too deep is not looked into: what applies the rules replaces it.
    fn value(&mut self, key: &str, place: Place, depth: usize) -> Result<(), Stop> {
        match self.byte()? {
            _ if depth > MAX_DEPTH => Err(Stop::Found),
            b'"' => {
                let text = self.string()?;
                found(self.rules.apply_to_text(key, &text) && !self.is_kept())
            }
            b'{' => self.members(place, depth + 1),
            b'[' => self.items(key, depth + 1),
            _ => self.scalar(key),
        }
    }

    fn members(&mut self, place: Place, depth: usize) -> Result<(), Stop> {
        self.at += 1;
        if self.ends(b'}')? {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.pass(b':')?;
            self.enter(&key, place)?;
            self.value(&key, place.inside(&key), depth)?;
            self.leave();
            if self.ends(b'}')? {
                return Ok(());
            }
            self.pass(b',')?;
        }
    }

    fn items(&mut self, key: &str, depth: usize) -> Result<(), Stop> {
        self.at += 1;
        if self.ends(b']')? {
            return Ok(());
        }
        for index in 0_usize.. {
            if self.members.is_some() {
                self.enter(&index.to_string(), Place::Elsewhere)?;
            }
            self.value(key, Place::Elsewhere, depth)?;
            self.leave();
            if self.ends(b']')? {
                break;
            }
            self.pass(b',')?;
        }
        Ok(())
    }

    /// Reads a number, `true`, `false` or `null`.
    fn scalar(&mut self, key: &str) -> Result<(), Stop> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let len = rest.bytes().position(|byte| matches!(byte, b',' | b'}' | b']')).unwrap_or(rest.len());
        let token = rest.get(..len).filter(|token| !token.is_empty()).ok_or(Stop::Broken)?;
        self.at += len;
        found(whole(token).is_some_and(|digits| self.rules.in_number(key, &digits).is_some()) && !self.is_kept())
    }

    /// Passes the string that begins here. Returns what it says.
    #[inline]
    fn string(&mut self) -> Result<Cow<'t, str>, Stop> {
        self.pass(b'"')?;
        let rest = self.text.get(self.at..).ok_or(Stop::Broken)?;
        let len = plain_len(rest.as_bytes());
        if rest.as_bytes().get(len) != Some(&b'"') {
            return self.escaped(len).map(Cow::Owned);
        }
        self.at += len + 1;
        rest.get(..len).map(Cow::Borrowed).ok_or(Stop::Broken)
    }

    /// Passes the string that began here, with the first escape behind `len` bytes.
    fn escaped(&mut self, len: usize) -> Result<String, Stop> {
        let start = self.at - 1;
        self.at += len;
        while self.byte()? != b'"' {
            self.at += 2;
            self.at += plain_len(self.text.as_bytes().get(self.at..).ok_or(Stop::Broken)?);
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).ok_or(Stop::Broken)?;
        serde_json::from_str(quoted).map_err(|_| Stop::Broken)
    }

    fn byte(&self) -> Result<u8, Stop> {
        self.text.as_bytes().get(self.at).copied().ok_or(Stop::Broken)
    }

    fn pass(&mut self, expected: u8) -> Result<(), Stop> {
        let is_there = self.ends(expected)?;
        if is_there { Ok(()) } else { Err(Stop::Broken) }
    }

    /// Returns whether the byte is here, and passes it then.
    fn ends(&mut self, end: u8) -> Result<bool, Stop> {
        let is_end = self.byte()? == end;
        self.at += usize::from(is_end);
        Ok(is_end)
    }

    /// Goes into a member or item, the value of which begins here.
    fn enter(&mut self, key: &str, place: Place) -> Result<(), Stop> {
        let is_flag = matches!(self.byte()?, b't' | b'f' | b'n');
        found(match &mut self.members {
            None => self.rules.for_key(key, place, is_flag).is_some(),
            Some(members) => {
                members.push(key.to_owned());
                let path: Vec<&str> = members.iter().map(String::as_str).collect();
                self.rules.for_member(&path, is_flag).is_some()
            }
        })
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
}

/// Returns how many bytes there are before a quote or backslash, or before the end. It tests eight at a time, because
/// most strings are short.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len())
}

/// Sets the highest bit of the first byte that is a quote or backslash, and of some behind it. This is the well-known test
/// of a word for a byte that is zero, for bytes of ASCII. A byte before the first one is never taken for one.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let without = |byte: u8| (word ^ (ONES * u64::from(byte))).wrapping_sub(ONES);
    (without(b'"') | without(b'\\')) & !word & (ONES << 7)
}

fn found(applies: bool) -> Result<(), Stop> {
    if applies { Err(Stop::Found) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::plain_len;

    proptest! {
        #[test]
        fn a_string_ends_at_its_first_quote_or_backslash(text in "[a!\\[\\]#é\u{a2}\u{dc}\u{4122}]{0,20}[\"\\\\]?.{0,20}") {
            let expected = text.bytes().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(text.len());
            prop_assert_eq!(plain_len(text.as_bytes()), expected, "{:?}", text);
        }
    }
}
