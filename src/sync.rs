//! The synchronisation primitives of the lock-free parts, in one place.
//!
//! `tests/schedules` builds the files that use this one ([`ledger`](crate::ledger)'s `capacity` and `pending`, the
//! pipeline's `handover` and `shutdown`, `wait_group`) over other primitives, and runs every order of their steps. So
//! those files use nothing from elsewhere.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

pub(crate) use tokio::sync::Notify;
pub(crate) use tokio::sync::futures::Notified;

pub(crate) use crate::clock::Instant;
