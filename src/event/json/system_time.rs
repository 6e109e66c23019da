//! The time of the standard library, which serde writes as an object of two numbers, as RFC 3339.

use std::time::{Duration, UNIX_EPOCH};

use crate::event::timestamp::Timestamp;

/// The name by which serde announces it.
pub(super) const NAME: &str = "SystemTime";

/// Puts RFC 3339 in place of the object that begins at `start`; any other type of that name is left as it is.
pub(super) fn rewrite(json: &mut Vec<u8>, start: usize) {
    let Some(since_epoch) = json.get(start..).and_then(read) else { return };
    let Some(time) = UNIX_EPOCH.checked_add(since_epoch) else { return };
    json.truncate(start);
    json.push(b'"');
    Timestamp::from(time).write(json);
    json.push(b'"');
}

/// How long after the epoch it was, if `object` is what serde makes of such a time.
fn read(object: &[u8]) -> Option<Duration> {
    let fields = std::str::from_utf8(object).ok()?.strip_prefix("{\"secs_since_epoch\":")?.strip_suffix('}')?;
    let (seconds, nanoseconds) = fields.split_once(",\"nanos_since_epoch\":")?;
    let nanoseconds = nanoseconds.parse().ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000)?;
    Some(Duration::new(seconds.parse().ok()?, nanoseconds))
}
