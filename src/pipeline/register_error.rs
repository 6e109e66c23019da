//! The error of registering and deregistering.

use super::refusal::RefusalReason;
use crate::error::BoxError;

/// Why a plugin could not be registered or deregistered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// There is a plugin of that name already.
    #[error("a plugin named {name:?} is registered already: deregister it first, or choose another name")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// There is no plugin of that name.
    #[error("no plugin named {name:?} is registered")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The plugin could not be loaded, and is not registered.
    #[error("the plugin {name:?} could not be loaded: {problem}")]
    Load {
        /// The name.
        name: String,
        /// What went wrong: an error, a panic, or a timeout.
        problem: String,
        /// The plugin's error, if it returned one.
        source: Option<BoxError>,
    },
    /// The plugin was deregistered, but did not end well.
    #[error("the plugin {name:?} could not be unloaded: {problem}")]
    Unload {
        /// The name.
        name: String,
        /// What went wrong: an error, a panic, or a timeout.
        problem: String,
        /// The plugin's error, if it returned one.
        source: Option<BoxError>,
    },
    /// The client was closed.
    #[error("the client was closed")]
    Closed,
    /// The client was built before this process was forked, so that nothing here works for it.
    #[error("the client was built before this process was forked: build one in this process")]
    Forked,
    /// The runtime that the client works on ([`Builder::runtime`](crate::Builder::runtime)) has ended.
    #[error("the runtime that the client works on has ended: build a client on one that lives")]
    RuntimeEnded,
}

impl From<RefusalReason> for RegisterError {
    fn from(because: RefusalReason) -> Self {
        match because {
            RefusalReason::Forked => RegisterError::Forked,
            RefusalReason::RuntimeEnded => RegisterError::RuntimeEnded,
            _ => RegisterError::Closed,
        }
    }
}
