//! The stack that every event passes: tower layers and services, built anew when plugins change, and swapped whole.
//!
//! ```text
//!  [Middleware] ─▶ Transform (before) ─▶ [Middleware] ─▶ Transform (enrichment) ─▶ [Middleware] ─▶ FanOut ─▶ lanes
//! ```
//!
//! Each service owns its state: a [`Transform`](transform::Transform) its plugins, [`FanOut`](fanout::FanOut) the
//! lanes, a [`Middleware`](middleware::Middleware) the user's layers at that place. These layers are built once and go
//! from stack to stack, so that what they count survives a registration.
//!
//! What a plugin drops ends there, or goes from its `Transform` to a [`Quarantine`](quarantine::Quarantine).
//!
//! Invariant: an event ends on the stack that it began with. A service is called only when it was ready.

mod absent;
mod assembly;
mod exit;
mod fanout;
mod middleware;
mod passage;
mod quarantine;
mod registered;
mod stage;
mod stopped;
mod transform;
mod turn;
mod user_layers;

pub(super) use absent::{Absence, Absent, AbsentBefore};
pub(super) use assembly::{PluginStack, Stack, StackParts, StackPlugins};
pub(super) use exit::{Admit, Entrance, Exit};
pub(super) use passage::Passage;
pub(super) use registered::Registered;
pub use stopped::Stopped;
pub(super) use turn::Line;
pub(crate) use user_layers::UserLayer;
pub(super) use user_layers::UserLayers;
