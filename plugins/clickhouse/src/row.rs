//! An event as a row: a pure function.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;
use tracklane::Event;
use tracklane::event::Timestamp;
use tracklane_http::{EventJson, Json, JsonObject, Mapped};

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
    /// The row of an event, or why there is none. `event` makes the event for the user's hook.
    pub(crate) fn apply<'e>(
        &self,
        json: &'e EventJson<'_>,
        sent_at: SystemTime,
        event: impl FnOnce() -> Event,
    ) -> Mapped<Json<'e>> {
        let row = self.row(json, sent_at);
        let Some(map) = &self.map_event else { return Mapped::one(row.into()) };
        let mut row = Value::Object(row.into());
        map(&event(), &mut row);
        Mapped::one(row.into())
    }

    fn row<'e>(&self, json: &'e EventJson<'_>, sent_at: SystemTime) -> JsonObject<'e> {
        let mut row = JsonObject::with_capacity(16);
        for (member, column) in COLUMNS {
            if let Some(text) = json.text(member) {
                row.insert(*column, text);
            }
        }
        // A view is called by its name.
        if let Some(name) = json.text("event").or_else(|| json.text("name")) {
            row.insert("event", name);
        }
        row.insert("sent_at", Timestamp::from(sent_at).to_string());
        for name in ["properties", "traits", "context"] {
            let text = json.section_text(name);
            match self.sections {
                Sections::Json => row.insert(name, Json::Raw(text)),
                Sections::Text => row.insert(name, text),
            }
        }
        if let Some(properties) = with_category(json) {
            match self.sections {
                Sections::Json => row.insert("properties", properties),
                Sections::Text => {
                    let mut text = Vec::new();
                    properties.write(&mut text);
                    row.insert("properties", String::from_utf8_lossy(&text).into_owned());
                }
            }
        }
        row
    }
}

/// The properties of a view with its category, which has no column. `None` if it has none, or as a property already.
fn with_category<'e>(json: &'e EventJson<'_>) -> Option<JsonObject<'e>> {
    if !matches!(json.kind(), "page" | "screen") || json.properties().contains_key("category") {
        return None;
    }
    let category = json.text("category")?;
    let mut properties: JsonObject<'e> = json.properties().with_room(1);
    properties.insert("category", category);
    Some(properties)
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("sections", &self.sections)
            .field("maps_events", &self.map_event.is_some())
            .finish_non_exhaustive()
    }
}
