//! What the lock-free parts synchronise by, named in one place.
//!
//! `tests/schedules` builds the very files that use it ([`ledger`](crate::ledger)'s `room` and `shares`, the pipeline's
//! `handover` and `ending`, `running`) over other primitives, whose every order of steps it goes through. So those files
//! take nothing from elsewhere.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

pub(crate) use tokio::sync::Notify;
pub(crate) use tokio::sync::futures::Notified;

pub(crate) use crate::clock::Instant;
