//! Adds the context of the provider of `Builder::call_context` to an event, once per call, on the calling thread.
//!
//! Invariant: the context of the call wins over the provider's, and the provider's over the default context of the
//! settings. If the provider panics, or its context cannot be sent, the event goes on without it.

use std::fmt;

use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::{Context, Event};
use crate::supervise::{self, Topic};

/// The origin of the failures that are reported here.
const NAME: &str = "call_context";

/// The provider of a call's context.
pub(crate) struct CallContext {
    provide: Box<dyn Fn() -> Option<Context> + Send + Sync>,
}

impl CallContext {
    pub(crate) fn new(provide: impl Fn() -> Option<Context> + Send + Sync + 'static) -> Self {
        Self { provide: Box::new(provide) }
    }

    /// Merges the provider's context under that of the event.
    pub(in crate::pipeline) fn add_to(&self, event: &mut Event, emitter: &Emitter) {
        match self.ask() {
            Ok(context) => {
                emitter.works(Topic::CallContext, NAME);
                if let Some(context) = context.filter(|context| !context.is_empty()) {
                    event.add_context(&context);
                }
            }
            Err(problem) => emitter.fail_once(Topic::CallContext, NAME, || {
                Failure::new(NAME, format!("the provider {problem}; events go on without its context"), 1)
            }),
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
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").finish_non_exhaustive()
    }
}
