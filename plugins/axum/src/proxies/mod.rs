//! Proxies that are trusted to name the client for whom they ask.
//!
//! Invariant: a header counts only as far as trusted proxies have written it. Hops are read from the nearest one on,
//! and the first address that is not trusted is the client's: a client may have made up everything before it. A hop
//! that is no address leaves the client unknown.

mod forwarded;
mod network;

use std::net::IpAddr;

use http::HeaderMap;

use crate::client_addr::ClientAddr;
use forwarded::Hop;
pub use network::InvalidNetwork;
use network::Network;

/// The proxies in front of this service, and the header in which they name the client.
///
/// ```
/// use tracklane_axum::TrustedProxies;
///
/// let proxies = TrustedProxies::new(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])?;
/// # Ok::<(), tracklane_axum::InvalidNetwork>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nobody is trusted until a layer is told"]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: Header,
}

/// Only one of them is read, because a proxy passes on what a client wrote into the other.
#[derive(Clone, Copy, Debug)]
enum Header {
    XForwardedFor,
    Forwarded,
}

impl TrustedProxies {
    /// Trusts proxies at these addresses, and in these networks in the notation of CIDR, to append to
    /// `X-Forwarded-For` and to set `X-Forwarded-Proto`.
    ///
    /// # Errors
    ///
    /// Returns an error if one is neither an address nor a network, or holds all addresses there are; the error names
    /// it.
    pub fn new<N: AsRef<str>>(networks: impl IntoIterator<Item = N>) -> Result<Self, InvalidNetwork> {
        let networks = networks.into_iter().map(|network| network.as_ref().parse());
        Ok(Self { networks: networks.collect::<Result<_, _>>()?, header: Header::XForwardedFor })
    }

    /// Reads `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)) and not `X-Forwarded-For`, for proxies
    /// that write that one.
    pub fn forwarded(mut self) -> Self {
        self.header = Header::Forwarded;
        self
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Finds the client of a request that came from `peer`.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddr {
        if !self.trusts(peer) {
            return ClientAddr { address: Some(peer), scheme: None };
        }
        match self.header {
            Header::XForwardedFor => ClientAddr {
                scheme: forwarded::x_forwarded_proto(headers),
                ..self.furthest(peer, forwarded::x_forwarded_for(headers))
            },
            Header::Forwarded => self.furthest(peer, forwarded::forwarded(headers)),
        }
    }

    /// Follows the hops from the nearest one on, as long as they are trusted.
    fn furthest(&self, peer: IpAddr, hops: Vec<Hop>) -> ClientAddr {
        let mut client = ClientAddr { address: Some(peer), scheme: None };
        for hop in hops {
            client = ClientAddr { address: hop.address, scheme: hop.scheme };
            if !hop.address.is_some_and(|address| self.trusts(address)) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests;
