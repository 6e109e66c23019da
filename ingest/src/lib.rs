//! Segment's HTTP tracking API as a server: routes, decoding, rules and answers. A tower service decides what happens
//! to the events.
//!
//! ```
//! use std::convert::Infallible;
//! use tracklane_ingest::{Answer, Ingest, Request, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let store = tower::service_fn(|request: Request| async move {
//!     for event in &request.events {
//!         println!("{:?} {}", request.key, event.raw.len());
//!     }
//!     Ok::<Answer, Infallible>(request.as_segment())
//! });
//! let server = Server::bind(["127.0.0.1:0".parse().unwrap()]).await?;
//! let url = server.url();
//! # let done = async {};
//! server.serve(Ingest::new(store).router(), done).await;
//! # let _ = url;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Ingest`] makes an axum router of a service, for [`Server`] or any other.
//! - [`Request`] is what arrived: the key, the events as they were sent, and what is wrong with each ([`rules`]).
//! - [`Answer`] says what the client is told; every SDK of Segment understands it.
//! - [`Server`] accepts connections with bounds on their number, time and bytes ([`Limits`]).
//!
//! Invariants: no more memory is taken than the limits allow, however well a body was compressed. A request is answered
//! only after the service has decided.

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

mod answer;
mod body;
mod budget;
mod cors;
mod decode;
mod elements;
mod envelope;
mod limits;
mod pixel;
mod project;
mod request;
mod routes;
pub mod rules;
mod server;

pub use answer::{Answer, Fault, Rejection};
pub use limits::Limits;
pub use request::{Event, Head, Request};
pub use routes::{Ingest, ROUTES};
pub use server::{Peer, Server};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
