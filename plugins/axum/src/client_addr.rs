//! The address that a request came from, and the scheme by which it came.

use std::net::IpAddr;

/// The client of a request: its address, and the scheme by which it reached the first proxy. Each is `None` if it is
/// not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientAddr {
    pub(crate) address: Option<IpAddr>,
    pub(crate) scheme: Option<&'static str>,
}
