//! The six calls: which event each is at PostHog, of whom, and with which properties.

use tracklane_http::{EventJson, Json, JsonObject, Mapped, host, object, text};
use url::Url;

use super::illegal::illegal;
use super::{Call, Mapping, PersonProfiles};

/// The result of a mapping: a part of the item, or why there is none.
type Made<'e, T> = Result<T, Mapped<Json<'e>>>;

/// Letters of a `distinct_id` that PostHog keeps. It would cut a longer one, and take two people for one.
const LONGEST_ID: usize = 200;
/// About as many properties as are added to an event's own.
const ADDED: usize = 16;
/// The user of all group calls without a `userId`. PostHog wants a `distinct_id` and makes a person of it, because it drops
/// the update of a group by a personless event. So this is one person, and not one for each group or visitor.
const NOBODY: &str = "tracklane-groups";
/// Returns whether a property would change identity, time or de-duplication.
fn is_never(name: &str) -> bool {
    matches!(name, "distinct_id" | "$anon_distinct_id" | "token" | "api_key" | "uuid" | "$ignore_sent_at")
}

impl Mapping {
    pub(super) fn call<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
        match json.kind() {
            "identify" => self.identify(json),
            "group" => self.group(json),
            "alias" => self.alias(json),
            "page" => self.view(json, "$pageview", page),
            "screen" => self.view(json, "$screen", screen),
            _ => self.track(json),
        }
    }

    fn track<'e>(&self, json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
        let name = json.text("event").ok_or_else(|| Mapped::reject("it has no name, which PostHog refuses"))?;
        self.plain(json, name, properties(json))
    }

    fn view<'e>(
        &self,
        json: &'e EventJson<'_>,
        name: &'static str,
        add: fn(&'e EventJson<'_>, &mut JsonObject<'e>),
    ) -> Made<'e, Call<'e>> {
        let mut properties = properties(json);
        for member in ["name", "category"] {
            if let Some(text) = json.text(member) {
                properties.insert(member, text);
            }
        }
        add(json, &mut properties);
        self.plain(json, name, properties)
    }

    /// An event that makes no person by itself.
    fn plain<'e>(&self, json: &'e EventJson<'_>, name: &'e str, properties: JsonObject<'e>) -> Made<'e, Call<'e>> {
        let traits = json.context_at(&["traits"]).and_then(Json::as_object).filter(|_| self.context_traits);
        Ok(Call {
            event: name,
            distinct_id: distinct_id(json)?,
            properties,
            set: traits.cloned().unwrap_or_default(),
            personless: match self.person_profiles {
                PersonProfiles::Always => false,
                PersonProfiles::IdentifiedOnly => json.user_id().is_none(),
                PersonProfiles::Never => true,
            },
        })
    }

    /// Known users are identified. Traits of others are set on the person of their `anonymousId`.
    fn identify<'e>(&self, json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
        self.needs_persons("identify")?;
        let distinct_id = distinct_id(json)?;
        check_legal(distinct_id)?;
        let mut properties = JsonObject::new();
        let anonymous = json.anonymous_id().filter(|id| *id != distinct_id && illegal(id).is_none());
        if let (Some(_), Some(anonymous)) = (json.user_id(), anonymous) {
            properties.insert("$anon_distinct_id", anonymous);
        }
        let event = if json.user_id().is_some() { "$identify" } else { "$set" };
        Ok(Call { event, distinct_id, properties, set: json.traits().clone(), personless: false })
    }

    /// The update of a group is dropped if the event is personless, so it never is.
    fn group<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
        let group = json.text("groupId").ok_or_else(|| Mapped::reject("it has no groupId"))?;
        let group_type = self.group_type_of(json);
        let mut traits = json.traits().clone();
        traits.remove("groupType");
        let properties = object([
            ("$group_type", group_type.into()),
            ("$group_key", group.into()),
            ("$group_set", traits.into()),
            ("$groups", object([(group_type, group.into())]).into()),
        ]);
        let distinct_id = json.user_id().map_or(Ok(NOBODY), checked)?;
        Ok(Call { event: "$groupidentify", distinct_id, properties, set: JsonObject::new(), personless: false })
    }

    /// The id that is kept is `distinct_id`.
    fn alias<'e>(&self, json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
        self.needs_persons("alias")?;
        let distinct_id = distinct_id(json)?;
        let previous = json.text("previousId").ok_or_else(|| Mapped::reject("it has no previousId"))?;
        check_legal(distinct_id)?;
        check_legal(previous)?;
        let properties = object([("alias", checked(previous)?.into())]);
        let event = if self.merge_dangerously { "$merge_dangerously" } else { "$create_alias" };
        Ok(Call { event, distinct_id, properties, set: JsonObject::new(), personless: false })
    }

    fn needs_persons<'e>(&self, call: &str) -> Made<'e, ()> {
        match self.person_profiles {
            PersonProfiles::Never => Err(Mapped::skip(format!("{call} calls need persons: person_profiles is never"))),
            _ => Ok(()),
        }
    }
}

fn page<'e>(json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
    let property = |name: &str| text(json.properties().get(name)?);
    let of_page = |name: &str| property(name).or_else(|| json.context_text(&["page", name]));
    if let Some(url) = of_page("url").and_then(|url| Url::parse(url).ok()) {
        let host = url.host_str().map(|host| match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        });
        insert(properties, "$host", host);
        insert(properties, "$pathname", Some(url.path().to_owned()));
    }
    insert(properties, "$current_url", of_page("url"));
    // The context's path is not that of the page's own URL.
    let of_context = || json.context_text(&["page", "path"]).filter(|_| property("url").is_none());
    insert(properties, "$pathname", property("path").or_else(of_context));
    insert(properties, "title", of_page("title"));
    let referrer = of_page("referrer");
    insert(properties, "$referring_domain", referrer.and_then(host));
    insert(properties, "$referrer", referrer);
}

fn screen<'e>(json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
    insert(properties, "$screen_name", json.view_name());
}

fn insert<'e>(properties: &mut JsonObject<'e>, name: &'static str, value: Option<impl Into<Json<'e>>>) {
    if let Some(value) = value {
        properties.insert(name, value);
    }
}

/// Returns the user's own properties, without those that would overwrite identity, time or de-duplication.
fn properties<'e>(json: &'e EventJson<'_>) -> JsonObject<'e> {
    let mut properties: JsonObject<'e> = json.properties().with_room(ADDED);
    properties.retain(|name| !is_never(name));
    properties
}

fn distinct_id<'e>(json: &'e EventJson<'_>) -> Made<'e, &'e str> {
    let id = json.user_id().or(json.anonymous_id());
    checked(id.ok_or_else(|| Mapped::reject("it has neither userId nor anonymousId"))?)
}

fn checked<'e>(id: &'e str) -> Made<'e, &'e str> {
    // Bytes are at least as many as letters.
    if id.len() > LONGEST_ID && id.chars().count() > LONGEST_ID {
        return Err(Mapped::reject("its user id has more than 200 characters, which PostHog would cut off"));
    }
    Ok(id)
}

fn check_legal<'e>(id: &str) -> Made<'e, ()> {
    match illegal(id) {
        Some(id) => Err(Mapped::skip(format!("PostHog merges no person with the id {id:?}"))),
        None => Ok(()),
    }
}
