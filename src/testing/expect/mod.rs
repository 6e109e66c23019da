//! What is to arrive, in which order and how often, and what is not; and how far it has.
//!
//! One implementation for [`TrackingApi::expect`](super::TrackingApi::expect), for a `tracklane dev` that is
//! [asked](super::DevServer), for the command `tracklane expect` and for `POST /__tracklane/expect`. It has no clock and
//! does no I/O: a [`Judge`] is shown one event after the other.

mod error;
mod expectation;
mod invalid;
mod judge;
mod matcher;
#[cfg(test)]
mod tests;

pub use error::{ExpectError, NotMet};
pub use expectation::Expectation;
pub use invalid::InvalidExpectation;
pub use judge::{Judge, Missing, Near, Verdict};
pub use matcher::{Difference, Matcher};
