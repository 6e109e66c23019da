//! What is known of the user, and what they allow.

use serde::Deserialize;
use tracklane_http::{EventJson, Json, JsonObject, object};

use super::rules;

/// Letters of a user property's name and value at most.
const LONGEST_NAME: usize = 24;
const LONGEST_VALUE: usize = 36;
/// User properties of a request at most.
const MOST: usize = 25;
/// User properties that Google keeps for itself.
const RESERVED: &[&str] =
    &["first_open_time", "first_open_after_install", "first_visit_time", "last_deep_link_referrer", "user_id"];

/// Whether a user allows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Consent {
    /// They do.
    Granted,
    /// They do not.
    Denied,
}

impl Consent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "GRANTED",
            Self::Denied => "DENIED",
        }
    }

    /// What is not clearly granted is denied.
    fn of(value: &Json<'_>) -> Self {
        let is_granted = value.as_bool().unwrap_or_default()
            || value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("granted"));
        if is_granted { Self::Granted } else { Self::Denied }
    }
}

/// Why traits cannot be user properties, if they cannot.
pub(crate) fn problem_of_properties(names: &[String]) -> Option<String> {
    if names.len() > MOST {
        return Some(format!("are {}, and Google takes {MOST}", names.len()));
    }
    let is_wrong = |name: &&String| {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        !plain || name.len() > LONGEST_NAME || !rules::is_param(name) || RESERVED.contains(&name.as_str())
    };
    let wrong = names.iter().find(is_wrong)?;
    Some(format!(
        "have {wrong:?}, which Google refuses: at most {LONGEST_NAME} letters, digits and underscores, a letter first, and no \
         name that it reserves"
    ))
}

/// Adds the traits of the context that are to be user properties.
pub(super) fn add_properties<'e>(json: &'e EventJson<'_>, names: &'e [String], who: &mut JsonObject<'e>) {
    let mut properties = JsonObject::new();
    for name in names {
        let value: Json<'e> = match json.context_at(&["traits", name]) {
            Some(Json::Bool(is)) => if *is { "true" } else { "false" }.into(),
            Some(number) if number.to_digits().is_some() => number.clone(),
            other => match other.and_then(Json::to_text) {
                Some(text) if !text.is_empty() => rules::cut(text, LONGEST_VALUE).into(),
                _ => continue,
            },
        };
        properties.insert(&**name, object([("value", value)]));
    }
    if !properties.is_empty() {
        who.insert("user_properties", properties);
    }
}

/// Notes what is cut of them.
pub(super) fn note(json: &EventJson<'_>, names: &[String], notes: &mut Vec<String>) {
    for name in names {
        if json.context_text(&["traits", name]).is_some_and(|text| rules::is_longer(text, LONGEST_VALUE)) {
            notes.push(format!("the user property {name:?} is cut to {LONGEST_VALUE} letters"));
        }
    }
}

/// Adds what the user allows, as the event's options say, else the settings. If neither does, nothing is said.
pub(super) fn add_consent(
    options: Option<&JsonObject<'_>>,
    ad_user_data: Option<Consent>,
    ad_personalization: Option<Consent>,
    who: &mut JsonObject<'_>,
) {
    let said = options.and_then(|options| options.get("consent")?.as_object());
    let mut consent = JsonObject::new();
    for (name, spelling, default) in
        [("ad_user_data", "adUserData", ad_user_data), ("ad_personalization", "adPersonalization", ad_personalization)]
    {
        let own = said.and_then(|said| said.get(name).or_else(|| said.get(spelling))).map(Consent::of);
        if let Some(is) = own.or(default) {
            consent.insert(name, is.as_str());
        }
    }
    if !consent.is_empty() {
        who.insert("consent", consent);
    }
}
