//! Runs a plugin on one event, without a client.

use crate::error::BoxError;
use crate::event::Event;
use crate::plugin::{Behavior, Flow, Registration, Runner};

/// Runs a before or enrichment plugin on one event, as a client would. Returns the event as the plugin leaves it, and
/// whether it goes on. An event of a kind that the plugin does not see goes on unchanged. The plugin's `load` is not
/// called, and its panics are not caught.
///
/// ```
/// use tracklane::plugin::{Flow, before_fn};
/// use tracklane::testing::run_plugin;
/// use tracklane::{Event, Track};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tracklane::BoxError> {
/// let consent = before_fn("consent", |event: &mut Event| match event.context().get("consent") {
///     Some(serde_json::Value::Bool(true)) => Flow::Continue,
///     _ => Flow::drop("no consent"),
/// });
/// let (_, flow) = run_plugin(&consent, Track::new("Signed Up").user_id("u1")).await?;
/// assert_eq!(flow, Flow::drop("no consent"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns the error of the plugin, or one if it is neither a before nor an enrichment plugin.
pub async fn run_plugin(plugin: &Registration, event: impl Into<Event>) -> Result<(Event, Flow), BoxError> {
    let mut event = event.into();
    let runner = match &plugin.behavior {
        Behavior::Before(runner) | Behavior::Enrichment(runner) => runner,
        _ => {
            let (name, role) = (plugin.name(), plugin.role());
            return Err(format!("{name:?} is a plugin in the role {role}, and changes no events").into());
        }
    };
    if !(plugin.kinds())(event.kind()) {
        return Ok((event, Flow::Continue));
    }
    let flow = match runner {
        Runner::Sync(transform) => transform(&mut event)?,
        Runner::Async(transform) => transform.transform(&mut event).await?,
    };
    Ok((event, flow))
}
