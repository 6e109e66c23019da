//! What becomes of an event after a plugin.

use std::borrow::Cow;

use crate::error::BoxError;

/// Whether an event goes on.
///
/// Exhaustive: an event goes on or it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// To the next plugin, and at last to the destinations.
    #[default]
    Continue,
    /// Not any further, for this reason. It is counted as dropped by a plugin.
    Drop(Cow<'static, str>),
}

impl Flow {
    /// The event goes no further, for this reason.
    pub fn drop(reason: impl Into<Cow<'static, str>>) -> Self {
        Flow::Drop(reason.into())
    }
}

/// What a closure plugin may return: nothing, a [`Flow`], or a `Result` of either.
///
/// What awaits is no closure, and the compiler says what to write instead:
///
/// ```compile_fail,E0277
/// use tracklane::Event;
/// use tracklane::plugin::enrichment_fn;
///
/// let _ = enrichment_fn("plan", async |event: &mut Event| event.set_name("a"));
/// ```
#[diagnostic::on_unimplemented(
    message = "a plugin's closure returns `()`, `Flow` or a `Result` of either, not `{Self}`",
    note = "what awaits is no closure: it implements `Transform` with an `async fn transform`, and is registered as `before(plugin)` or `enrichment(plugin)`"
)]
pub trait IntoFlow {
    /// As the pipeline takes it.
    ///
    /// # Errors
    ///
    /// The plugin's own.
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
