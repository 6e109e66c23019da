//! The built-in destination: Segment's tracking API.
//!
//! A batch of events becomes one request (`payload`), is sent (`upload`), and the response becomes a verdict
//! ([`verdict`]), by which the lane retries, pauses or splits. Like any destination this is made of the public parts
//! of [`plugin`](crate::plugin) and [`transport`](crate::transport); the pipeline does not know that it exists.

mod endpoint;
mod payload;
mod region;
mod retry_after;
mod settings;
mod upload;
mod verdict;
mod write_key;

pub use region::Region;
pub use retry_after::retry_after;
pub use settings::{NAME, Segment};
pub use verdict::verdict;
pub use write_key::WriteKey;
