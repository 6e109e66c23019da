//! Calls the user's closures. A panic costs their answer, not the request.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `work`. Returns `None` if it panics.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
