//! What [`tracklane`] needs of a JavaScript host: an HTTP client over `fetch`, and a sleep over `setTimeout`.
//!
//! For WebAssembly in Cloudflare Workers, Deno, Node and browsers, where there are no sockets and no threads. The client
//! is a [driven](tracklane::Builder::driven) one:
//!
//! ```no_run
//! use tracklane::segment::Segment;
//! use tracklane::transport::HttpClient;
//! use tracklane::Analytics;
//! use tracklane_fetch::Fetch;
//!
//! let segment = Segment::new("WRITE_KEY").http_client(HttpClient::new(Fetch));
//! let analytics = Analytics::builder().segment(segment).driven(tracklane_fetch::sleep).build()?;
//! # Ok::<(), tracklane::SettingsError>(())
//! ```
//!
//! Values of JavaScript are not `Send`, and futures of plugins and destinations have to be: [`local`] is the way between
//! the two. On other targets this compiles, and panics as all of `js-sys` does.

#![forbid(unsafe_code)]
#![warn(
    missing_docs,
    missing_debug_implementations,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used
)]

mod body;
mod error;
mod exchange;
mod fetch;
mod local;
mod timeout;

pub use body::FetchBody;
pub use error::FetchError;
pub use fetch::{Fetch, FetchFuture};
pub use local::local;
pub use timeout::sleep;
