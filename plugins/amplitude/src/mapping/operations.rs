//! Operations on the properties of a user. There is nothing beside them: Amplitude forbids plain properties there.

use tracklane_http::{CAMPAIGN, EventJson, Json, JsonObject, host, object, text};

use super::Mapping;

/// Operations that the options of an identify call may have.
const OPERATIONS: &[&str] =
    &["$setOnce", "$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove", "$unset"];

impl Mapping {
    /// Those of an identify call.
    pub(super) fn operations<'e>(&self, json: &'e EventJson<'_>) -> JsonObject<'e> {
        let mut set: JsonObject<'e> = json.traits().clone();
        let mut once: JsonObject<'e> = self.set_once.iter().filter_map(|name| set.remove_entry(name)).collect();
        add_origin(json, &mut set, &mut once);
        let mut operations = written(set, once);
        for name in OPERATIONS {
            let of_options = self.options(json).and_then(|options| options.get(name)?.as_object());
            let Some(of_options) = of_options else { continue };
            operations.insert_missing(*name, JsonObject::new());
            if let Some(known) = operations.get_mut(name).and_then(Json::as_object_mut) {
                known.extend(of_options.clone());
            }
        }
        object([("user_properties", operations.into())])
    }
}

/// Those of any other event: what brought the user here. None if that is not known.
pub(super) fn of_origin<'e>(json: &'e EventJson<'_>) -> JsonObject<'e> {
    let (mut set, mut once) = (JsonObject::new(), JsonObject::new());
    add_origin(json, &mut set, &mut once);
    match written(set, once) {
        none if none.is_empty() => none,
        operations => object([("user_properties", operations.into())]),
    }
}

fn add_origin<'e>(json: &'e EventJson<'_>, set: &mut JsonObject<'e>, once: &mut JsonObject<'e>) {
    for (member, property) in CAMPAIGN {
        if let Some(value) = json.context_text(&["campaign", member]) {
            set.insert(*property, value);
            once.insert(format!("initial_{property}"), value);
        }
    }
    // A page call says it itself.
    let own = json.properties().get("referrer").and_then(text).filter(|_| json.kind() == "page");
    if let Some(referrer) = own.or_else(|| json.context_text(&["page", "referrer"])) {
        once.insert("initial_referrer", referrer);
        if let Some(domain) = host(referrer) {
            once.insert("initial_referring_domain", domain);
        }
    }
}

fn written<'e>(set: JsonObject<'e>, once: JsonObject<'e>) -> JsonObject<'e> {
    let mut operations = JsonObject::new();
    for (name, properties) in [("$set", set), ("$setOnce", once)] {
        if !properties.is_empty() {
            operations.insert(name, properties);
        }
    }
    operations
}
