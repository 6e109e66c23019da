//! Profiles of users and groups: identify, group and alias calls.

use tracklane::event::Timestamp;
use tracklane_http::{EventJson, Json, JsonObject, Mapped, millis, object, text};

use super::ids::{Who, check, is_uuid_v4, stamp};
use super::{IdMerge, Made, Mapping, Part, Target};

/// A trait, and the property of a user's profile that it is.
const USER: &[(&str, &str)] = &[
    ("email", "$email"),
    ("firstName", "$first_name"),
    ("lastName", "$last_name"),
    ("name", "$name"),
    ("username", "$username"),
    ("phone", "$phone"),
    ("avatar", "$avatar"),
    ("unsubscribed", "$unsubscribed"),
];

/// The traits that say when a user or group came to be; the first one counts.
const CREATED: &[&str] = &["createdAt", "created_at", "created"];

impl Mapping {
    pub(super) fn identify<'e>(&self, json: &'e EventJson<'_>, who: &Who<'e>) -> Made<'e, Vec<Part<'e>>> {
        let traits = user_traits(json.traits());
        let mut items = Vec::new();
        if !traits.is_empty() {
            items.push(user(json, who, "$set", traits));
        }
        if self.id_merge == IdMerge::Original {
            items.extend(merge(json));
        }
        if items.is_empty() {
            return Err(Mapped::skip("it sets no traits, and Mixpanel merges by events"));
        }
        Ok(items)
    }

    /// The group's profile, and the user's groups. `$union` keeps those that the user has been in before.
    pub(super) fn group<'e>(&'e self, json: &'e EventJson<'_>, who: &Who<'e>) -> Made<'e, Vec<Part<'e>>> {
        let group = json.text("groupId").ok_or_else(|| Mapped::reject("it has no groupId"))?;
        let key = &*self.group_key;
        let profile = object([
            ("$group_key", key.into()),
            ("$group_id", group.into()),
            ("$set", group_traits(json.traits()).into()),
        ]);
        let groups = object([(key, vec![group].into())]);
        Ok(vec![Part::new(Target::Groups, profile), user(json, who, "$union", groups)])
    }

    /// The id that is kept is the earlier one.
    pub(super) fn alias<'e>(&self, json: &'e EventJson<'_>) -> Made<'e, Vec<Part<'e>>> {
        if self.id_merge == IdMerge::Simplified {
            return Err(Mapped::skip("an alias has no effect where Mixpanel merges identities by itself"));
        }
        let (Some(user), Some(previous)) = (json.user_id(), json.text("previousId")) else {
            return Err(Mapped::reject("it has no userId or no previousId"));
        };
        check(user)?;
        check(previous)?;
        let properties = object([("distinct_id", previous.into()), ("alias", user.into())]);
        Ok(vec![merging_event(json, "$create_alias", properties)])
    }
}

/// Makes a change of a user's profile. `$ip` keeps Mixpanel from taking the sender's address for the user's.
pub(super) fn user<'e>(
    json: &'e EventJson<'_>,
    who: &Who<'e>,
    operation: &'static str,
    change: JsonObject<'e>,
) -> Part<'e> {
    let ip = json.context_text(&["ip"]).unwrap_or("0");
    let body =
        object([("$distinct_id", who.distinct_id.clone().into()), ("$ip", ip.into()), (operation, change.into())]);
    Part::new(Target::Engage, body)
}

/// The event that merges both ids of an identify call. `$identify` takes random UUIDs only.
fn merge<'e>(json: &'e EventJson<'_>) -> Option<Part<'e>> {
    let (user, anonymous) = (json.user_id()?, json.anonymous_id()?);
    if user == anonymous {
        return None;
    }
    Some(if is_uuid_v4(anonymous) {
        let ids =
            object([("$identified_id", user.into()), ("$anon_id", anonymous.into()), ("distinct_id", user.into())]);
        merging_event(json, "$identify", ids)
    } else {
        merging_event(json, "$merge", object([("$distinct_ids", vec![anonymous, user].into())]))
    })
}

fn merging_event<'e>(json: &'e EventJson<'_>, name: &'static str, mut properties: JsonObject<'e>) -> Part<'e> {
    stamp(json, &mut properties);
    Part::new(Target::Import, object([("event", name.into()), ("properties", properties.into())]))
}

fn user_traits<'e>(traits: &JsonObject<'e>) -> JsonObject<'e> {
    let mut set = traits.clone();
    for (name, property) in USER {
        if let Some(value) = set.remove(name).filter(|value| !value.is_null()) {
            set.insert(*property, value);
        }
    }
    if !set.contains_key("$name") {
        let part = |name: &str| text(set.get(name)?);
        let parts: Vec<&str> = ["$first_name", "$last_name"].into_iter().filter_map(part).collect();
        if !parts.is_empty() {
            let name = parts.join(" ");
            set.insert("$name", name);
        }
    }
    created(&mut set);
    address(&mut set);
    set
}

fn group_traits<'e>(traits: &JsonObject<'e>) -> JsonObject<'e> {
    let mut set = traits.clone();
    if let Some(name) = set.remove("name").filter(|value| !value.is_null()) {
        set.insert("$name", name);
    }
    created(&mut set);
    set
}

/// Writes the time of creation as a date that Mixpanel reads. Other values stay as they are.
fn created(set: &mut JsonObject<'_>) {
    let is_date = |name: &&&str| set.get(name).is_some_and(|value| millis(value).is_some());
    let Some(name) = CREATED.iter().find(is_date) else { return };
    if let Some(millis) = set.remove(name).as_ref().and_then(millis) {
        set.insert("$created", Timestamp::from_unix_millis(millis).to_string());
    }
}

/// Writes the parts of an address that Mixpanel knows. The others stay.
fn address(set: &mut JsonObject<'_>) {
    // What is no object is left out.
    let Some(Json::Object(mut address)) = set.remove("address").map(Json::parsed) else { return };
    for (name, property) in [("city", "$city"), ("state", "$region"), ("country", "$country_code")] {
        let is_known = |value: &Json<'_>| text(value).is_some_and(|text| name != "country" || text.len() == 2);
        if address.get(name).is_some_and(is_known)
            && let Some(value) = address.remove(name)
        {
            set.insert(property, value);
        }
    }
    if !address.is_empty() {
        set.insert("address", address);
    }
}
