//! The machine's clock: that of `std`, or, in WebAssembly where that has none, the host's.

use std::sync::OnceLock;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) use std::time::Instant;
use std::time::{Duration, SystemTime};

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) use web_time::Instant;

/// Returns the time since this was first asked.
pub(crate) fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Returns the time of day.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

/// Returns the time of day.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) fn wall() -> SystemTime {
    web_time::web::SystemTimeExt::to_std(web_time::SystemTime::now())
}
