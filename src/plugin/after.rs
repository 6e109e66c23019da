//! Plugins that see the outcomes of events.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;

use super::transform::Named;
use super::{Behavior, Plugin, Registration};
use crate::error::BoxError;
use crate::event::Message;
use crate::ledger::Settlement;
use crate::supervise::CatchDrop;

/// A plugin that sees the outcome of every event that reached the destinations. For clean-up, audit, metrics.
pub trait After: Plugin {
    /// Sees one event and its outcome. It has one second.
    ///
    /// # Errors
    ///
    /// Returns any error of the plugin. It is reported as a signal and changes nothing.
    fn after(&self, message: &Message, end: &Settlement) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Registers an after plugin.
pub fn after(plugin: impl After) -> Registration {
    let plugin = Arc::new(CatchDrop::new(plugin));
    Registration::new(plugin.clone(), Behavior::After(plugin))
}

/// Registers a closure as an after plugin; see [`after`].
///
/// ```
/// use tracklane::plugin::after_fn;
///
/// let lost = after_fn("lost", |message, end| {
///     if end.outcome.is_failed() {
///         eprintln!("{} is lost: {}", message.message_id(), end.outcome);
///     }
/// });
/// ```
pub fn after_fn(name: &str, after: impl Fn(&Message, &Settlement) + Send + Sync + 'static) -> Registration {
    Registration::new(Named::lifecycle(name), Behavior::After(Arc::new(OnEnd(CatchDrop::new(after)))))
}

pub(crate) type AfterFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// [`After`] as an object.
pub(crate) trait AfterCall: Send + Sync {
    fn after<'a>(&'a self, message: &'a Message, end: &'a Settlement) -> AfterFuture<'a>;
}

impl<P: After> AfterCall for CatchDrop<P> {
    fn after<'a>(&'a self, message: &'a Message, end: &'a Settlement) -> AfterFuture<'a> {
        Box::pin(After::after(&**self, message, end))
    }
}

struct OnEnd<F>(CatchDrop<F>);

impl<F: Fn(&Message, &Settlement) + Send + Sync> AfterCall for OnEnd<F> {
    fn after<'a>(&'a self, message: &'a Message, end: &'a Settlement) -> AfterFuture<'a> {
        (*self.0)(message, end);
        Box::pin(future::ready(Ok(())))
    }
}
