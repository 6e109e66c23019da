//! Makes a hit: the event, its user, and the parameters that reports need.

use tracklane_http::{EventJson, Json, JsonObject, number, text};

use super::calls::Call;
use super::params::{self, Params};
use super::{HitParts, Made, Mapping};

/// The names of options that must be numbers. The second is the parameter's as well.
pub(super) const SESSION: [&str; 2] = ["sessionId", "session_id"];
pub(super) const ENGAGEMENT: [&str; 2] = ["engagementTimeMsec", "engagement_time_msec"];

impl Mapping {
    /// Maps an event without the user's hook.
    pub(crate) fn hit<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, HitParts<'e>> {
        let (name, params) = self.call_with_page(json)?;
        let who = self.who(json)?;
        let mut params = params::fit(params);
        self.add_reporting(json, &mut params);
        params.leave_out();
        let timestamp_micros = json.timestamp().map(|timestamp| timestamp.as_unix_millis().saturating_mul(1_000));
        Ok(HitParts { who, name, params, timestamp_micros })
    }

    /// The event at Google, with its parameters as they are before they are made to fit.
    pub(super) fn call_with_page<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Call<'e>> {
        let (name, mut params) = self.call(json)?;
        if !self.is_app {
            add_page(json, &mut params);
        }
        Ok((name, params))
    }

    /// Adds the parameters that reports need. Without a session and a time of engagement, an event appears only in
    /// Realtime. Options go before parameters of the event. Both must be numbers: Google drops an event with any other
    /// session, and answers 2xx.
    fn add_reporting<'e>(&self, json: &'e EventJson<'_>, params: &mut Params<'e>) {
        let options = self.options(json);
        let option = |names: [&str; 2]| {
            let options = options?;
            names.iter().find_map(|name| options.get(name)).filter(|value| number(value).is_some()).cloned()
        };
        match option(SESSION) {
            Some(session) => params.set("session_id", session),
            None => drop(params.keep_number("session_id")),
        }
        match option(ENGAGEMENT) {
            Some(engaged) => params.set("engagement_time_msec", engaged),
            None if params.keep_number("engagement_time_msec") => {}
            None => params.set("engagement_time_msec", Json::Raw("1")),
        }
        if self.debug {
            params.set("debug_mode", Json::Raw("1"));
        }
    }
}

/// Where on the site it was, as Google's own tag adds it to every event. What the event says stays.
fn add_page<'e>(json: &'e EventJson<'_>, params: &mut JsonObject<'e>) {
    let Some(page) = json.context().get("page").and_then(Json::as_object) else { return };
    for (member, param) in [("url", "page_location"), ("title", "page_title"), ("referrer", "page_referrer")] {
        if let Some(text) = page.get(member).and_then(text) {
            params.insert_missing(param, text);
        }
    }
}
