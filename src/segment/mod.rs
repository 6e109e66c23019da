//! The built-in destination: Segment's tracking API.
//!
//! A batch of events becomes one request (`payload`), is sent (`upload`), and the response becomes a verdict
//! ([`verdict`]). By the verdict the lane retries, pauses or splits. A header authorizes the sender: the write key,
//! which can be changed while events flow (`key_handle`), or with `OAuth` a token (`authorization`). Like any
//! destination, this one uses only the public parts of [`plugin`](crate::plugin) and [`transport`](crate::transport).
//! The pipeline does not know that it exists.

mod authorization;
mod build;
mod check;
mod endpoint;
mod http_client;
mod key_handle;
#[cfg(feature = "oauth")]
mod oauth;
mod payload;
mod region;
mod retry_after;
pub mod rules;
mod settings;
mod upload;
mod verdict;
mod write_key;

pub(crate) use endpoint::redacted;
pub use key_handle::KeyHandle;
#[cfg(feature = "oauth")]
pub use oauth::{OAuth, TokenError};
pub use region::Region;
pub use retry_after::retry_after;
pub use settings::{NAME, Segment};
pub use verdict::verdict;
#[cfg(feature = "oauth")]
pub use verdict::verdict_with_oauth;
pub use write_key::WriteKey;
