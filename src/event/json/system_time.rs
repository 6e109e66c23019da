//! Writes the time of the standard library as RFC 3339. Serde writes it as an object of two numbers.

use std::time::{Duration, UNIX_EPOCH};

use crate::event::timestamp::Timestamp;

/// The name that serde gives the object.
pub(super) const NAME: &str = "SystemTime";

/// Replaces the object that begins at `start` by RFC 3339. Another type of that name is left as it is.
pub(super) fn rewrite(json: &mut Vec<u8>, start: usize) {
    let Some(since_epoch) = json.get(start..).and_then(read) else { return };
    let Some(time) = UNIX_EPOCH.checked_add(since_epoch) else { return };
    json.truncate(start);
    json.push(b'"');
    Timestamp::from(time).write(json);
    json.push(b'"');
}

/// Reads the time since the epoch, if `object` is what serde writes for such a time.
fn read(object: &[u8]) -> Option<Duration> {
    let fields = std::str::from_utf8(object).ok()?.strip_prefix("{\"secs_since_epoch\":")?.strip_suffix('}')?;
    let (seconds, nanoseconds) = fields.split_once(",\"nanos_since_epoch\":")?;
    let nanoseconds = nanoseconds.parse().ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000)?;
    Some(Duration::new(seconds.parse().ok()?, nanoseconds))
}
