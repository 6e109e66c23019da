//! URLs of this machine. They may be plaintext, and take no proxy.

use url::{Host, Url};

/// Of all names only `localhost`: many resolvers ask the network for names below it.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
