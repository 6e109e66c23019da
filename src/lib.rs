//! Server-side analytics. A call that never blocks takes product events in, a pipeline of plugins processes them, and
//! destinations deliver them, to Segment and elsewhere.
//!
//! ```text
//!  track() ─▶ intake ─▶ before ─▶ enrichment ─▶ fan-out ─▶ one lane per destination ─▶ tower service
//!                                                             │
//!               callbacks, after plugins, signals, counters ◀─┘
//! ```
//!
//! ```no_run
//! use std::time::Duration;
//! use tracklane::plugin::enrichment_fn;
//! use tracklane::{Analytics, Event, Track, signal};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let analytics = Analytics::new("WRITE_KEY")?;
//! analytics.on(signal::Error, |failure| eprintln!("{failure}"));
//! analytics
//!     .register(enrichment_fn("host", |event: &mut Event| { event.context_mut().insert("host", "web-1"); }))
//!     .await?;
//!
//! analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r").property("revenue", 39.95))?;
//!
//! let report = analytics.close(Duration::from_secs(10)).await;
//! assert!(report.is_complete());
//! # Ok(())
//! # }
//! ```
//!
//! The six calls, each with a builder of its name ([what arrives](guide::calls)):
//!
//! | call | says |
//! |---|---|
//! | [`identify`](Analytics::identify)([`Identify`]) | who a user is |
//! | [`track`](Analytics::track)([`Track`]) | what a user did; [`event::ecommerce`] and [`event::b2b`] know the Spec's names |
//! | [`page`](Analytics::page)([`Page`]) | which page was viewed |
//! | [`screen`](Analytics::screen)([`Screen`]) | which screen of an app was viewed |
//! | [`group`](Analytics::group)([`Group`]) | which account or team a user belongs to |
//! | [`alias`](Analytics::alias)([`Alias`]) | that two ids are one user |
//!
//! - [`Analytics`]: the handle. [`Builder`] has its settings; [`Settings`] are the same from a file or from the
//!   environment.
//! - [`BlockingAnalytics`]: a handle whose calls wait for their event's outcome. [`global`]: one client for the whole
//!   process.
//! - [`event`]: the six calls, and the event as plugins see it.
//! - [`plugin`]: before, enrichment, destination, after, utility.
//! - [`signal`]: what the client reports to [listeners](Analytics::on).
//! - [`segment`] and [`transport`]: the built-in destination and its HTTP.
//! - `testing`: a local tracking API, a recording destination and a manual clock, behind the feature of that name.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `reqwest` | yes | the HTTP client that is used when none is given; by itself without TLS |
//! | `rustls` | yes | TLS for it, by `rustls` with `aws-lc-rs`, as `reqwest` and `rustls` themselves take it |
//! | `rustls-ring` | no | TLS for it, by `rustls` with `ring` |
//! | `native-tls` | no | TLS for it, by the platform |
//! | `oauth` | yes | OAuth 2.0 for Segment |
//! | `testing` | no | the module `testing` |
//! | `metrics` | no | the counts as metrics of the `metrics` facade |
//! | `chrono` | no | a [`Timestamp`] from the times of `chrono` |
//! | `jiff` | no | the same of `jiff` |
//! | `time` | no | the same of `time` |
//!
//! If several kinds of TLS are on, the first of them is used. An application whose own `rustls` uses `ring` takes
//! `default-features = false, features = ["rustls-ring", "oauth"]`. With two providers in one program, `rustls` has no
//! default, and code that asks for the default panics
//! ([more](https://github.com/tracklane/tracklane/blob/main/docs/TROUBLESHOOTING.md#another-crates-http-client-or-tls-panics-since-tracklane-was-added)).
//!
//! The minimum version of Rust is 1.88.
//!
//! The guides: [guarantees] (what is promised, and what is not), [plugins], [testing], [settings] (every setting),
//! [architecture], and [troubleshooting] (what to do when something does not arrive). Whole programs are in [examples].
//!
//! [guarantees]: guide::guarantees
//! [plugins]: guide::plugins
//! [settings]: guide::settings
//! [testing]: guide::testing
//! [architecture]: guide::architecture
//! [troubleshooting]: guide::troubleshooting
//! [examples]: https://github.com/tracklane/tracklane/tree/main/examples

#![forbid(unsafe_code)]
#![warn(
    missing_docs,
    missing_debug_implementations,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The builder of a client.
mod builder;
mod settings;

// The handle of the application.
mod analytics;
#[cfg(not(target_family = "wasm"))]
mod blocking;
pub mod global;

// Events, plugins, and the pipeline.
pub mod event;
mod pipeline;
pub mod plugin;

// The built-in destination, and its HTTP.
pub mod segment;
pub mod transport;

// Signals and counts.
pub mod emitter;
mod ledger;

// The parts that all others use.
mod background;
mod clock;
mod error;
mod inspector;
mod process;
mod random;
mod refusal;
mod supervise;
mod sync;
mod threads;
mod wait_group;

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "testing")]
pub mod testing;

// The pages of docs/, in the documentation only. `cargo test --doc` compiles their snippets.
#[cfg(doctest)]
mod docs;
#[cfg(any(doc, doctest))]
pub mod guide;

pub use analytics::Analytics;
#[cfg(not(target_family = "wasm"))]
pub use blocking::{BlockingAnalytics, BlockingError};
pub use builder::Builder;
pub use emitter::{Subscription, UnknownSignal, signal};
pub use error::{BoxError, SettingsError, SettingsErrorKind};
#[doc(inline)]
pub use event::{
    Alias, Context, Event, Group, Identify, Integrations, Kind, Page, Properties, Screen, Timestamp, Track, Traits,
    Unsent, UnsentIter,
};
pub use ledger::{
    DeliveryError, DestinationOutcome, DestinationStats, DropReason, Drops, FlushReport, Outcome, PluginStats, Receipt,
    Settlement, Stats,
};
pub use pipeline::{CloseReport, Pipeline, PipelineFuture, PipelineService, Stopped};
pub use refusal::{CallError, RefusalReason, RegisterError};
pub use settings::{Settings, similar_name};
pub use supervise::text_with_causes;
