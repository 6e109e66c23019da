//! Deletes finished messages from a stream once they are older than `keep`.
//!
//! Invariant: nothing beyond the acknowledged floor is deleted.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::stream::Stream;
use tracklane::BoxError;

/// The part of a stream's bytes beyond which everything goes that is done with, however young.
const FULL: f64 = 0.5;

/// Deletes old messages up to the floor.
pub(super) async fn purge(stream: &Stream, floor: u64, keep: Duration) -> Result<(), BoxError> {
    let info = stream.get_info().await?;
    let (first, bytes, max_bytes) = (info.state.first_sequence.max(1), info.state.bytes, info.config.max_bytes);
    let Some(beyond) = floor.checked_add(1).filter(|beyond| *beyond > first) else { return Ok(()) };
    let is_full = max_bytes > 0 && bytes as f64 > max_bytes as f64 * FULL;
    let from = if is_full || keep.is_zero() { beyond } else { first_younger(stream, first, beyond, keep).await? };
    if from > first {
        stream.purge().sequence(from).await?;
    }
    Ok(())
}

/// The first sequence in the range whose message is younger than `keep`, or its end.
async fn first_younger(stream: &Stream, first: u64, beyond: u64, keep: Duration) -> Result<u64, BoxError> {
    let (mut low, mut high) = (first, beyond);
    while low < high {
        let middle = low + (high - low) / 2;
        let message = stream.get_raw_message(middle).await?;
        let age = SystemTime::now().duration_since(SystemTime::from(message.time)).unwrap_or_default();
        if age > keep { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}
