//! An event as text.

use std::fmt::Write;

use serde_json::Value;

use crate::console::Format;

/// The style of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) format: Format,
    pub(crate) color: bool,
}

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const KIND: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

impl Style {
    /// The event's text, with the end of its line.
    pub(crate) fn show(self, json: &[u8]) -> String {
        let event = || serde_json::from_slice::<Value>(json).unwrap_or_default();
        let mut text = match self.format {
            Format::PrettyJson => serde_json::to_string_pretty(&event()).unwrap_or_default(),
            Format::Text => self.columns(&event()),
            Format::Auto | Format::Json => String::from_utf8_lossy(json).into_owned(),
        };
        text = harmless(&text, self.color && self.format == Format::Text);
        text.push('\n');
        text
    }

    fn columns(self, event: &Value) -> String {
        let text = |member: &str| event.get(member).and_then(Value::as_str).unwrap_or_default();
        let time = text("timestamp").split_once('T').map_or("", |(_, time)| time.trim_end_matches('Z'));
        let name = [text("event"), text("name"), text("groupId"), text("previousId")];
        let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or("-");
        let user = [text("userId"), text("anonymousId")].into_iter().find(|id| !id.is_empty()).unwrap_or("-");
        let mut line = String::new();
        // Writing to a string cannot fail.
        let _ = write!(line, "{}  {}", self.paint(DIM, time), self.paint(KIND, &format!("{:<8}", text("type"))));
        let _ = write!(line, "  {}  {}", self.paint(BOLD, &format!("{name:<24}")), self.paint(DIM, user));
        for section in ["properties", "traits"] {
            if let Some(section) =
                event.get(section).filter(|section| section.as_object().is_some_and(|map| !map.is_empty()))
            {
                let _ = write!(line, "  {section}");
            }
        }
        line
    }

    fn paint(self, color: &str, text: &str) -> String {
        // The event's own text cannot end the colour.
        let text = harmless(text, false);
        if self.color { format!("{color}{text}{RESET}") } else { text }
    }
}

/// The text without characters that a terminal obeys; `escapes` lets this crate's own colours through.
fn harmless(text: &str, escapes: bool) -> String {
    let obeyed = |letter: char| letter.is_control() && letter != '\n' && !(escapes && letter == '\x1b');
    // Marks that reorder text on the screen: RFC 9839 and Unicode's TR 36 name them as unsafe to show.
    let reorders = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|letter| if obeyed(letter) || reorders(letter) { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"type":"track","timestamp":"2024-02-29T12:03:04.567Z","event":"Report Exported","userId":"u1","properties":{"format":"pdf"}}"#;

    #[test]
    fn an_event_is_a_line_of_columns() {
        let style = Style { format: Format::Text, color: false };
        let expected = "12:03:04.567  track     Report Exported           u1  {\"format\":\"pdf\"}\n";
        assert_eq!(style.show(EVENT.as_bytes()), expected);
        let json = Style { format: Format::Json, color: true };
        assert_eq!(json.show(EVENT.as_bytes()), format!("{EVENT}\n"));
        let pretty = Style { format: Format::PrettyJson, color: false }.show(EVENT.as_bytes());
        // The order of members depends on a feature of serde_json that any crate may switch on.
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        assert_eq!(read(&pretty), read(EVENT));
        assert_eq!(pretty.lines().count(), 9, "{pretty}");
    }

    #[test]
    fn no_event_drives_the_terminal() {
        let event = serde_json::json!({ "type": "track", "event": "\u{1b}[2J\u{202e}\r\u{9b}31m", "userId": "\u{7}" });
        for format in [Format::Text, Format::Json, Format::PrettyJson] {
            let text = Style { format, color: false }.show(event.to_string().as_bytes());
            assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{7}', '\r', '\u{202e}']), "{format:?}: {text:?}");
        }
        let coloured = Style { format: Format::Text, color: true }.show(event.to_string().as_bytes());
        assert!(!coloured.contains("\u{1b}[2J"), "{coloured:?}");
    }
}
