//! An event in PostHog's form: pure functions.

mod calls;
mod context;
mod illegal;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;
use tracklane::Event;
use tracklane::event::Timestamp;
use tracklane_http::{EventJson, Json, JsonObject, Mapped, object};

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
    /// None. Identify and alias calls, which would do nothing else, are skipped. Group calls make a person all the same,
    /// because PostHog drops a personless one.
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
struct Call<'e> {
    event: &'e str,
    distinct_id: &'e str,
    properties: JsonObject<'e>,
    set: JsonObject<'e>,
    /// Set if the call leaves persons alone.
    personless: bool,
}

impl Mapping {
    /// The item of the batch for an event, or why there is none. `event` makes the event for the user's hook.
    pub(crate) fn apply<'e>(&'e self, json: &'e EventJson<'_>, event: impl FnOnce() -> Event) -> Mapped<Json<'e>> {
        let call = match self.call(json) {
            Ok(call) => call,
            Err(mapped) => return mapped,
        };
        let item = self.item(json, call);
        let Some(map) = &self.map_event else { return Mapped::one(item.into()) };
        let mut item = Value::Object(item.into());
        map(&event(), &mut item);
        Mapped::one(item.into())
    }

    fn item<'e>(&'e self, json: &'e EventJson<'_>, call: Call<'e>) -> JsonObject<'e> {
        let Call { event, distinct_id, mut properties, mut set, personless } = call;
        context::add(json, &mut properties);
        self.add_groups(json, &mut properties);
        let session = self.options(json).and_then(|options| options.get("sessionId"));
        if let Some(session) = session {
            properties.insert("$session_id", session.clone());
        }
        if personless {
            properties.insert("$process_person_profile", false);
        }
        let once: JsonObject<'e> = self.set_once.iter().filter_map(|name| set.remove_entry(name)).collect();
        let mut item = JsonObject::with_capacity(8);
        item.insert("event", event);
        item.insert("distinct_id", distinct_id);
        if let Some(uuid) = json.uuid() {
            item.insert("uuid", uuid);
        }
        if let Some(timestamp) = json.text("timestamp") {
            item.insert("timestamp", timestamp);
        }
        item.insert("properties", properties);
        for (name, traits) in [("$set", set), ("$set_once", once)] {
            if !traits.is_empty() {
                item.insert(name, traits);
            }
        }
        item
    }

    /// Adds the group of `context.groupId`, unless the event has groups itself.
    fn add_groups<'e>(&'e self, json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
        let Some(group) = json.context_text(&["groupId"]).filter(|_| self.groups_from_context) else { return };
        if !properties.contains_key("$groups") {
            properties.insert("$groups", object([(self.group_type_of(json), group.into())]));
        }
    }

    /// The type of the group that an event speaks of.
    fn group_type_of<'e>(&'e self, json: &'e EventJson<'_>) -> &'e str {
        let says = |object: &'e JsonObject<'_>| tracklane_http::text(object.get("groupType")?);
        self.options(json).and_then(says).or_else(|| says(json.traits())).unwrap_or(&self.group_type)
    }

    fn options<'e, 'j>(&self, json: &'e EventJson<'j>) -> Option<&'e JsonObject<'j>> {
        json.options(&[&self.name, NAME])
    }
}

/// Returns whether PostHog wants the item as historical at that time.
pub(crate) fn is_historical(item: &Json<'_>, now: SystemTime) -> bool {
    let timestamp = item.get("timestamp").and_then(Json::as_str).and_then(|text| text.parse::<Timestamp>().ok());
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
