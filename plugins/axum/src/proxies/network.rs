//! A network of addresses, in the notation of CIDR.
//!
//! Invariant: an IPv4-mapped IPv6 address (`::ffff:10.0.0.1`, as a dual-stack socket sees it) is the IPv4 address.

use std::fmt;
use std::net::{AddrParseError, IpAddr};
use std::str::FromStr;

/// Addresses whose first bits are the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                // An IPv4 prefix is 1 to 32, so the shift is less than the width.
                (mine.to_bits() ^ other.to_bits()) >> (32 - self.prefix) == 0
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => (mine.to_bits() ^ other.to_bits()) >> (128 - self.prefix) == 0,
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = |problem| InvalidNetwork { network: text.to_owned(), problem };
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let written: IpAddr = address.parse().map_err(|error| invalid(Problem::Address(error)))?;
        let bits = if written.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(prefix) => {
                prefix.parse().ok().filter(|prefix| *prefix <= bits).ok_or_else(|| invalid(Problem::Prefix(bits)))?
            }
        };
        let address = written.to_canonical();
        // The first 96 bits of a mapped address are not part of the IPv4 address.
        let prefix = if address.is_ipv4() && written.is_ipv6() { prefix.saturating_sub(96) } else { prefix };
        if prefix == 0 {
            return Err(invalid(Problem::Everybody));
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The error of text that is neither an address nor a network, or of a network that holds every address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidNetwork {
    network: String,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Address(AddrParseError),
    /// The prefix is not a number up to this one.
    Prefix(u32),
    Everybody,
}

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = &self.network;
        match &self.problem {
            Problem::Address(_) => {
                write!(f, "{network:?} is no address or network: write it like 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32")
            }
            Problem::Prefix(bits) => write!(f, "{network:?} needs a number from 1 to {bits} after its slash"),
            Problem::Everybody => {
                write!(f, "{network:?} trusts every client to name its own address: write the networks of the proxies")
            }
        }
    }
}

impl std::error::Error for InvalidNetwork {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Address(error) => Some(error),
            Problem::Prefix(_) | Problem::Everybody => None,
        }
    }
}
