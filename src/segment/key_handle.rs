//! The write key of a destination, which can be changed while it works.
//!
//! Invariant: one request has one key, in its header and in its body. If the key of an attempt was refused and has
//! changed meanwhile, the attempt can be repeated with the new one.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::HeaderValue;

use super::WriteKey;
use crate::error::SettingsError;

/// Changes the write key of a destination while it works. [`Segment::key_handle`](super::Segment::key_handle) makes it.
/// A clone changes the same key.
#[derive(Clone)]
pub struct KeyHandle(Arc<ArcSwap<Credentials>>);

/// A write key in the forms that a request needs.
pub(super) struct Credentials {
    /// The key as a JSON string.
    pub(super) json: Vec<u8>,
    /// The key as HTTP Basic authentication.
    pub(super) basic: HeaderValue,
    /// The number of keys before this one.
    pub(super) number: u64,
    problem: Option<&'static str>,
}

impl KeyHandle {
    pub(super) fn new(key: &WriteKey) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Credentials::new(key, 0))))
    }

    /// Sets the key of every request from now on, in its header and in its body. That includes batches that were sent
    /// with the old key before. A request under way that is refused (401, 403) is repeated with the new key at once.
    /// Nothing happens if the destination is no longer registered, or its client is closed.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be a write key, because it is empty, or has white space or quotes. Then the key
    /// stays as it was.
    pub fn set_write_key(&self, key: impl Into<WriteKey>) -> Result<(), SettingsError> {
        let key = key.into();
        Credentials::new(&key, 0).check()?;
        self.0.rcu(|current| Credentials::new(&key, current.number + 1));
        Ok(())
    }

    /// Checks the current key.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        self.current().check()
    }

    pub(super) fn current(&self) -> Arc<Credentials> {
        self.0.load_full()
    }

    /// Returns whether there is a newer key.
    pub(super) fn is_newer_than(&self, credentials: &Credentials) -> bool {
        self.0.load().number > credentials.number
    }
}

impl Credentials {
    fn new(key: &WriteKey, number: u64) -> Self {
        Self { json: key.to_json(), basic: key.to_basic_auth(), number, problem: key.problem() }
    }

    fn check(&self) -> Result<(), SettingsError> {
        match self.problem {
            Some(problem) => Err(SettingsError::without_value("write_key", problem)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHandle").finish_non_exhaustive()
    }
}
