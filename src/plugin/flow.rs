//! The result of a plugin: whether an event goes on.

use std::borrow::Cow;

use crate::error::BoxError;

/// The decision of a plugin about an event.
///
/// Exhaustive: an event goes on or it does not.
///
/// It does something only if the plugin returns it, so the compiler warns of one that is thrown away:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// use tracklane::plugin::{Flow, before_fn};
///
/// // The semicolon behind `drop` makes it go on.
/// let internal = before_fn("internal", |event: &mut tracklane::Event| {
///     if event.user_id().is_some_and(|id| id.starts_with("internal-")) {
///         Flow::drop("internal");
///     }
/// });
/// ```
#[must_use = "the event goes on unless the plugin returns this"]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// The event goes on to the next plugin, and at last to the destinations.
    #[default]
    Continue,
    /// The event stops here, for this reason. It counts as dropped by a plugin.
    Drop(Cow<'static, str>),
}

impl Flow {
    /// Stops the event, for this reason.
    pub fn drop(reason: impl Into<Cow<'static, str>>) -> Self {
        Flow::Drop(reason.into())
    }
}

/// The return types of closure plugins: nothing, a [`Flow`], or a `Result` of either.
///
/// An async closure is not one of them. The compiler says what to write instead:
///
/// ```compile_fail,E0277
/// use tracklane::Event;
/// use tracklane::plugin::enrichment_fn;
///
/// let _ = enrichment_fn("plan", async |event: &mut Event| event.set_name("a"));
/// ```
#[diagnostic::on_unimplemented(
    message = "a plugin's closure returns `()`, `Flow` or a `Result` of either, not `{Self}`",
    note = "for async work, implement `Transform` with an `async fn transform`, and register it as `before(plugin)` or `enrichment(plugin)`"
)]
pub trait IntoFlow {
    /// Converts it for the pipeline.
    ///
    /// # Errors
    ///
    /// Returns the error of the plugin.
    fn into_flow(self) -> Result<Flow, BoxError>;
}

impl IntoFlow for () {
    fn into_flow(self) -> Result<Flow, BoxError> {
        Ok(Flow::Continue)
    }
}

impl IntoFlow for Flow {
    fn into_flow(self) -> Result<Flow, BoxError> {
        Ok(self)
    }
}

impl<T: IntoFlow, E: Into<BoxError>> IntoFlow for Result<T, E> {
    fn into_flow(self) -> Result<Flow, BoxError> {
        self.map_err(Into::into)?.into_flow()
    }
}
