//! What every plugin has: a name, a beginning and an end.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;

use super::{Behavior, Host, Registration};
use crate::error::BoxError;
use crate::supervise::CatchDrop;

/// What every plugin has. For a plugin that only needs a name, this is one line; the other trait it implements says
/// what it does: [`Transform`](super::Transform) or [`After`](super::After). With this one alone it is a utility.
pub trait Plugin: Send + Sync + 'static {
    /// The name by which it is deregistered, and named in errors. Unique in one client.
    fn name(&self) -> &str;

    /// Gets ready. No event that is sent after the plugin was registered reaches a destination before this has
    /// ended, or failed, or used up its ten seconds.
    ///
    /// # Errors
    ///
    /// Whatever keeps the plugin from working; it is then not registered.
    fn load(&self, host: &Host) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = host;
        future::ready(Ok(()))
    }

    /// Ends, after the plugin was deregistered or the client closed.
    ///
    /// # Errors
    ///
    /// Whatever went wrong; it is reported as a signal.
    fn unload(&self) -> impl Future<Output = Result<(), BoxError>> + Send {
        future::ready(Ok(()))
    }
}

/// Registers a plugin that touches no events: its `load` gets a [`Host`], with which it can listen and send.
pub fn utility(plugin: impl Plugin) -> Registration {
    Registration::new(Arc::new(CatchDrop::new(plugin)), Behavior::Utility)
}

type LifecycleFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// [`Plugin`], made into an object.
pub(crate) trait Lifecycle: Send + Sync {
    fn name(&self) -> &str;
    fn load<'a>(&'a self, host: &'a Host) -> LifecycleFuture<'a>;
    fn unload(&self) -> LifecycleFuture<'_>;
}

impl<P: Plugin> Lifecycle for CatchDrop<P> {
    fn name(&self) -> &str {
        Plugin::name(&**self)
    }

    fn load<'a>(&'a self, host: &'a Host) -> LifecycleFuture<'a> {
        Box::pin(Plugin::load(&**self, host))
    }

    fn unload(&self) -> LifecycleFuture<'_> {
        Box::pin(Plugin::unload(&**self))
    }
}
