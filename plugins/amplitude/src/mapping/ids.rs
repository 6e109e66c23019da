//! The user of an event.

use tracklane_http::{EventJson, JsonObject, Mapped};

use super::Made;

/// Ids that Amplitude refuses, as many programs send them by mistake, compared without case.
const ILLEGAL: &[&str] = &[
    "00000000-0000-0000-0000-000000000000",
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "{}",
    "lmy47d",
    "0",
    "-1",
];

/// Writes `user_id` and `device_id`. The device of a mobile app is its own; that of any other event is its `anonymousId`.
pub(super) fn write<'e>(json: &'e EventJson<'_>, item: &mut JsonObject<'e>) -> Made<'e, ()> {
    let of_app = json.context_text(&["device", "id"]).filter(|_| super::context::is_mobile(json));
    let (user, device) = (json.user_id(), of_app.or(json.anonymous_id()));
    if user.is_none() && device.is_none() {
        return Err(Mapped::reject("it has neither userId nor anonymousId"));
    }
    for (name, id) in [("user_id", user), ("device_id", device)] {
        if let Some(id) = id {
            check(id)?;
            item.insert(name, id);
        }
    }
    Ok(())
}

pub(super) fn check<'e>(id: &str) -> Made<'e, ()> {
    let trimmed = id.trim();
    match ILLEGAL.iter().find(|illegal| trimmed.eq_ignore_ascii_case(illegal)) {
        Some(illegal) => Err(Mapped::reject(format!("Amplitude refuses the id {illegal:?}"))),
        None => Ok(()),
    }
}
