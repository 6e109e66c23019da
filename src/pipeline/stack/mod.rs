//! The stack that every event passes: tower layers and services, built when plugins change, and swapped whole.
//!
//! ```text
//!  [Middleware] ─▶ before ─▶ [Middleware] ─▶ enrichment ─▶ [Middleware] ─▶ FanOut ─▶ lanes
//! ```
//!
//! Each service owns its state: a [`TransformService`](transform::TransformService) its plugins, [`FanOut`](fanout::FanOut) the
//! lanes, a [`Middleware`](middleware::Middleware) the user's layers at that place. The user's layers are built once
//! and go from stack to stack, so they keep their state when plugins change.
//!
//! What a plugin drops ends there, or goes from its `Transform` to a [`Quarantine`](quarantine::Quarantine).
//!
//! Invariant: an event ends on the stack that it began with. A service is called only when it was ready.

mod assembly;
mod exit;
mod fanout;
mod inspection;
mod middleware;
mod missing;
mod quarantine;
mod registered;
mod request;
mod service;
mod stage;
mod stopped;
mod transform;
mod turn;
mod unknown_names;
mod user_layers;

pub(super) use assembly::{PluginStack, Stack, StackParts, StackPlugins};
pub(super) use exit::{Admit, Entrance, Exit};
pub(super) use missing::{Missing, MissingBefore, MissingDestination};
pub(super) use registered::Registered;
pub(super) use request::StackRequest;
pub use service::PipelineService;
pub use stopped::Stopped;
pub(super) use turn::Line;
pub(crate) use user_layers::UserLayer;
pub(super) use user_layers::UserLayers;
