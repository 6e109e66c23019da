//! The name, the start and the end of a plugin.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;

use super::{Behavior, Host, Registration};
use crate::error::BoxError;
use crate::supervise::CatchDrop;

/// The common part of every plugin: its name, and optionally its start and end. The other trait that a plugin
/// implements is its work: [`Transform`](super::Transform) or [`After`](super::After). With this trait alone it is a
/// utility.
pub trait Plugin: Send + Sync + 'static {
    /// Returns the name in errors and for deregistering. It is unique in one client.
    fn name(&self) -> &str;

    /// Prepares the plugin. Events that are sent after the plugin was registered wait until this has ended, failed, or
    /// used up its ten seconds.
    ///
    /// # Errors
    ///
    /// Returns an error if the plugin cannot work. Then it is not registered.
    fn load(&self, host: &Host) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = host;
        future::ready(Ok(()))
    }

    /// Ends the plugin, after it was deregistered or the client closed.
    ///
    /// # Errors
    ///
    /// Returns any error of the plugin. It is reported as a signal.
    fn unload(&self) -> impl Future<Output = Result<(), BoxError>> + Send {
        future::ready(Ok(()))
    }
}

/// Registers a plugin that touches no events. Its `load` gets a [`Host`], to listen and to send.
pub fn utility(plugin: impl Plugin) -> Registration {
    Registration::new(Arc::new(CatchDrop::new(plugin)), Behavior::Utility)
}

type LifecycleFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// [`Plugin`] as an object.
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
