//! The six calls: which event each is at Google.

use std::borrow::Cow;

use tracklane_http::{EventJson, JsonObject, Mapped, object, text};

use super::{Made, Mapping, ecommerce, rules};

/// Parameters that are added to those of most events, so that they do not grow: of the page, and of a campaign.
const MORE: usize = 8;

/// The name of an event at Google, and its parameters.
pub(super) type Call<'e> = (Cow<'e, str>, JsonObject<'e>);

impl Mapping {
    pub(super) fn call<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
        match json.kind() {
            "page" => Ok(page(json)),
            "group" => group(json),
            "screen" if self.is_app => Ok(screen(json)),
            "screen" if self.screens => named(json.viewed(), json.properties().with_room(MORE)),
            "screen" => Err(Mapped::skip("a web stream knows no screens: see the setting screens")),
            "identify" | "alias" => Err(Mapped::skip("Google knows no call that only says who somebody is")),
            _ => self.track(json),
        }
    }

    fn track<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
        let name = json.text("event").ok_or_else(|| Mapped::reject("it has no name"))?;
        match ecommerce::recommended(name, json.properties(), self.currency.as_deref()) {
            Some((name, params)) => Ok((name.into(), params)),
            None => named(name, self.with_currency(json.properties().with_room(MORE))),
        }
    }

    /// A value goes with a currency, or not at all.
    fn with_currency<'e>(&'e self, mut properties: JsonObject<'e>) -> JsonObject<'e> {
        ecommerce::settle_currency(&mut properties, self.currency.as_deref());
        properties
    }
}

fn named<'e>(text: impl Into<Cow<'e, str>>, params: JsonObject<'e>) -> Made<'e, Call<'e>> {
    let name = rules::name(text);
    match rules::problem_of_event(&name) {
        Some(problem) => Err(Mapped::Skip(problem)),
        None => Ok((name, params)),
    }
}

fn page<'e>(json: &'e EventJson<'_>) -> Call<'e> {
    let mut params: JsonObject<'e> = json.properties().with_room(MORE);
    add_campaign(json, &mut params);
    for (property, param) in [("url", "page_location"), ("title", "page_title"), ("referrer", "page_referrer")] {
        let own = params.remove(property).filter(|value| text(value).is_some());
        let value = own.or_else(|| json.context_at(&["page", property]).cloned());
        if let Some(value) = value {
            params.insert(param, value);
        }
    }
    if let Some(name) = json.view_name() {
        params.insert_missing("page_title", name);
    }
    ("page_view".into(), params)
}

/// As Firebase calls a screen view.
fn screen<'e>(json: &'e EventJson<'_>) -> Call<'e> {
    let mut params: JsonObject<'e> = json.properties().with_room(MORE);
    add_campaign(json, &mut params);
    params.remove("name");
    if let Some(name) = json.view_name() {
        params.insert("screen_name", name);
    }
    ("screen_view".into(), params)
}

/// What brought somebody to a view, under the names that Google has for it. What the view says stays.
fn add_campaign<'e>(json: &'e EventJson<'_>, params: &mut JsonObject<'e>) {
    for (member, param) in
        [("source", "source"), ("medium", "medium"), ("name", "campaign"), ("term", "term"), ("content", "content")]
    {
        if let Some(text) = json.context_text(&["campaign", member]) {
            params.insert_missing(param, text);
        }
    }
}

fn group<'e>(json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
    let group = json.text("groupId").ok_or_else(|| Mapped::reject("it has no groupId"))?;
    Ok(("join_group".into(), object([("group_id", group.into())])))
}
