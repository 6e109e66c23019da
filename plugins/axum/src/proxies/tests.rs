//! Who sent a request, for every way in which proxies and clients write their headers.

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::{InvalidNetwork, Network, TrustedProxies};
use crate::client_addr::ClientAddr;

fn proxies() -> TrustedProxies {
    TrustedProxies::new(["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"]).unwrap()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(line).collect()
}

fn client(proxies: &TrustedProxies, peer: &str, lines: &[(&'static str, &str)]) -> ClientAddr {
    proxies.client(peer.parse().unwrap(), &headers(lines))
}

/// Peer, lines of the header, address of the client.
type Row = (&'static str, &'static [&'static str], Option<&'static str>);

fn check(proxies: &TrustedProxies, name: &'static str, table: &[Row]) {
    for (peer, lines, expected) in table {
        let lines: Vec<_> = lines.iter().map(|line| (name, *line)).collect();
        let address = client(proxies, peer, &lines).address;
        assert_eq!(address, expected.map(|text| text.parse().unwrap()), "{peer}: {lines:?}");
    }
}

#[test]
fn x_forwarded_for_counts_as_far_as_proxies_are_trusted() {
    check(
        &proxies(),
        "x-forwarded-for",
        &[
            // Not a proxy: whatever it says.
            ("203.0.113.9", &[], Some("203.0.113.9")),
            ("203.0.113.9", &["198.51.100.1"], Some("203.0.113.9")),
            ("203.0.113.9", &["10.0.0.1"], Some("203.0.113.9")),
            ("192.0.2.2", &["198.51.100.1"], Some("192.0.2.2")),
            // A proxy: the last address that no proxy has.
            ("10.0.0.1", &["198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["6.6.6.6,198.51.100.1 , 10.2.3.4,192.0.2.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1", "10.9.9.9"], Some("198.51.100.1")),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], Some("10.0.0.3")),
            ("10.0.0.1", &[], Some("10.0.0.1")),
            ("10.0.0.1", &["", " , "], Some("10.0.0.1")),
            // IPv6, ports, and IPv4 in IPv6 clothes.
            ("2001:db8:1::7", &["2001:db8:2::1"], Some("2001:db8:2::1")),
            ("2001:db8:2::7", &["198.51.100.1"], Some("2001:db8:2::7")),
            ("10.0.0.1", &["198.51.100.1:4711"], Some("198.51.100.1")),
            ("10.0.0.1", &["[2001:db8::1]:4711"], Some("2001:db8::1")),
            ("10.0.0.1", &["[2001:db8::1]"], Some("2001:db8::1")),
            ("10.0.0.1", &["198.51.100.1, ::ffff:10.0.0.2"], Some("198.51.100.1")),
            ("10.0.0.1", &["::ffff:198.51.100.1"], Some("198.51.100.1")),
            // What is no address is nobody, and nothing before it is believed.
            ("10.0.0.1", &["6.6.6.6, unknown"], None),
            ("10.0.0.1", &["6.6.6.6, unknown, 10.0.0.2"], None),
            ("10.0.0.1", &["6.6.6.6, 999.1.1.1"], None),
            ("10.0.0.1", &["6.6.6.6", "sch\u{e4}dlich"], None),
            ("10.0.0.1", &["unknown, 198.51.100.1"], Some("198.51.100.1")),
        ],
    );
}

#[test]
fn forwarded_counts_as_far_as_proxies_are_trusted() {
    check(
        &proxies().forwarded(),
        "forwarded",
        &[
            ("203.0.113.9", &["for=198.51.100.1"], Some("203.0.113.9")),
            ("10.0.0.1", &["for=198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["for=6.6.6.6, For=198.51.100.1;proto=https;by=10.0.0.2"], Some("198.51.100.1")),
            (
                "10.0.0.1",
                &["for=6.6.6.6", "proto=https; for=\"198.51.100.1:80\"", "for=10.0.0.7"],
                Some("198.51.100.1"),
            ),
            ("10.0.0.1", &["for=\"[2001:db8::1]:4711\""], Some("2001:db8::1")),
            ("10.0.0.1", &["for=10.0.0.2;by=\"a,b;for=6.6.6.6\""], Some("10.0.0.2")),
            ("10.0.0.1", &[], Some("10.0.0.1")),
            // Hidden on purpose, or missing.
            ("10.0.0.1", &["for=6.6.6.6, for=_hidden"], None),
            ("10.0.0.1", &["for=6.6.6.6, for=unknown"], None),
            ("10.0.0.1", &["for=6.6.6.6, proto=https"], None),
            // A client that leaves a quote open changes nothing of what the proxy appends.
            ("10.0.0.1", &["for=6.6.6.6, for=\", for=198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["for=6.6.6.6;by=\", for=\"[2001:db8::1]:4711\""], Some("2001:db8::1")),
            ("10.0.0.1", &["for=6.6.6.6;by=\"\\, for=198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["for=6.6.6.6;by=\"", "for=198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["for=6.6.6.6;\", for=198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["for=6.6.6.6;\"a, for=\"198.51.100.1:80\""], Some("198.51.100.1")),
            ("10.0.0.1", &["for=6.6.6.6;proto=https;\", proto=http;for=198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["for=6.6.6.6;x=\", for=_hidden"], None),
            // What a proxy quotes may have anything in it.
            ("10.0.0.1", &["for=6.6.6.6, for=198.51.100.1;host=\"a\\\", for=6.6.6.6\""], Some("198.51.100.1")),
            // An element that is malformed is nobody's, and ends the trust.
            ("10.0.0.1", &["for=6.6.6.6;\""], None),
            ("10.0.0.1", &["for=6.6.6.6;\"a\"=b"], None),
            ("10.0.0.1", &["for=6.6.6.6; =b"], None),
            ("10.0.0.1", &["for=6.6.6.6;a b=c"], None),
            ("10.0.0.1", &["for=6.6.6.6;by=a\"b\""], None),
            ("10.0.0.1", &["for=6.6.6.6;by=\"a\"b"], None),
            ("10.0.0.1", &["for=6.6.6.6;by=a=b"], None),
            ("10.0.0.1", &["for=6.6.6.6;by=\"a\\\""], None),
            ("10.0.0.1", &["for=6.6.6.6;proto=http;proto=https"], None),
            ("10.0.0.1", &["for=6.6.6.6, for=10.0.0.2;\"x"], None),
            ("10.0.0.1", &["for=198.51.100.1;for=6.6.6.6"], None),
            ("10.0.0.1", &["6.6.6.6"], None),
        ],
    );
}

#[test]
fn only_the_header_that_the_proxies_write_is_read() {
    let both = [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=198.51.100.2"), ("x-real-ip", "6.6.6.6")];
    let address = |proxies: &TrustedProxies| client(proxies, "10.0.0.1", &both).address.unwrap().to_string();
    assert_eq!(address(&proxies()), "198.51.100.1");
    assert_eq!(address(&proxies().forwarded()), "198.51.100.2");
}

#[test]
fn the_scheme_is_what_a_trusted_proxy_says() {
    let scheme = |peer, value| client(&proxies(), peer, &[("x-forwarded-proto", value)]).scheme;
    assert_eq!(scheme("10.0.0.1", "https"), Some("https"));
    assert_eq!(scheme("10.0.0.1", "ftp, HTTP"), Some("http"));
    assert_eq!(scheme("10.0.0.1", "https://evil.example/?"), None);
    assert_eq!(scheme("203.0.113.9", "https"), None);

    let line = [("forwarded", "for=6.6.6.6;proto=http, for=198.51.100.1;proto=https, for=10.0.0.2;proto=http")];
    assert_eq!(client(&proxies().forwarded(), "10.0.0.1", &line).scheme, Some("https"));
}

#[test]
fn a_line_that_is_marked_as_sensitive_is_not_read_and_neither_is_what_stands_before_it() {
    let marked = |lines: &[(&'static str, &str)]| {
        let mut headers = headers(lines);
        headers.iter_mut().for_each(|(_, value)| value.set_sensitive(value != "6.6.6.6" && value != "for=6.6.6.6"));
        headers
    };
    let peer = "10.0.0.1".parse().unwrap();
    let nobody = ClientAddr::default();
    for lines in
        [&[("x-forwarded-for", "198.51.100.1")][..], &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "::2")]]
    {
        assert_eq!(proxies().client(peer, &marked(lines)), nobody, "{lines:?}");
    }
    let forwarded = [("forwarded", "for=6.6.6.6"), ("forwarded", "for=198.51.100.1;proto=https")];
    assert_eq!(proxies().forwarded().client(peer, &marked(&forwarded)), nobody);
    assert_eq!(proxies().client(peer, &marked(&[("x-forwarded-proto", "https")])).scheme, None);
}

#[test]
fn networks_hold_their_addresses_and_no_others() {
    let table = [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        ("10.1.2.3/8", "10.255.255.255", "9.255.255.255"),
        ("192.0.2.128/25", "192.0.2.200", "192.0.2.127"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("192.0.2.1/32", "::ffff:192.0.2.1", "192.0.2.0"),
        ("128.0.0.0/1", "255.255.255.255", "127.255.255.255"),
        ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"),
        ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"),
        ("::1", "::1", "::2"),
        (" ::1 ", "::1", "0.0.0.1"),
    ];
    for (network, inside, outside) in table {
        let network: Network = network.parse().unwrap();
        assert!(network.contains(inside.parse().unwrap()), "{network:?} holds {inside}");
        assert!(!network.contains(outside.parse().unwrap()), "{network:?} holds {outside}");
    }
}

#[test]
fn what_is_no_network_is_named() {
    let problem = |text: &str| TrustedProxies::new(["10.0.0.0/8", text]).map(drop).unwrap_err();
    for text in ["", "proxy.example", "10.0.0", "10.0.0.0.0/8", "/8"] {
        let error: InvalidNetwork = problem(text);
        assert!(error.to_string().starts_with(&format!("{text:?} is no address")), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
    for text in ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/8/8"] {
        assert!(problem(text).to_string().contains("after its slash"), "{text}");
    }
    for text in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96", "10.0.0.0/0"] {
        assert!(problem(text).to_string().contains("trusts every client"), "{text}");
    }
}

/// A line of a header as a client may write it: any bytes that a header can have, and all the more what means
/// something.
fn clients_line() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop::sample::select(vec![
        "\"",
        "\\",
        ",",
        ";",
        "=",
        " ",
        "\t",
        "for=6.6.6.6",
        "for=\"6.6.6.6\"",
        "for=10.0.0.9",
        "6.6.6.6",
        "10.0.0.9",
        "proto=https",
        "https",
        "by=",
        "for=",
        "[",
        "]",
        "\\\"",
        "\";",
        ";\"",
    ]);
    let any = prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8].prop_map(|byte| vec![byte]);
    let part = prop_oneof![4 => telling.prop_map(|text| text.as_bytes().to_vec()), 1 => any];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    /// Whatever a client writes, in lines of its own or in the one that the proxy appends to.
    #[test]
    fn no_client_changes_what_is_read_of_a_proxys_own_element(
        lines in prop::collection::vec(clients_line(), 0..3),
        begun in prop::option::of(clients_line()),
        comma in prop::sample::select(vec![", ", ",", " ,\t"]),
        at in 0..6_usize,
    ) {
        let elements = [
            ("forwarded", "for=203.0.113.7"),
            ("forwarded", "for=\"[2a00::7]\""),
            ("forwarded", "proto=http;for=\"203.0.113.7:80\";by=10.0.0.1"),
            ("forwarded", "for=203.0.113.7;host=\"a,b;for=6.6.6.6\\\"\\\\\";proto=https"),
            ("forwarded", "for=_hidden"),
            ("x-forwarded-for", "203.0.113.7"),
        ];
        let (name, element) = elements[at];
        let proxies = if name == "forwarded" { proxies().forwarded() } else { proxies() };
        let peer = "10.0.0.1".parse().unwrap();
        let line = |bytes: &[u8]| (HeaderName::from_static(name), HeaderValue::from_bytes(bytes).unwrap());
        let alone = proxies.client(peer, &HeaderMap::from_iter([line(element.as_bytes())]));

        let last = begun.map_or(Vec::new(), |begun| [&begun, comma.as_bytes()].concat());
        let last = [&last, element.as_bytes()].concat();
        let headers: HeaderMap = lines.iter().chain([&last]).map(|bytes| line(bytes)).collect();
        prop_assert_eq!(proxies.client(peer, &headers), alone, "{:?}", headers);
    }
}
