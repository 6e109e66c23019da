//! Plugins that change events: before and enrichment plugins.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Behavior, Flow, IntoFlow, Lifecycle, Plugin, Registration, Runner};
use crate::error::BoxError;
use crate::event::Event;
use crate::supervise::CatchDrop;

/// A plugin that changes, checks or stops events.
///
/// ```
/// use tracklane::{BoxError, Event};
/// use tracklane::plugin::{Flow, Plugin, Transform};
///
/// struct Host(String);
///
/// impl Plugin for Host {
///     fn name(&self) -> &str { "host" }
/// }
///
/// impl Transform for Host {
///     async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
///         event.context_mut().insert("host", &self.0);
///         Ok(Flow::Continue)
///     }
/// }
/// ```
///
/// Write an implementation with a plain `async fn`, without the macro `async-trait`: with it the compiler says `E0195`,
/// "lifetime parameters or bounds on method `transform` do not match the trait declaration".
///
/// It has one second for each event. Code that awaits nothing is quicker as a closure: see [`enrichment_fn`].
pub trait Transform: Plugin {
    /// Works on one event. Called for one event after the other, or for as many at once as
    /// [`Registration::concurrency`] allows.
    ///
    /// # Errors
    ///
    /// Returns an error if the plugin failed. Then [`before`] drops the event, and [`enrichment`] restores it as it was
    /// before this plugin.
    fn transform(&self, event: &mut Event) -> impl Future<Output = Result<Flow, BoxError>> + Send;
}

/// Registers a plugin that sees every event first. It fails closed: an event that it fails at is dropped. For consent
/// and redaction.
pub fn before(plugin: impl Transform) -> Registration {
    let plugin = Arc::new(CatchDrop::new(plugin));
    Registration::new(plugin.clone(), Behavior::Before(Runner::Async(plugin)))
}

/// Registers a plugin that adds to events. It fails open: an event that it fails at goes on as it was.
pub fn enrichment(plugin: impl Transform) -> Registration {
    let plugin = Arc::new(CatchDrop::new(plugin));
    Registration::new(plugin.clone(), Behavior::Enrichment(Runner::Async(plugin)))
}

/// Registers a closure as a before plugin; see [`before`].
///
/// ```
/// use tracklane::Event;
/// use tracklane::plugin::{before_fn, Flow};
///
/// let consent = before_fn("consent", |event: &mut Event| match event.context().get("consent") {
///     Some(serde_json::Value::Bool(true)) => Flow::Continue,
///     _ => Flow::drop("no consent"),
/// });
/// ```
pub fn before_fn<F, R>(name: &str, transform: F) -> Registration
where
    F: Fn(&mut Event) -> R + Send + Sync + 'static,
    R: IntoFlow,
{
    let transform = CatchDrop::new(transform);
    let runner = Runner::Sync(Arc::new(move |event: &mut Event| (*transform)(event).into_flow()));
    Registration::new(Named::lifecycle(name), Behavior::Before(runner))
}

/// Registers a closure as an enrichment plugin; see [`enrichment`].
///
/// ```
/// use tracklane::{Event, Kind};
/// use tracklane::plugin::enrichment_fn;
///
/// let lowercase = enrichment_fn("Lowercase events", |event: &mut Event| {
///     let name = event.name().unwrap_or_default().to_lowercase();
///     event.set_name(&name);
/// })
/// .only([Kind::Track]);
/// ```
pub fn enrichment_fn<F, R>(name: &str, transform: F) -> Registration
where
    F: Fn(&mut Event) -> R + Send + Sync + 'static,
    R: IntoFlow,
{
    let transform = CatchDrop::new(transform);
    let runner = Runner::Sync(Arc::new(move |event: &mut Event| (*transform)(event).into_flow()));
    Registration::new(Named::lifecycle(name), Behavior::Enrichment(runner))
}

/// A plugin with nothing but a name. Its work is a closure.
pub(super) struct Named(String);

impl Named {
    pub(super) fn lifecycle(name: &str) -> Arc<dyn Lifecycle> {
        Arc::new(CatchDrop::new(Self(name.to_owned())))
    }
}

impl Plugin for Named {
    fn name(&self) -> &str {
        &self.0
    }
}

pub(crate) type SyncTransform = dyn Fn(&mut Event) -> Result<Flow, BoxError> + Send + Sync;
pub(crate) type TransformFuture<'a> = Pin<Box<dyn Future<Output = Result<Flow, BoxError>> + Send + 'a>>;

/// [`Transform`] as an object.
pub(crate) trait TransformCall: Send + Sync {
    fn transform<'a>(&'a self, event: &'a mut Event) -> TransformFuture<'a>;
}

impl<T: Transform> TransformCall for CatchDrop<T> {
    fn transform<'a>(&'a self, event: &'a mut Event) -> TransformFuture<'a> {
        Box::pin(Transform::transform(&**self, event))
    }
}
