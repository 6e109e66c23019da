//! Tells IP addresses that can have a place from others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that a text is, if it is one of the internet: those of this machine, of private and of special networks are
/// nowhere.
pub(crate) fn public(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.trim().parse().ok()?;
    let address = address.to_canonical();
    let is_public = match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    };
    is_public.then_some(address)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    // 100.64.0.0/10 is between providers and their customers.
    let is_shared = a == 100 && (64..128).contains(&b);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || is_shared
        || a == 0
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    let is_documentation = address.segments().starts_with(&[0x2001, 0x0db8]);
    // 2000::/3 is the range of public addresses.
    first & 0xe000 == 0x2000 && !is_documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_internet_are_public_and_others_are_not() {
        for (text, expected) in [
            ("81.2.69.160", true),
            (" 81.2.69.160 ", true),
            ("::ffff:81.2.69.160", true),
            ("2a02:d280::1", true),
            ("10.1.2.3", false),
            ("192.168.1.1", false),
            ("127.0.0.1", false),
            ("169.254.1.1", false),
            ("100.64.0.1", false),
            ("203.0.113.7", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("::ffff:10.0.0.1", false),
            ("::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("2001:db8::1", false),
            ("[redacted]", false),
            ("81.2.69.160:443", false),
            ("", false),
        ] {
            assert_eq!(public(text).is_some(), expected, "{text}");
        }
    }
}
