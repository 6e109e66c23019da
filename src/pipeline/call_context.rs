//! Context that the calling thread knows of: asked for once per call, where the call is made.
//!
//! Always: what the caller set wins, and the default context of the settings loses. A provider that panics, or whose
//! context cannot be sent, costs that context and never the event.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::{Context, Event};
use crate::supervise;

/// What is asked for the context of every call.
pub(crate) struct CallContext {
    provide: Box<dyn Fn() -> Option<Context> + Send + Sync>,
    /// Set from the first failure until it works again, so that failures are reported once and not per call.
    failing: AtomicBool,
}

impl CallContext {
    pub(crate) fn new(provide: impl Fn() -> Option<Context> + Send + Sync + 'static) -> Self {
        Self { provide: Box::new(provide), failing: AtomicBool::new(false) }
    }

    /// Merges what the provider says under what the event says.
    pub(super) fn add_to(&self, event: &mut Event, emitter: &Emitter) {
        match self.ask() {
            Ok(context) => {
                // Read first: threads that only read do not wait for each other.
                if self.failing.load(Ordering::Relaxed) {
                    self.failing.store(false, Ordering::Relaxed);
                }
                if let Some(context) = context.filter(|context| !context.is_empty()) {
                    event.add_context(&context);
                }
            }
            Err(problem) => self.report(problem, emitter),
        }
    }

    fn ask(&self) -> Result<Option<Context>, String> {
        let provided = supervise::call_unwatched(|| Ok((self.provide)())).map_err(|fault| fault.to_string())?;
        let Some(context) = provided else { return Ok(None) };
        if let Err(fault) = context.check() {
            return Err(format!("gave a context that cannot be sent: {fault}"));
        }
        Ok(Some(context))
    }

    #[cold]
    fn report(&self, problem: String, emitter: &Emitter) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            let message = format!("the provider {problem}; events go on without its context");
            emitter.fail(Failure::new("call_context", message, 1));
        }
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").finish_non_exhaustive()
    }
}
