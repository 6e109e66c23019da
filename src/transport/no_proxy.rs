//! The hosts of `NO_PROXY`, which are reached without a proxy.
//!
//! | entry | what it stands for |
//! |---|---|
//! | `*` | every host |
//! | `example.com`, `.example.com` | the host and all below it |
//! | `*.example.com` | all below it |
//! | `10.0.0.1`, `::1`, `[::1]` | the address |
//! | `10.0.0.0/8`, `fd00::/8` | the network |
//!
//! Each but a network may be followed by `:port`. Entries are separated by commas or white space. Any other entry
//! matches nothing. Names are not looked up.

use std::net::IpAddr;

use url::{Host, Url};

#[derive(Debug, Default)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    hosts: Hosts,
    /// `None` stands for any port.
    port: Option<u16>,
}

#[derive(Debug)]
enum Hosts {
    All,
    Domain { name: String, itself: bool },
    Network { address: IpAddr, prefix: u32 },
}

impl NoProxy {
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(Entry::parse).collect())
    }

    pub(super) fn contains(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        let port = url.port_or_known_default();
        self.0.iter().any(|entry| (entry.port.is_none() || entry.port == port) && entry.hosts.contain(&host))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some(hosts) = Hosts::network(text) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        Some(Self { hosts: Hosts::network(host).or_else(|| Hosts::named(host))?, port })
    }
}

impl Hosts {
    /// Reads an address, with or without brackets, or a network.
    fn network(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let bare = address.strip_prefix('[').and_then(|address| address.strip_suffix(']')).unwrap_or(address);
        let address: IpAddr = bare.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok().filter(|prefix| *prefix <= bits))?;
        Some(Self::Network { address, prefix })
    }

    fn named(text: &str) -> Option<Self> {
        let (name, itself) = match text.strip_prefix("*.") {
            _ if text == "*" => return Some(Self::All),
            Some(name) => (name, false),
            None => (text.trim_start_matches('.'), true),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Domain { name, itself })
    }

    fn contain(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Domain { name, itself }, Host::Domain(host)) => {
                match host.trim_end_matches('.').strip_suffix(name.as_str()) {
                    Some("") => *itself,
                    Some(below) => below.ends_with('.'),
                    None => false,
                }
            }
            (Self::Network { address: IpAddr::V4(address), prefix }, Host::Ipv4(host)) => {
                (address.to_bits() ^ host.to_bits()).leading_zeros() >= *prefix
            }
            (Self::Network { address: IpAddr::V6(address), prefix }, Host::Ipv6(host)) => {
                (address.to_bits() ^ host.to_bits()).leading_zeros() >= *prefix
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_of_an_entry_is_understood() {
        const NAMED: &str = "https://api.segment.io/v1/batch";
        let table = [
            ("", NAMED, false),
            (" , ,", NAMED, false),
            ("*", NAMED, true),
            ("*", "http://[::1]", true),
            ("api.segment.io", NAMED, true),
            ("API.Segment.IO.", NAMED, true),
            ("api.segment.io", "https://api.segment.io./", true),
            ("segment.io", NAMED, true),
            (".segment.io", NAMED, true),
            (".segment.io", "https://segment.io", true),
            ("*.segment.io", NAMED, true),
            ("*.segment.io", "https://segment.io", false),
            ("gment.io", NAMED, false),
            ("*.gment.io", NAMED, false),
            ("api.segment.io.evil", NAMED, false),
            ("a.example, b.example ,segment.io", NAMED, true),
            ("a.example b.example\tsegment.io", NAMED, true),
            ("api.segment.io:443", NAMED, true),
            ("*.segment.io:443", NAMED, true),
            ("*:443", NAMED, true),
            ("api.segment.io:80", NAMED, false),
            ("api.segment.io:port", NAMED, false),
            ("10.1.2.3", "http://10.1.2.3:8080", true),
            ("10.1.2.3:8080", "http://10.1.2.3:8080", true),
            ("10.1.2.3:8080", "http://10.1.2.3", false),
            ("10.0.0.0/8", "http://10.1.2.3", true),
            ("10.0.0.0/8", "http://11.1.2.3", false),
            ("10.0.0.0/33", "http://10.0.0.0", false),
            ("0.0.0.0/0", "http://11.1.2.3", true),
            ("10.0.0.0/8", "http://[::1]", false),
            ("::1", "http://[::1]:80", true),
            ("[::1]", "http://[::1]:80", true),
            ("[::1]:80", "http://[::1]", true),
            ("[::1]:81", "http://[::1]", false),
            ("fd00::/8", "http://[fd12::1]", true),
            ("fd00::/8", "http://[fe80::1]", false),
            ("10.0.0.0/8", "http://ten.example", false),
        ];
        for (list, url, expected) in table {
            let url = Url::parse(url).unwrap();
            assert_eq!(NoProxy::parse(list).contains(&url), expected, "NO_PROXY={list:?} for {url}");
        }
    }
}
