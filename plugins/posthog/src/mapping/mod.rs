//! An event in PostHog's form: pure functions.

mod calls;
mod context;
mod illegal;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Map, Value};
use tracklane::Event;
use tracklane::event::Timestamp;
use tracklane_http::{EventJson, Mapped};

/// The name of the destination, unless another is given; also a name for options in `integrations`.
pub(crate) const NAME: &str = "PostHog";

/// Changes an item before it is sent.
pub(crate) type MapEvent = dyn Fn(&Event, &mut Value) + Send + Sync;

/// From when on PostHog wants events as historical.
const HISTORICAL: Duration = Duration::from_secs(48 * 60 * 60);

/// The events that make or change the profile of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PersonProfiles {
    /// All.
    Always,
    /// Events with a `userId`, and every identify call.
    #[default]
    IdentifiedOnly,
    /// None. Identify and alias calls, which would do nothing else, are skipped.
    Never,
}

/// The settings of the mapping.
#[derive(Clone)]
pub(crate) struct Mapping {
    /// The destination's name, for options in `integrations`.
    pub(crate) name: String,
    pub(crate) person_profiles: PersonProfiles,
    pub(crate) group_type: String,
    pub(crate) groups_from_context: bool,
    pub(crate) set_once: Vec<String>,
    pub(crate) context_traits: bool,
    pub(crate) merge_dangerously: bool,
    pub(crate) map_event: Option<Arc<MapEvent>>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            name: NAME.to_owned(),
            person_profiles: PersonProfiles::default(),
            group_type: "segment_group".to_owned(),
            groups_from_context: true,
            set_once: Vec::new(),
            context_traits: false,
            merge_dangerously: false,
            map_event: None,
        }
    }
}

/// A call in PostHog's form, without the common members.
struct Call {
    event: String,
    distinct_id: String,
    properties: Map<String, Value>,
    set: Map<String, Value>,
    /// Set if the call leaves persons alone.
    personless: bool,
}

impl Mapping {
    /// The item of the batch for an event, or why there is none. `event` makes the event for the user's hook.
    pub(crate) fn apply(&self, json: &EventJson, event: impl FnOnce() -> Event) -> Mapped<Value> {
        let call = match self.call(json) {
            Ok(call) => call,
            Err(mapped) => return mapped,
        };
        let mut item = Value::Object(self.item(json, call));
        if let Some(map) = &self.map_event {
            map(&event(), &mut item);
        }
        Mapped::one(item)
    }

    fn item(&self, json: &EventJson, call: Call) -> Map<String, Value> {
        let Call { event, distinct_id, mut properties, mut set, personless } = call;
        context::add(json, &mut properties);
        self.add_groups(json, &mut properties);
        let session = self.options(json).and_then(|options| options.get("sessionId"));
        if let Some(session) = session {
            properties.insert("$session_id".to_owned(), session.clone());
        }
        if personless {
            properties.insert("$process_person_profile".to_owned(), false.into());
        }
        let once: Map<String, Value> = self.set_once.iter().filter_map(|name| set.remove_entry(name)).collect();
        let mut item = Map::new();
        item.insert("event".to_owned(), event.into());
        item.insert("distinct_id".to_owned(), distinct_id.into());
        if let Some(uuid) = json.uuid() {
            item.insert("uuid".to_owned(), uuid.into());
        }
        if let Some(timestamp) = json.text("timestamp") {
            item.insert("timestamp".to_owned(), timestamp.into());
        }
        item.insert("properties".to_owned(), properties.into());
        for (name, traits) in [("$set", set), ("$set_once", once)] {
            if !traits.is_empty() {
                item.insert(name.to_owned(), traits.into());
            }
        }
        item
    }

    /// Adds the group of `context.groupId`, unless the event has groups itself.
    fn add_groups(&self, json: &EventJson, properties: &mut Map<String, Value>) {
        let Some(group) = json.context_text(&["groupId"]).filter(|_| self.groups_from_context) else { return };
        if !properties.contains_key("$groups") {
            let groups = Map::from_iter([(self.group_type_of(json).to_owned(), group.into())]);
            properties.insert("$groups".to_owned(), groups.into());
        }
    }

    /// The type of the group that an event speaks of.
    fn group_type_of<'m>(&'m self, json: &'m EventJson) -> &'m str {
        let says = |object: &'m Map<String, Value>| tracklane_http::text(object.get("groupType")?);
        self.options(json).and_then(says).or_else(|| says(json.traits())).unwrap_or(&self.group_type)
    }

    fn options<'m>(&'m self, json: &'m EventJson) -> Option<&'m Map<String, Value>> {
        json.options(&[&self.name, NAME])
    }
}

/// Returns whether PostHog wants the item as historical at that time.
pub(crate) fn is_historical(item: &Value, now: SystemTime) -> bool {
    let timestamp = item.get("timestamp").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    let age = timestamp.and_then(|timestamp| now.duration_since(SystemTime::from(timestamp)).ok());
    age.is_some_and(|age| age >= HISTORICAL)
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("person_profiles", &self.person_profiles)
            .field("group_type", &self.group_type)
            .field("maps_events", &self.map_event.is_some())
            .finish_non_exhaustive()
    }
}
