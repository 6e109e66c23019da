//! Tells events which request they belong to: a tower layer for axum and any other `http` service.
//!
//! Invariant: the layer changes neither requests nor responses, boxes no future, and cannot fail or delay a request. It
//! takes no identity from a header, and no address from one unless the proxy that wrote it is trusted by name. It
//! does not look into bodies, cookies or credentials.
//!
//! In the order of the files: [`RequestContextLayer`] holds the settings. Its [service](RequestContextService) captures
//! the context of a request ([`RequestContext`]). The [future](ResponseFuture) makes it the current one while the
//! request is handled, and [`current_context`] gives it to the client.
//!
#![doc = include_str!("../README.md")]
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

// Each file uses only those below it. The middleware.
mod layer;

mod service;

mod future;

// Calls that it makes by itself.
mod page_calls;

// The captured context, and its place while the request is handled.
mod current;

mod request;

mod settings;

// The readers of a request.
mod proxies;

mod catch_panic;
mod client_addr;
mod from_axum;
mod headers;
mod language;
mod text;

pub use current::{InRequest, current_context, in_request};
pub use future::ResponseFuture;
pub use layer::RequestContextLayer;
pub use page_calls::Viewer;
pub use proxies::{InvalidNetwork, TrustedProxies};
pub use request::RequestContext;
pub use service::RequestContextService;
