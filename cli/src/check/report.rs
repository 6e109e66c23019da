//! Findings as text, as JSON Lines, for JUnit and for GitHub.

use serde_json::json;
use tracklane_ingest::rules::{Finding, Level};

use super::{Format, Place};
use crate::output;

/// Bytes that are written at a time.
const CHUNK: usize = 64 << 10;

pub(super) struct Report {
    format: Format,
    show: u64,
    events: u64,
    found: u64,
    /// The text that is still to be written.
    out: String,
}

impl Report {
    pub(super) fn new(format: Format, show: u64) -> Self {
        Self { format, show, events: 0, found: 0, out: String::new() }
    }

    pub(super) fn event(&mut self, place: Place<'_>, findings: &[Finding]) {
        self.events += 1;
        for finding in findings {
            self.found += 1;
            if self.found <= self.show {
                self.add(place, finding);
            }
        }
        // A JUnit file begins with its counts.
        if self.out.len() > CHUNK && self.format != Format::Junit {
            output::print(&std::mem::take(&mut self.out));
        }
    }

    fn add(&mut self, Place { file, line }: Place<'_>, finding: &Finding) {
        let file = file.display();
        let Finding { rule, level, message, fix, property } = finding;
        let text = match self.format {
            Format::Text => {
                let colour = if *level == Level::Smell { 33 } else { 31 };
                format!("{file}:{line}: {} {rule}: {message}. {fix}\n", output::paint(level.as_str(), colour))
            }
            Format::Json => {
                let row = json!({ "schema": 1, "file": file.to_string(), "line": line, "rule": rule, "level": level,
                    "property": property, "message": message, "fix": fix });
                format!("{row}\n")
            }
            Format::Junit => {
                let name = escaped(&format!("{file}:{line}"));
                let (rule, message, fix) = (escaped(rule), escaped(message), escaped(fix));
                format!(
                    "  <testcase classname=\"{rule}\" name=\"{name}\"><failure type=\"{level}\" \
                     message=\"{message}\">{fix}</failure></testcase>\n"
                )
            }
            Format::Github => {
                let kind = if *level == Level::Smell { "warning" } else { "error" };
                let message = command_data(&format!("{message}. {fix}"));
                let file = command_data(&file.to_string()).replace(':', "%3A").replace(',', "%2C");
                format!("::{kind} file={file},line={line},title={rule}::{message}\n")
            }
        };
        self.out.push_str(&text);
    }

    /// Writes the rest. Returns the number of findings.
    pub(super) fn finish(self) -> u64 {
        let (events, found) = (self.events, self.found);
        match self.format {
            Format::Junit => {
                let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
                let suite = format!("<testsuite name=\"tracklane check\" tests=\"{events}\" failures=\"{found}\">\n");
                output::print(&format!("{head}{suite}{}</testsuite>\n", self.out));
            }
            Format::Text => output::print(&format!("{}{events} events, {found} findings\n", self.out)),
            Format::Json => {
                let summary = json!({ "schema": 1, "events": events, "findings": found });
                output::print(&format!("{}{summary}\n", self.out));
            }
            Format::Github => output::print(&self.out),
        }
        if found > self.show {
            output::note(&format!("tracklane: {} further findings are not shown: see --show", found - self.show));
        }
        found
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to write these.
            char if char.is_control() => out.push(' '),
            char => out.push(char),
        }
    }
    out
}

fn command_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
