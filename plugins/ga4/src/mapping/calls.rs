//! The six calls: which event each is at Google.

use serde_json::{Map, Value};
use tracklane_http::{EventJson, Mapped, text};

use super::{Hit, Mapping, ecommerce, rules};

type Call = (String, Map<String, Value>);

impl Mapping {
    pub(super) fn call(&self, json: &EventJson) -> Result<Call, Mapped<Hit>> {
        match json.kind() {
            "page" => Ok(page(json)),
            "group" => group(json),
            "screen" if self.is_app => Ok(screen(json)),
            "screen" if self.screens => named(&json.viewed(), json.properties().clone()),
            "screen" => Err(Mapped::skip("a web stream knows no screens: see the setting screens")),
            "identify" | "alias" => Err(Mapped::skip("Google knows no call that only says who somebody is")),
            _ => self.track(json),
        }
    }

    fn track(&self, json: &EventJson) -> Result<Call, Mapped<Hit>> {
        let name = json.text("event").ok_or_else(|| Mapped::reject("it has no name"))?;
        match ecommerce::recommended(name, json.properties(), self.currency.as_deref()) {
            Some((name, params)) => Ok((name.to_owned(), params)),
            None => named(name, self.with_currency(json.properties().clone())),
        }
    }

    /// A value goes with a currency, or not at all.
    fn with_currency(&self, mut properties: Map<String, Value>) -> Map<String, Value> {
        ecommerce::settle_currency(&mut properties, self.currency.as_deref());
        properties
    }
}

fn named(text: &str, params: Map<String, Value>) -> Result<Call, Mapped<Hit>> {
    let name = rules::name(text);
    match rules::problem_of_event(&name) {
        Some(problem) => Err(Mapped::Skip(problem)),
        None => Ok((name, params)),
    }
}

fn page(json: &EventJson) -> Call {
    let mut params = json.properties().clone();
    add_campaign(json, &mut params);
    for (property, param) in [("url", "page_location"), ("title", "page_title"), ("referrer", "page_referrer")] {
        let own = params.remove(property).filter(|value| text(value).is_some());
        let value = own.or_else(|| json.context_at(&["page", property]).cloned());
        if let Some(value) = value {
            params.insert(param.to_owned(), value);
        }
    }
    if !params.contains_key("page_title")
        && let Some(name) = json.view_name()
    {
        params.insert("page_title".to_owned(), name.into());
    }
    ("page_view".to_owned(), params)
}

/// As Firebase calls a screen view.
fn screen(json: &EventJson) -> Call {
    let mut params = json.properties().clone();
    add_campaign(json, &mut params);
    params.remove("name");
    if let Some(name) = json.view_name() {
        params.insert("screen_name".to_owned(), name.into());
    }
    ("screen_view".to_owned(), params)
}

/// What brought somebody to a view, under the names that Google has for it. What the view says stays.
fn add_campaign(json: &EventJson, params: &mut Map<String, Value>) {
    for (member, param) in
        [("source", "source"), ("medium", "medium"), ("name", "campaign"), ("term", "term"), ("content", "content")]
    {
        if let Some(text) = json.context_text(&["campaign", member])
            && !params.contains_key(param)
        {
            params.insert(param.to_owned(), text.into());
        }
    }
}

fn group(json: &EventJson) -> Result<Call, Mapped<Hit>> {
    let group = json.text("groupId").ok_or_else(|| Mapped::reject("it has no groupId"))?;
    Ok(("join_group".to_owned(), Map::from_iter([("group_id".to_owned(), group.into())])))
}
