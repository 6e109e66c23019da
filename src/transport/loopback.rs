//! Which URLs stay on this machine: what is sent to them may be plaintext, and is nobody's proxy's business.

use url::{Host, Url};

/// `localhost` alone of all names: what is below it, many resolvers ask the network for.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
