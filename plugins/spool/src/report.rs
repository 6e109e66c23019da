//! What the spool tells: signals and lines of the log.
//!
//! Always: a log that panics, as one does that cannot be written, costs its own line and nothing here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracklane::emitter::Emitter;
use tracklane::emitter::signal::{Emitted, Failure};

/// Emits `error`, and logs it.
pub(crate) fn tell(emitter: &Emitter, failure: Failure) {
    let told = failure.clone();
    if !contain(|| emitter.fail(failure)) {
        // The log comes first there.
        contain(|| emitter.emit(Emitted::Error(told)));
    }
}

/// Writes a line to the log.
pub(crate) fn log(line: impl FnOnce()) {
    contain(line);
}

/// Whether it ended.
fn contain(work: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(()) => true,
        Err(panic) => {
            // Its drop may panic, too.
            std::mem::forget(panic);
            false
        }
    }
}
