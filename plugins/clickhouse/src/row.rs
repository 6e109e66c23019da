//! An event as a row: a pure function.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value};
use tracklane::Event;
use tracklane::event::Timestamp;
use tracklane_http::{EventJson, Mapped};

/// Changes a row before it is sent.
pub(crate) type MapEvent = dyn Fn(&Event, &mut Value) + Send + Sync;

/// The type of the columns `properties`, `traits` and `context`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sections {
    /// `JSON`, from ClickHouse 24.8 on.
    #[default]
    Json,
    /// `String`, with JSON as text.
    Text,
}

/// The settings of the mapping.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    pub(crate) sections: Sections,
    pub(crate) map_event: Option<Arc<MapEvent>>,
}

/// Members of an event, and the columns that they are.
const COLUMNS: &[(&str, &str)] = &[
    ("messageId", "message_id"),
    ("type", "type"),
    ("userId", "user_id"),
    ("anonymousId", "anonymous_id"),
    ("groupId", "group_id"),
    ("previousId", "previous_id"),
    ("timestamp", "timestamp"),
];

impl Rows {
    /// The row of an event. `event` makes the event for the user's hook.
    pub(crate) fn apply(&self, json: &EventJson, sent_at: SystemTime, event: impl FnOnce() -> Event) -> Mapped<Value> {
        let mut row = Map::new();
        for (member, column) in COLUMNS {
            if let Some(text) = json.text(member) {
                row.insert((*column).to_owned(), text.into());
            }
        }
        // A view is called by its name.
        if let Some(name) = json.text("event").or_else(|| json.text("name")) {
            row.insert("event".to_owned(), name.into());
        }
        row.insert("sent_at".to_owned(), Timestamp::from(sent_at).to_string().into());
        for (name, section) in
            [("properties", json.properties()), ("traits", json.traits()), ("context", json.context())]
        {
            let section = Value::from(section.clone());
            let value = match self.sections {
                Sections::Json => section,
                Sections::Text => section.to_string().into(),
            };
            row.insert(name.to_owned(), value);
        }
        let mut row = Value::from(row);
        if let Some(map) = &self.map_event {
            map(&event(), &mut row);
        }
        Mapped::one(row)
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("sections", &self.sections)
            .field("maps_events", &self.map_event.is_some())
            .finish_non_exhaustive()
    }
}
