//! The path of an event's file: parts of its time, and of itself.

use std::path::{Component, Path};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Bytes that a name of an event may give to a file name.
const LONGEST: usize = 100;

/// A checked template. It makes a path below the directory, whatever the event contains.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    text: String,
    /// Letters of a time in RFC 3339 that a path may depend on.
    letters_of_time: usize,
}

/// Letters of a time in RFC 3339 down to its second.
const SECONDS: usize = "2024-02-29T23:59:59".len();

impl Template {
    /// The problem, if it cannot be used.
    pub(crate) fn new(text: &str) -> Result<Self, &'static str> {
        let normal = |component| matches!(component, Component::Normal(_));
        if text.is_empty() || !Path::new(text).components().all(normal) {
            return Err("must be a path below the directory, without `..`");
        }
        if text.ends_with('/') {
            return Err("ends with `/`: add a file name");
        }
        let placeholders = text.replace("{type}", "").replace("{event}", "");
        if placeholders.contains(['{', '}']) {
            return Err("has a placeholder that is not known: use {type} and {event}");
        }
        let Some(whole) = strftime(&placeholders, Timestamp::UNIX_EPOCH) else {
            return Err("has a part of a time that is not known: use %Y, %m, %d, %H, … and %% for a percent sign");
        };
        let later = Timestamp::from_nanosecond(123_456_789).unwrap_or(Timestamp::UNIX_EPOCH);
        let has_fractions = strftime(&placeholders, later) != Some(whole);
        let letters_of_time = if has_fractions { usize::MAX } else { SECONDS };
        Ok(Self { text: text.to_owned(), letters_of_time })
    }

    /// Whether a path depends on the event's name.
    pub(crate) fn has_event(&self) -> bool {
        self.text.contains("{event}")
    }

    /// As many letters of a time in RFC 3339 say which path it is, where all times are in UTC.
    pub(crate) fn letters_of_time(&self) -> usize {
        self.letters_of_time
    }

    /// The path of an event of this time, type and name.
    pub(crate) fn path(&self, at: Timestamp, kind: &str, event: &str) -> String {
        // The time first, so that a percent sign in a name stays one.
        let path = strftime(&self.text, at).unwrap_or_else(|| self.text.clone());
        path.replace("{type}", &safe(kind)).replace("{event}", &safe(event))
    }
}

fn strftime(format: &str, at: Timestamp) -> Option<String> {
    jiff::fmt::strtime::format(format, &at.to_zoned(TimeZone::UTC)).ok()
}

/// A name as one part of a path: never empty, never hidden, never another directory.
fn safe(name: &str) -> String {
    let letter = |letter: char| if letter.is_alphanumeric() || "-_. ".contains(letter) { letter } else { '_' };
    let mut safe: String = name.trim().chars().map(letter).collect();
    while safe.len() > LONGEST {
        safe.pop();
    }
    if safe.is_empty() || safe.starts_with('.') {
        safe.insert(0, '_');
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_makes_a_path_of_the_event() {
        let at: Timestamp = "2024-02-29T23:59:59Z".parse().unwrap();
        let rows = [
            ("%Y-%m-%d.jsonl", "track", "A", "2024-02-29.jsonl"),
            ("%Y/%m/{type}.jsonl", "track", "A", "2024/02/track.jsonl"),
            ("{event}.jsonl", "track", "Order Completed", "Order Completed.jsonl"),
            ("{event}.jsonl", "track", "../../etc/passwd", "_.._.._etc_passwd.jsonl"),
            ("{event}.jsonl", "track", "", "_.jsonl"),
            ("{event}.jsonl", "track", "50%d\0", "50_d_.jsonl"),
            ("{event}/x", "track", "..", "_../x"),
        ];
        for (template, kind, event, expected) in rows {
            assert_eq!(Template::new(template).unwrap().path(at, kind, event), expected, "{template} of {event:?}");
        }
    }

    #[test]
    fn a_template_that_leaves_the_directory_is_refused() {
        for template in ["", "/a.jsonl", "../a.jsonl", "a/../../b", "a/", "{name}.jsonl", "%q%!.jsonl"] {
            assert!(Template::new(template).is_err(), "{template}");
        }
    }
}
