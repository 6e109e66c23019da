//! Work that may block, on one of the runtime's threads for that.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::BoxError;

/// Waits for the work. That there is no thread for it is an error, where tokio would panic: the attempt failed for the
/// moment, and is made again.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, BoxError> {
    let begun = catch_unwind(AssertUnwindSafe(|| tokio::task::spawn_blocking(work)));
    Ok(begun.map_err(|_| "there is no thread for work that may block")?.await?)
}
