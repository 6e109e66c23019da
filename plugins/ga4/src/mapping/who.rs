//! The user of an event, and the location.

use serde_json::{Map, Value};
use tracklane_http::{EventJson, Mapped, text};

use super::{Hit, Mapping, device, user};

/// Letters of an `app_instance_id`.
const APP_INSTANCE_LETTERS: usize = 32;

impl Mapping {
    /// The members of a request that say who it was.
    pub(super) fn who(&self, json: &EventJson) -> Result<Map<String, Value>, Mapped<Hit>> {
        let options = self.options(json);
        let (member, id) = match self.is_app {
            true => ("app_instance_id", app_instance(json, options)?),
            false => ("client_id", client(json, options)?),
        };
        let mut who = Map::from_iter([(member.to_owned(), id.into())]);
        if let Some(user) = json.user_id() {
            who.insert("user_id".to_owned(), user.into());
        }
        user::add_properties(json, &self.user_properties, &mut who);
        user::add_consent(options, self.ad_user_data, self.ad_personalization, &mut who);
        device::add(json, &mut who);
        Ok(who)
    }
}

/// The browser's id, else one that the event has anyway.
fn client(json: &EventJson, options: Option<&Map<String, Value>>) -> Result<String, Mapped<Hit>> {
    let known = of_options(options, ["clientId", "client_id"]).or_else(|| of_external_ids(json, "ga4ClientId"));
    let anonymous = || json.anonymous_id().map(str::to_owned);
    // A user without a browser is a client of its own, always the same.
    let derived = || Some(tracklane::event::message_uuid(json.user_id()?));
    let client = known.or_else(anonymous).or_else(derived);
    client.ok_or_else(|| Mapped::reject("it has neither userId nor anonymousId"))
}

/// The id that Firebase gave to the app, which nothing stands in for: Google answers 2xx to any other, and drops the event.
fn app_instance(json: &EventJson, options: Option<&Map<String, Value>>) -> Result<String, Mapped<Hit>> {
    let id = of_options(options, ["appInstanceId", "app_instance_id"])
        .or_else(|| of_external_ids(json, "ga4AppInstanceId"))
        .ok_or_else(|| Mapped::reject("it has no app_instance_id of Firebase, in its options or its externalIds"))?;
    let is_id = id.len() == APP_INSTANCE_LETTERS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { Ok(id) } else { Err(Mapped::reject("its app_instance_id is not 32 hexadecimal digits")) }
}

fn of_options(options: Option<&Map<String, Value>>, names: [&str; 2]) -> Option<String> {
    let options = options?;
    names.iter().find_map(|name| text(options.get(*name)?)).map(str::to_owned)
}

/// The external id of that type, as Segment's Spec has them in the context.
fn of_external_ids(json: &EventJson, of: &str) -> Option<String> {
    let ids = json.context_at(&["externalIds"])?.as_array()?;
    let id = ids.iter().find(|id| id.get("type").and_then(Value::as_str) == Some(of))?;
    text(id.get("id")?).map(str::to_owned)
}
