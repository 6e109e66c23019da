//! The user of an event, and the location.

use std::borrow::Cow;

use tracklane_http::{EventJson, Json, JsonObject, Mapped, text};

use super::{Made, Mapping, device, user};

/// Members that a user has at most.
const MEMBERS: usize = 7;
/// Letters of an `app_instance_id`.
const APP_INSTANCE_LETTERS: usize = 32;

impl Mapping {
    /// The members of a request that say who it was.
    pub(super) fn who<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, JsonObject<'e>> {
        let options = self.options(json);
        let mut who = JsonObject::with_capacity(MEMBERS);
        match self.is_app {
            true => who.insert("app_instance_id", app_instance(json, options)?),
            false => who.insert("client_id", client(json, options)?),
        }
        if let Some(user) = json.user_id() {
            who.insert("user_id", user);
        }
        user::add_properties(json, &self.user_properties, &mut who);
        user::add_consent(options, self.ad_user_data, self.ad_personalization, &mut who);
        device::add(json, &mut who);
        Ok(who)
    }
}

/// The browser's id, else one that the event has anyway.
fn client<'e>(json: &'e EventJson<'_>, options: Option<&'e JsonObject<'_>>) -> Made<'e, Cow<'e, str>> {
    let known = of_options(options, ["clientId", "client_id"]).or_else(|| of_external_ids(json, "ga4ClientId"));
    // A user without a browser is a client of its own, always the same.
    let derived = || Some(tracklane::event::message_uuid(json.user_id()?).into());
    let known = known.map(without_version);
    let client = known.or_else(|| json.anonymous_id()).map(Cow::Borrowed).or_else(derived);
    client.ok_or_else(|| Mapped::reject("it has neither userId nor anonymousId"))
}

/// The id in the cookie `_ga`, whose whole text is `GA1.1.123.456`: two numbers behind the cookie's version. Other ids
/// stay as they are.
fn without_version(id: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let version_and_id = || {
        let (_, id) = id.strip_prefix("GA")?.split_once('.')?.1.split_once('.')?;
        let (one, other) = id.split_once('.')?;
        (is_number(one) && is_number(other)).then_some(id)
    };
    version_and_id().unwrap_or(id)
}

/// The id that Firebase gave to the app, which nothing stands in for: Google answers 2xx to any other, and drops the event.
fn app_instance<'e>(json: &'e EventJson<'_>, options: Option<&'e JsonObject<'_>>) -> Made<'e, &'e str> {
    let id = of_options(options, ["appInstanceId", "app_instance_id"])
        .or_else(|| of_external_ids(json, "ga4AppInstanceId"))
        .ok_or_else(|| Mapped::reject("it has no app_instance_id of Firebase, in its options or its externalIds"))?;
    let is_id = id.len() == APP_INSTANCE_LETTERS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { Ok(id) } else { Err(Mapped::reject("its app_instance_id is not 32 hexadecimal digits")) }
}

fn of_options<'e>(options: Option<&'e JsonObject<'_>>, names: [&str; 2]) -> Option<&'e str> {
    let options = options?;
    names.iter().find_map(|name| text(options.get(name)?))
}

/// The external id of that type, as Segment's Spec has them in the context.
fn of_external_ids<'e>(json: &'e EventJson<'_>, of: &str) -> Option<&'e str> {
    let ids = json.context_at(&["externalIds"])?.as_array()?;
    let id = ids.iter().find(|id| id.get("type").and_then(Json::as_str) == Some(of))?;
    text(id.get("id")?)
}
