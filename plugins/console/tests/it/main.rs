//! What is printed.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracklane::{Analytics, Track};
use tracklane_console::{Console, ConsoleSettings, Format};

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn send(console: Console, events: impl IntoIterator<Item = Track>) {
    let analytics = Analytics::builder().plugin(console.build()).build().unwrap();
    events.into_iter().for_each(|event| analytics.track(event).unwrap());
    let report = analytics.close_blocking(Duration::from_secs(5));
    assert_eq!(report.pending, 0, "{report:?}");
}

#[test]
fn events_are_printed_in_order_as_json_where_no_terminal_is() {
    let screen = Screen::default();
    send(Console::new().writer(screen.clone()), (0..100).map(|number| Track::new("Ping").user_id(number)));
    let text = screen.text();
    let users: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["userId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(users, (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn columns_are_printed_on_request() {
    let screen = Screen::default();
    let event = Track::new("Item Purchased").user_id("u1").property("revenue", 39.95);
    send(Console::new().format(Format::Text).writer(screen.clone()), [event]);
    let text = screen.text();
    assert!(text.contains("track     Item Purchased            u1  {\"revenue\":39.95}\n"), "{text:?}");
    assert!(!text.contains('\u{1b}'), "no colour where no terminal is: {text:?}");
}

#[test]
fn integrations_switch_it_off() {
    let screen = Screen::default();
    let event = Track::new("Ping").user_id("u1").integration("Console", false);
    send(Console::new().writer(screen.clone()), [event]);
    assert_eq!(screen.text(), "");
}

#[test]
fn settings_refuse_what_they_do_not_know() {
    let settings: ConsoleSettings = serde_json::from_str(r#"{ "stream": "stdout", "format": "pretty_json" }"#).unwrap();
    assert_eq!(settings.format, Format::PrettyJson);
    let error = serde_json::from_str::<ConsoleSettings>(r#"{ "colour": "never" }"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `colour`"), "{error}");
    let error = serde_json::from_str::<ConsoleSettings>(r#"{ "name": "" }"#).unwrap_err();
    assert!(
        error.to_string().starts_with("name is empty: write the name that events use in `integrations`"),
        "{error}"
    );
}
