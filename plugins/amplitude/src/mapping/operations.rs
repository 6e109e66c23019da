//! Operations on the properties of a user. There is nothing beside them: Amplitude forbids plain properties there.

use serde_json::{Map, Value};
use tracklane_http::{EventJson, object};
use url::Url;

use super::Mapping;

/// Operations that the options of an identify call may have.
const OPERATIONS: &[&str] =
    &["$setOnce", "$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove", "$unset"];
/// A member of `context.campaign`, and the property that it is.
const CAMPAIGN: &[(&str, &str)] = &[
    ("source", "utm_source"),
    ("medium", "utm_medium"),
    ("name", "utm_campaign"),
    ("content", "utm_content"),
    ("term", "utm_term"),
];

impl Mapping {
    /// Those of an identify call.
    pub(super) fn operations(&self, json: &EventJson) -> Map<String, Value> {
        let mut set = json.traits().clone();
        let mut once: Map<String, Value> = self.set_once.iter().filter_map(|name| set.remove_entry(name)).collect();
        add_origin(json, &mut set, &mut once);
        let mut operations = written(set, once);
        for name in OPERATIONS {
            let of_options = self.options(json).and_then(|options| options.get(*name)?.as_object());
            let Some(of_options) = of_options else { continue };
            let known = operations.entry(*name).or_insert_with(|| Map::new().into());
            if let Some(known) = known.as_object_mut() {
                known.extend(of_options.clone());
            }
        }
        object([("user_properties", operations.into())])
    }
}

/// Those of any other event: what brought the user here. None if that is not known.
pub(super) fn of_origin(json: &EventJson) -> Map<String, Value> {
    let (mut set, mut once) = (Map::new(), Map::new());
    add_origin(json, &mut set, &mut once);
    match written(set, once) {
        none if none.is_empty() => none,
        operations => object([("user_properties", operations.into())]),
    }
}

fn add_origin(json: &EventJson, set: &mut Map<String, Value>, once: &mut Map<String, Value>) {
    for (member, property) in CAMPAIGN {
        if let Some(value) = json.context_text(&["campaign", member]) {
            set.insert((*property).to_owned(), value.into());
            once.insert(format!("initial_{property}"), value.into());
        }
    }
    if let Some(referrer) = json.context_text(&["page", "referrer"]) {
        once.insert("initial_referrer".to_owned(), referrer.into());
        if let Some(domain) = Url::parse(referrer).ok().and_then(|url| url.host_str().map(str::to_owned)) {
            once.insert("initial_referring_domain".to_owned(), domain.into());
        }
    }
}

fn written(set: Map<String, Value>, once: Map<String, Value>) -> Map<String, Value> {
    let mut operations = Map::new();
    for (name, properties) in [("$set", set), ("$setOnce", once)] {
        if !properties.is_empty() {
            operations.insert(name.to_owned(), properties.into());
        }
    }
    operations
}
