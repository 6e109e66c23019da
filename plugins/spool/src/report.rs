//! Reports of the spool: signals and log lines.
//!
//! Invariant: a log subscriber that panics, such as one that cannot write, loses its own line and harms nothing here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracklane::emitter::Emitter;
use tracklane::emitter::signal::{Emitted, Failure};

/// Emits `error`, and logs it.
pub(crate) fn emit(emitter: &Emitter, failure: Failure) {
    let told = failure.clone();
    if !catch_panic(|| emitter.fail(failure)) {
        // The log comes first there.
        catch_panic(|| emitter.emit(Emitted::Error(told)));
    }
}

/// Writes a line to the log.
pub(crate) fn log(line: impl FnOnce()) {
    catch_panic(line);
}

/// Returns whether `work` returned without a panic.
fn catch_panic(work: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(()) => true,
        Err(panic) => {
            // Its drop may panic, too.
            std::mem::forget(panic);
            false
        }
    }
}
