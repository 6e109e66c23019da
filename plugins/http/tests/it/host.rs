//! The host of a URL is the one that the standard has.

use proptest::prelude::*;
use tracklane_http::host;
use url::Url;

fn standard(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}

#[test]
fn the_short_way_finds_the_same_host() {
    for url in [
        "https://www.google.com/",
        "http://a",
        "https://shop.example?q#f",
        "https://shop.example#/a?b",
        "https://Shop.Example/",
        "https://shop.example:443/",
        "https://shop.example:8443/",
        "https://user:pw@shop.example/",
        "https://shop.example\\@evil.example/",
        "https://shop.example./",
        "https://a..b/",
        "https://-a.b-/",
        "https://1.2.3.4/",
        "https://a.1/",
        "https://a.0x10/",
        "https://xn--mller-kva.example/",
        "https://a.xn--/",
        "https://a--b.example/",
        "https://[2001:db8::1]/",
        "https://b\u{fc}cher.example/",
        "https://a%41.example/",
        "https://a_b.example/",
        " https://a.example/",
        "https://a.ex\tample/",
        "https:/a.example/",
        "https:///a.example/",
        "https://",
        "android-app://com.google.android.gm/",
        "about:blank",
        "/path",
        "",
    ] {
        assert_eq!(host(url).as_deref(), standard(url).as_deref(), "{url:?}");
    }
}

proptest! {
    #[test]
    fn whatever_the_url(url in "(https?:[/\\\\]{1,3})?[a-cx0-9n.@:_%A\\-\u{fc}\\[\\]]{0,12}[/?#\\\\: ]?[ -~]{0,6}") {
        let (found, expected) = (host(&url), standard(&url));
        prop_assert_eq!(found.as_deref(), expected.as_deref(), "{:?}", url);
    }
}
