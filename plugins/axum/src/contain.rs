//! Around the user's closures: a panic costs their answer, not the request.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` gives, unless it panics.
pub(crate) fn panics<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
