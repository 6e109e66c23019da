//! Plugins and destinations: the traits that they implement, and how they are registered.
//!
//! | role | sees | on error, panic or timeout | can stop the event |
//! |---|---|---|---|
//! | before | `&mut Event`, first | the event is dropped (fails closed) | yes |
//! | enrichment | `&mut Event`, then | the event goes on as it was (fails open) | yes |
//! | destination | a [`Batch`] of finished events | the batch is retried, split or dropped, as its [`Answer`] says | no |
//! | after | `&Message` and its [`Settlement`](crate::Settlement) | reported | no |
//! | utility | no events | reported | no |
//!
//! Nothing here knows the pipeline. A plugin compiles against this module, [`event`](crate::event) and
//! [`emitter`](crate::emitter), and so does Segment's destination.

mod after;
mod batch;
mod batching;
mod destination;
mod flow;
mod host;
mod lifecycle;
mod registration;
mod retry;
mod service;
mod timer;
mod transform;
mod verdict;

pub use crate::emitter::Role;
pub use after::{After, after, after_fn};
pub use batch::{Batch, BatchIter};
pub use batching::{Batching, Overflow, QueueLimits};
pub use destination::{BatchService, Destination};
pub(crate) use destination::{Selection, ServiceFactory};
pub use flow::{Flow, IntoFlow};
pub use host::Host;
pub(crate) use host::{ClientFuture, PluginClient};
pub(crate) use lifecycle::Lifecycle;
pub use lifecycle::{Plugin, utility};
pub(crate) use registration::{AfterPlugin, Behavior, Runner, TransformPlugin};
pub use registration::{IntoRegistration, Registration};
pub use retry::RetryPolicy;
pub use service::{ReturnEvent, before_service, enrichment_layer, enrichment_service};
pub use timer::Timer;
pub(crate) use transform::{SyncTransform, TransformCall};
pub use transform::{Transform, before, before_fn, enrichment, enrichment_fn};
pub use verdict::{Answer, Verdict};
