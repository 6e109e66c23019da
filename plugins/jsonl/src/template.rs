//! The path of an event's file: parts of its time, and of itself.

use std::path::{Component, Path};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Bytes that a name of an event may give to a file name.
const LONGEST: usize = 100;

/// The ending of a file that is being written.
pub(crate) const PART: &str = ".part";

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
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if let Some(problem) = problem_of_path(text) {
            return Err(problem.to_owned());
        }
        if let Some(problem) = problem_of_time(text) {
            return Err(problem);
        }
        let fixed = text.replace("{type}", "").replace("{event}", "");
        let later = Timestamp::from_nanosecond(123_456_789).unwrap_or(Timestamp::UNIX_EPOCH);
        let has_fractions = strftime(&fixed, later) != strftime(&fixed, Timestamp::UNIX_EPOCH);
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
        let mut path = path.replace("{type}", &safe(kind)).replace("{event}", &safe(event));
        if path.ends_with(PART) {
            path.push('_');
        }
        path
    }
}

/// The problem of a template as a path.
fn problem_of_path(text: &str) -> Option<&'static str> {
    let normal = |component| matches!(component, Component::Normal(_));
    let has_placeholder = || text.replace("{type}", "").replace("{event}", "").contains(['{', '}']);
    match text {
        "" => Some("must be a path below the directory, without `..`"),
        _ if !Path::new(text).components().all(normal) => Some("must be a path below the directory, without `..`"),
        _ if text.ends_with('/') || text.ends_with("/.") => Some("ends with `/`: add a file name"),
        _ if text.contains(char::is_control) => Some("has a control character: leave it out"),
        _ if text.ends_with(PART) => {
            Some("ends in `.part`, which files have while they are written: use another ending")
        }
        _ if text.ends_with(".gz") => Some("ends in `.gz`: leave that out, because the compression adds it"),
        _ if has_placeholder() => Some("has a placeholder that is not known: use {type} and {event}"),
        _ => None,
    }
}

/// The problem of the first part of a time that cannot be used.
fn problem_of_time(mut text: &str) -> Option<String> {
    while let Some((_, behind)) = text.split_once('%') {
        let is_option = |letter: char| "_-^#.:".contains(letter) || letter.is_ascii_digit();
        let mut letters = behind.trim_start_matches(is_option).chars();
        let letter = letters.next();
        let after = letters.as_str();
        let part = format!("%{}", behind.strip_suffix(after).unwrap_or(behind));
        if let Some(problem) = problem_of_part(&part, letter) {
            return Some(format!("has {part}{problem}"));
        }
        text = after;
    }
    None
}

/// The problem of one part, such as `%Y` or `%.3f`, with its letter.
fn problem_of_part(part: &str, letter: Option<char>) -> Option<&'static str> {
    match letter {
        None => Some(" at its end: write %% for a percent sign"),
        Some('Q' | 'Z' | 'z') => Some(", a time zone: every time is in UTC, so leave it out"),
        Some('c' | 'r' | 'x' | 'X') => Some(", whose form is that of a language: use %Y, %m, %d, %H, …"),
        Some('D') => Some(", which has slashes in it: use %F"),
        Some('n' | 't') => Some(", which is white space: leave it out"),
        Some(_) if strftime(part, Timestamp::UNIX_EPOCH).is_none() => {
            Some(", which is no part of a time: use %Y, %m, %d, %H, … and %% for a percent sign")
        }
        Some(_) => None,
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
            // A finished file never ends like one that is being written.
            ("{event}", "track", "A.part", "A.part_"),
            ("{type}.{event}", "track", "part", "track.part_"),
        ];
        for (template, kind, event, expected) in rows {
            assert_eq!(Template::new(template).unwrap().path(at, kind, event), expected, "{template} of {event:?}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_used_is_refused_with_the_part_that_is_wrong() {
        let rows = [
            ("", "must be a path below the directory"),
            ("/a.jsonl", "must be a path below the directory"),
            ("../a.jsonl", "must be a path below the directory"),
            ("a/../../b", "must be a path below the directory"),
            ("a/", "ends with `/`: add a file name"),
            ("a/.", "ends with `/`: add a file name"),
            ("a\0.jsonl", "has a control character"),
            ("a.part", "ends in `.part`, which files have while they are written: use another ending"),
            ("%Y/{event}.part", "ends in `.part`"),
            ("a.jsonl.gz", "ends in `.gz`: leave that out, because the compression adds it"),
            ("{name}.jsonl", "has a placeholder that is not known: use {type} and {event}"),
            ("%q%!.jsonl", "has %!, which is no part of a time: use %Y"),
            ("%J.jsonl", "has %J, which is no part of a time"),
            ("%{type}Y.jsonl", "has %{, which is no part of a time"),
            ("%.Y.jsonl", "has %.Y, which is no part of a time"),
            ("100%", "has % at its end: write %% for a percent sign"),
            ("%Y-%Q.jsonl", "has %Q, a time zone: every time is in UTC, so leave it out"),
            ("%:Q", "has %:Q, a time zone"),
            ("%-10Z", "has %-10Z, a time zone"),
            ("%z", "has %z, a time zone"),
            ("%c.jsonl", "has %c, whose form is that of a language: use %Y, %m, %d, %H, …"),
            ("%n.jsonl", "has %n, which is white space: leave it out"),
            ("%D.jsonl", "has %D, which has slashes in it: use %F"),
        ];
        for (template, problem) in rows {
            let told = Template::new(template).err().unwrap_or_default();
            assert!(told.starts_with(problem), "{template}: {told}");
        }
        for template in ["%F.jsonl", "%F/%H-%M-%S%.3f.jsonl", "%-d %B %_H %09s %%Q %j %G-%V", "a.partial", "part"] {
            assert!(Template::new(template).is_ok(), "{template}");
        }
    }
}
