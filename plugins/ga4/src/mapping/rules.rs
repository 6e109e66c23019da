//! Google's rules for names.

use std::borrow::Cow;

/// Letters of a name at most.
pub(super) const LONGEST_NAME: usize = 40;

/// Names that Google keeps for itself on the web.
const RESERVED_EVENTS: &[&str] = &[
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_clear_data",
    "app_exception",
    "app_install",
    "app_remove",
    "app_store_refund",
    "app_update",
    "app_upgrade",
    "error",
    "first_open",
    "first_visit",
    "in_app_purchase",
    "os_update",
    "screen_view",
    "session_start",
    "user_engagement",
];
const RESERVED_EVENT_PREFIXES: &[&str] = &["app_store_subscription_", "dynamic_link_", "notification_"];
const RESERVED_PREFIXES: &[&str] = &["_", "firebase_", "ga_", "google_", "gtag."];

/// The name as Google takes it: letters, digits and underscores, 40 at most.
pub(super) fn name<'e>(text: impl Into<Cow<'e, str>>) -> Cow<'e, str> {
    let text = text.into();
    if text.len() <= LONGEST_NAME && text.bytes().all(is_plain) {
        return text;
    }
    // Of each letter the first byte. Those behind it begin with the bits 10.
    let firsts = text.trim().bytes().filter(|byte| byte >> 6 != 0b10);
    let mut name = String::with_capacity(LONGEST_NAME);
    for byte in firsts.take(LONGEST_NAME) {
        name.push(if is_plain(byte) { byte.into() } else { '_' });
    }
    name.into()
}

/// Returns whether a letter can be in a name. A table, because each letter of each name is looked at.
fn is_plain(byte: u8) -> bool {
    #[expect(clippy::indexing_slicing, reason = "the compiler does it, once")]
    const PLAIN: [bool; 256] = {
        let (mut table, mut byte) = ([false; 256], 0_u8);
        while byte < 128 {
            table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
            byte += 1;
        }
        table
    };
    PLAIN.get(usize::from(byte)).is_some_and(|is_plain| *is_plain)
}

/// Returns why an event cannot have that name, if it cannot.
pub(super) fn problem_of_event(name: &str) -> Option<String> {
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Some("its name does not begin with a letter, as Google wants it".to_owned());
    }
    let is_reserved = RESERVED_EVENTS.contains(&name)
        || RESERVED_EVENT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || has_reserved_prefix(name);
    is_reserved.then(|| "its name is reserved by Google".to_owned())
}

/// Returns whether a parameter can have that name.
pub(super) fn is_param(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && !has_reserved_prefix(name)
}

fn has_reserved_prefix(name: &str) -> bool {
    // All begin with one of these letters.
    name.starts_with(['_', 'f', 'g']) && RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns whether a text is a currency: three capital letters.
pub(crate) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Letters that Google keeps of a parameter's value.
pub(super) fn longest_value(name: &str) -> usize {
    match name {
        "page_title" => 300,
        "page_referrer" => 420,
        "page_location" => 1_000,
        _ => 100,
    }
}

/// A text cut to as many letters as Google keeps.
pub(super) fn cut(text: Cow<'_, str>, longest: usize) -> Cow<'_, str> {
    // Bytes are at least as many as letters.
    if text.len() <= longest { text } else { text.chars().take(longest).collect() }
}

/// Returns whether a text has more letters.
pub(super) fn is_longer(text: &str, longest: usize) -> bool {
    text.chars().nth(longest).is_some()
}
