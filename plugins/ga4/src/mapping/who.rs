//! The user of an event, and the location.

use serde_json::{Map, Value};
use tracklane_http::{EventJson, Mapped, text};

use super::Hit;

/// The members of a request that say who it was.
pub(super) fn of(json: &EventJson, options: Option<&Map<String, Value>>) -> Result<Map<String, Value>, Mapped<Hit>> {
    let mut who = Map::new();
    let client =
        of_options(options).or_else(|| of_external_ids(json)).or_else(|| json.anonymous_id().map(str::to_owned));
    // A user without a browser is a client of its own, always the same.
    let derived = || Some(tracklane::event::message_uuid(json.user_id()?));
    let client = client.or_else(derived);
    let Some(client) = client else {
        return Err(Mapped::reject("it has neither userId nor anonymousId"));
    };
    who.insert("client_id".to_owned(), client.into());
    if let Some(user) = json.user_id() {
        who.insert("user_id".to_owned(), user.into());
    }
    if let Some(ip) = json.context_text(&["ip"]) {
        who.insert("ip_override".to_owned(), ip.into());
    }
    if let Some(user_agent) = json.context_text(&["userAgent"]) {
        who.insert("user_agent".to_owned(), user_agent.into());
    }
    Ok(who)
}

fn of_options(options: Option<&Map<String, Value>>) -> Option<String> {
    let options = options?;
    ["clientId", "client_id"].iter().find_map(|name| text(options.get(*name)?)).map(str::to_owned)
}

/// The external id of the type `ga4ClientId`, as Segment's Spec has them in the context.
fn of_external_ids(json: &EventJson) -> Option<String> {
    let ids = json.context_at(&["externalIds"])?.as_array()?;
    let id = ids.iter().find(|id| id.get("type").and_then(Value::as_str) == Some("ga4ClientId"))?;
    text(id.get("id")?).map(str::to_owned)
}
