//! The write key of a destination, which can be changed while it works.
//!
//! Invariant: one request has one key, in its header and in its body. An attempt whose key was refused and has been
//! changed meanwhile can be repeated with the new one.

use std::fmt;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use http::HeaderValue;

use super::{Segment, WriteKey};
use crate::error::SettingsError;

/// Changes the write key of a destination while it works. Made by [`Segment::key_handle`]. A clone changes the
/// same key. For the client's own destination there is [`Analytics::set_write_key`](crate::Analytics::set_write_key).
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

    /// Sets the key of every attempt from now on, retries included.
    ///
    /// # Errors
    ///
    /// If it cannot be a write key, for the reasons of [`Segment::build`]. The key then stays as it was.
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

/// The key of a client's own destination, for as long as that works.
pub(crate) struct OwnKey(Option<Weak<ArcSwap<Credentials>>>);

impl OwnKey {
    /// `segment`: the client's own destination, if it is to have one.
    pub(crate) fn of(segment: Option<&Segment>) -> Self {
        Self(segment.map(|segment| Arc::downgrade(&segment.key_handle().0)))
    }

    pub(crate) fn set(&self, key: WriteKey) -> Result<(), SetWriteKeyError> {
        let own = self.0.as_ref().ok_or(SetWriteKeyError::WithoutSegment)?;
        let rotation = own.upgrade().map(KeyHandle).ok_or(SetWriteKeyError::Deregistered)?;
        rotation.set_write_key(key).map_err(SetWriteKeyError::Invalid)
    }
}

/// Why the write key of a client could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetWriteKeyError {
    /// The text cannot be a write key.
    #[error(transparent)]
    Invalid(SettingsError),
    /// The client was built without Segment, so it has no key of its own.
    #[error("the client was built without Segment: change the key by the `KeyHandle` of the destination that has it")]
    WithoutSegment,
    /// The client's own destination was deregistered. One that was registered in its place has a key of its own.
    #[error("the client's own Segment destination was deregistered: one in its place is changed by its `KeyHandle`")]
    Deregistered,
    /// The client was closed.
    #[error("the client was closed")]
    Closed,
    /// The client was built before this process was forked.
    #[error("the client was built before this process was forked: build one in this process")]
    Forked,
    /// The runtime that the client works on ([`Builder::runtime`](crate::Builder::runtime)) has ended.
    #[error("the runtime that the client works on has ended: build a client on one that lives")]
    RuntimeEnded,
}
