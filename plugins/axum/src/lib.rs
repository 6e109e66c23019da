//! Which request an event belongs to: a tower layer for axum and any other `http` service.
//!
//! Always: the layer changes neither requests nor responses, boxes no future, and cannot fail or delay a request. It
//! takes no identity from a header, and no address from one unless the proxy that wrote it is trusted by name. It
//! does not look into bodies, cookies or credentials.
//!
//! In the order of the files: [`RequestContextLayer`] holds the settings, the [service](RequestContextService) notes
//! what a request says ([`RequestContext`]) and its [future](ResponseFuture) makes that the current one while the
//! request is handled; [`current_context`] hands it to the client.
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

// The middleware.
mod future;
mod layer;
mod service;

// What it notes of a request, and where that is found while the request is handled.
mod current;
mod request;

// What a request is read for.
mod contain;
mod from_axum;
mod language;
mod proxies;
mod text;

// Calls that it makes by itself.
mod page_calls;

pub use current::{InRequest, current_context, in_request};
pub use future::ResponseFuture;
pub use layer::RequestContextLayer;
pub use page_calls::Identity;
pub use proxies::{InvalidNetwork, TrustedProxies};
pub use request::RequestContext;
pub use service::RequestContextService;
