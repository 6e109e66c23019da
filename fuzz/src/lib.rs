//! What reads bytes from elsewhere, and what must hold whatever they are.
//!
//! Each module has one function, `check`, that panics if something does not hold. The fuzz targets call it with bytes
//! that are chosen by coverage; `tests/it/fuzzed.rs` includes this file and calls it with random bytes and with the
//! seeds.

pub mod event_json;
pub mod object_text;
pub mod response;
pub mod retry_after;
pub mod tracking_request;
