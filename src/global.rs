//! One client for the whole process, for programs that do not want to pass a handle around.
//!
//! ```
//! use tracklane::{Analytics, Track, global};
//!
//! global::init(Analytics::builder_for("WRITE_KEY").disable(true).build()?)?;
//! global::send(Track::new("Item Purchased").user_id("019mr8mf4r"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A static is never dropped. Close the client at the end of the program with `global::analytics()?.close_blocking(…)`,
//! or events under way are lost.

use std::sync::OnceLock;

use crate::analytics::Analytics;
use crate::event::Event;
use crate::refusal::CallError;

static CLIENT: OnceLock<Analytics> = OnceLock::new();

/// The error of a call through the global client.
///
/// Non-exhaustive, because another reason may be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GlobalError {
    /// There is no global client yet.
    #[error("there is no global client: call tracklane::global::init first")]
    NotInitialized,
    /// There is a global client already. It stays.
    #[error("there is a global client already")]
    AlreadyInitialized,
    /// The call was refused.
    #[error(transparent)]
    Refused(#[from] CallError),
}

/// Makes `analytics` the global client.
///
/// # Errors
///
/// Returns an error if there is one already.
pub fn init(analytics: Analytics) -> Result<(), GlobalError> {
    CLIENT.set(analytics).map_err(|_| GlobalError::AlreadyInitialized)
}

/// Returns the global client.
///
/// # Errors
///
/// Returns an error if there is none.
pub fn analytics() -> Result<&'static Analytics, GlobalError> {
    CLIENT.get().ok_or(GlobalError::NotInitialized)
}

/// Sends any of the six calls through the global client.
///
/// # Errors
///
/// Returns an error if there is none, or if the call is refused.
pub fn send(event: impl Into<Event>) -> Result<(), GlobalError> {
    Ok(analytics()?.send(event)?)
}
