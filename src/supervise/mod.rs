//! Runs foreign code: plugins, destinations, middleware, listeners, callbacks, providers, schedules, log subscribers.
//!
//! - [`catch`] and its relatives hold panics, those of a drop and of a log line included.
//! - [`call`] and [`run`] make a panic, an error or a hang in a plugin into a [`Fault`].
//! - [`CircuitBreaker`] takes a plugin that keeps crashing out of use.
//! - [`Throttle`] bounds how often a fault is reported.
//! - [`Watchdog`] names what blocks its thread.
//! - [`hops`] counts how many events led to an event, and cuts loops.
//!
//! Invariant: nothing outside of this folder catches a panic; `tests/it/architecture.rs` holds that.

mod breaker;
mod call;
mod drop;
pub(crate) mod hops;
mod log;
mod panic;
mod throttle;
mod watchdog;

pub(crate) use breaker::CircuitBreaker;
pub(crate) use call::{EVENT_LIMIT, Fault, LIFECYCLE_LIMIT, call, call_unwatched, run};
pub use drop::text_with_causes;
pub(crate) use drop::{CatchDrop, discard, text};
pub(crate) use log::log;
pub(crate) use panic::{Panicked, catch, catch_future};
pub(crate) use throttle::{Decision, Repeats, Throttle, Topic};
pub(crate) use watchdog::{CodeKind, Watchdog, Watched};
