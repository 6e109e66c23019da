//! The six calls: which event each is at PostHog, of whom, and with which properties.

use serde_json::{Map, Value};
use tracklane_http::{EventJson, Mapped, text};
use url::Url;

use super::illegal::illegal;
use super::{Call, Mapping, PersonProfiles};

/// Letters of a `distinct_id` that PostHog keeps. It would cut a longer one, and take two people for one.
const LONGEST_ID: usize = 200;
/// The user of a group call without a user. PostHog ties groups to nobody by it.
const NOBODY: &str = "tracklane-groups";
/// Properties that would change identity, time or de-duplication.
const NEVER: &[&str] = &["distinct_id", "$anon_distinct_id", "token", "api_key", "uuid", "$ignore_sent_at"];

impl Mapping {
    pub(super) fn call(&self, json: &EventJson) -> Result<Call, Mapped<Value>> {
        match json.kind() {
            "identify" => self.identify(json),
            "group" => self.group(json),
            "alias" => self.alias(json),
            "page" => self.view(json, "$pageview", page),
            "screen" => self.view(json, "$screen", screen),
            _ => self.track(json),
        }
    }

    fn track(&self, json: &EventJson) -> Result<Call, Mapped<Value>> {
        let name = json.text("event").ok_or_else(|| Mapped::reject("it has no name, which PostHog refuses"))?;
        self.plain(json, name, properties(json))
    }

    fn view(
        &self,
        json: &EventJson,
        name: &str,
        add: fn(&EventJson, &mut Map<String, Value>),
    ) -> Result<Call, Mapped<Value>> {
        let mut properties = properties(json);
        for member in ["name", "category"] {
            if let Some(text) = json.text(member) {
                properties.insert(member.to_owned(), text.into());
            }
        }
        add(json, &mut properties);
        self.plain(json, name, properties)
    }

    /// An event that makes no person by itself.
    fn plain(&self, json: &EventJson, name: &str, properties: Map<String, Value>) -> Result<Call, Mapped<Value>> {
        let traits = json.context_at(&["traits"]).and_then(Value::as_object).filter(|_| self.context_traits);
        Ok(Call {
            event: name.to_owned(),
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
    fn identify(&self, json: &EventJson) -> Result<Call, Mapped<Value>> {
        self.needs_persons("identify")?;
        let distinct_id = distinct_id(json)?;
        check_legal(&distinct_id)?;
        let mut properties = Map::new();
        let anonymous = json.anonymous_id().filter(|id| *id != distinct_id && illegal(id).is_none());
        if let (Some(_), Some(anonymous)) = (json.user_id(), anonymous) {
            properties.insert("$anon_distinct_id".to_owned(), anonymous.into());
        }
        let event = if json.user_id().is_some() { "$identify" } else { "$set" }.to_owned();
        Ok(Call { event, distinct_id, properties, set: json.traits().clone(), personless: false })
    }

    /// The update of a group is dropped if the event is personless, so it never is.
    fn group(&self, json: &EventJson) -> Result<Call, Mapped<Value>> {
        let group = json.text("groupId").ok_or_else(|| Mapped::reject("it has no groupId"))?;
        let group_type = self.group_type_of(json);
        let mut traits = json.traits().clone();
        traits.remove("groupType");
        let properties = Map::from_iter([
            ("$group_type".to_owned(), group_type.into()),
            ("$group_key".to_owned(), group.into()),
            ("$group_set".to_owned(), traits.into()),
            ("$groups".to_owned(), Map::from_iter([(group_type.to_owned(), group.into())]).into()),
        ]);
        let distinct_id = json.user_id().map_or_else(|| Ok(NOBODY.to_owned()), checked)?;
        let event = "$groupidentify".to_owned();
        Ok(Call { event, distinct_id, properties, set: Map::new(), personless: false })
    }

    /// The id that is kept is `distinct_id`.
    fn alias(&self, json: &EventJson) -> Result<Call, Mapped<Value>> {
        self.needs_persons("alias")?;
        let distinct_id = distinct_id(json)?;
        let previous = json.text("previousId").ok_or_else(|| Mapped::reject("it has no previousId"))?;
        check_legal(&distinct_id)?;
        check_legal(previous)?;
        let properties = Map::from_iter([("alias".to_owned(), checked(previous)?.into())]);
        let event = if self.merge_dangerously { "$merge_dangerously" } else { "$create_alias" }.to_owned();
        Ok(Call { event, distinct_id, properties, set: Map::new(), personless: false })
    }

    fn needs_persons(&self, call: &str) -> Result<(), Mapped<Value>> {
        match self.person_profiles {
            PersonProfiles::Never => Err(Mapped::skip(format!("{call} calls need persons: person_profiles is never"))),
            _ => Ok(()),
        }
    }
}

fn page(json: &EventJson, properties: &mut Map<String, Value>) {
    let property = |name: &str| text(json.properties().get(name)?);
    let of_page = |name: &str| property(name).or_else(|| json.context_text(&["page", name])).map(str::to_owned);
    if let Some(url) = of_page("url").and_then(|url| Url::parse(&url).ok()) {
        let host = url.host_str().map(|host| match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        });
        insert(properties, "$host", host);
        insert(properties, "$pathname", Some(url.path().to_owned()));
    }
    insert(properties, "$current_url", of_page("url"));
    insert(properties, "$pathname", of_page("path"));
    insert(properties, "title", of_page("title"));
    let referrer = of_page("referrer");
    insert(properties, "$referring_domain", referrer.as_deref().and_then(super::context::domain));
    insert(properties, "$referrer", referrer);
}

fn screen(json: &EventJson, properties: &mut Map<String, Value>) {
    insert(properties, "$screen_name", json.view_name().map(str::to_owned));
}

fn insert(properties: &mut Map<String, Value>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        properties.insert(name.to_owned(), value.into());
    }
}

/// Returns the user's own properties, without those that would overwrite identity, time or de-duplication.
fn properties(json: &EventJson) -> Map<String, Value> {
    let mut properties = json.properties().clone();
    NEVER.iter().for_each(|name| drop(properties.remove(*name)));
    properties
}

fn distinct_id(json: &EventJson) -> Result<String, Mapped<Value>> {
    let id = json.user_id().or(json.anonymous_id());
    checked(id.ok_or_else(|| Mapped::reject("it has neither userId nor anonymousId"))?)
}

fn checked(id: &str) -> Result<String, Mapped<Value>> {
    if id.chars().count() > LONGEST_ID {
        return Err(Mapped::reject("its user id has more than 200 characters, which PostHog would cut off"));
    }
    Ok(id.to_owned())
}

fn check_legal(id: &str) -> Result<(), Mapped<Value>> {
    match illegal(id) {
        Some(id) => Err(Mapped::skip(format!("PostHog merges no person with the id {id:?}"))),
        None => Ok(()),
    }
}
