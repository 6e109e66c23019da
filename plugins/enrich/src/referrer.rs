//! Classifies the site that a visitor came from.

use serde_json::{Map, Value, json};

use crate::web_url::host;

/// Known sites: the domain, which includes its subdomains, its type, and its name. A `.*` stands for any country.
const SITES: &[(&str, &str, &str)] = &[
    ("google.*", "search", "Google"),
    ("bing.com", "search", "Bing"),
    ("duckduckgo.com", "search", "DuckDuckGo"),
    ("search.yahoo.com", "search", "Yahoo!"),
    ("yahoo.co.jp", "search", "Yahoo! Japan"),
    ("ecosia.org", "search", "Ecosia"),
    ("qwant.com", "search", "Qwant"),
    ("startpage.com", "search", "Startpage"),
    ("search.brave.com", "search", "Brave"),
    ("kagi.com", "search", "Kagi"),
    ("baidu.com", "search", "Baidu"),
    ("yandex.*", "search", "Yandex"),
    ("naver.com", "search", "Naver"),
    ("sogou.com", "search", "Sogou"),
    ("seznam.cz", "search", "Seznam"),
    ("search.marginalia.nu", "search", "Marginalia"),
    ("facebook.com", "social", "Facebook"),
    ("fb.me", "social", "Facebook"),
    ("instagram.com", "social", "Instagram"),
    ("threads.net", "social", "Threads"),
    ("threads.com", "social", "Threads"),
    ("t.co", "social", "X"),
    ("x.com", "social", "X"),
    ("twitter.com", "social", "X"),
    ("linkedin.com", "social", "LinkedIn"),
    ("lnkd.in", "social", "LinkedIn"),
    ("reddit.com", "social", "Reddit"),
    ("pinterest.*", "social", "Pinterest"),
    ("tiktok.com", "social", "TikTok"),
    ("youtube.com", "social", "YouTube"),
    ("youtu.be", "social", "YouTube"),
    ("bsky.app", "social", "Bluesky"),
    ("mastodon.social", "social", "Mastodon"),
    ("news.ycombinator.com", "social", "Hacker News"),
    ("quora.com", "social", "Quora"),
    ("vk.com", "social", "VK"),
    ("weibo.com", "social", "Weibo"),
    ("xing.com", "social", "Xing"),
    ("mail.google.com", "email", "Gmail"),
    ("com.google.android.gm", "email", "Gmail"),
    ("outlook.live.com", "email", "Outlook"),
    ("outlook.office.com", "email", "Outlook"),
    ("outlook.office365.com", "email", "Outlook"),
    ("mail.yahoo.com", "email", "Yahoo! Mail"),
    ("mail.proton.me", "email", "Proton Mail"),
    ("com.google.android.googlequicksearchbox", "search", "Google"),
];

/// The data of a referrer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Referrer {
    /// For `context.page.referring_domain`.
    pub(crate) domain: Option<String>,
    /// For `context.referrer`; empty if nothing is known of the site.
    pub(crate) referrer: Map<String, Value>,
}

/// Classifies `referrer`, on a page whose URL is `page`. An empty one means that there was none: `direct`.
pub(crate) fn referrer(referrer: &str, page: Option<&str>) -> Referrer {
    if referrer.is_empty() {
        return Referrer { domain: None, referrer: members(&json!({ "type": "direct" })) };
    }
    let Some(domain) = host(referrer).map(str::to_ascii_lowercase) else { return Referrer::default() };
    let own = page.and_then(host).map(str::to_ascii_lowercase);
    let known = if own.is_some_and(|own| is_same_site(&own, &domain)) {
        json!({ "type": "internal" })
    } else {
        // The longest wins: mail.google.com is no search.
        let site = SITES.iter().filter(|(site, _, _)| is_of(&domain, site)).max_by_key(|(site, _, _)| site.len());
        site.map_or_else(|| json!({}), |(_, kind, name)| json!({ "type": kind, "name": name }))
    };
    Referrer { domain: Some(domain), referrer: members(&known) }
}

fn members(json: &Value) -> Map<String, Value> {
    json.as_object().cloned().unwrap_or_default()
}

/// The same host, or one below the other: shop.example.com and example.com.
fn is_same_site(one: &str, other: &str) -> bool {
    is_below(one, other) || is_below(other, one)
}

fn is_below(domain: &str, site: &str) -> bool {
    domain.strip_suffix(site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_of(domain: &str, site: &str) -> bool {
    let Some(name) = site.strip_suffix('*') else { return is_below(domain, site) };
    // google.com, google.co.uk, images.google.de: a country follows, or `com` or `co` and a country.
    let Some(at) = domain.find(name).filter(|at| *at == 0 || domain.as_bytes().get(at - 1) == Some(&b'.')) else {
        return false;
    };
    let ending = domain.get(at + name.len()..).unwrap_or_default();
    let labels: Vec<&str> = ending.split('.').collect();
    let is_country = |label: &str| label.len() == 2 && label.bytes().all(|byte| byte.is_ascii_lowercase());
    match labels.as_slice() {
        ["com" | "org" | "net"] => true,
        [country] | ["com" | "co", country] => is_country(country),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_referrer_tells_its_domain_and_what_is_known_of_it() {
        let page = Some("https://www.shop.example/cart");
        for (url, domain, expected) in [
            ("https://www.google.com/", Some("google.com"), json!({ "type": "search", "name": "Google" })),
            (
                "https://www.google.co.uk/search?q=x",
                Some("google.co.uk"),
                json!({ "type": "search", "name": "Google" }),
            ),
            ("https://images.google.de/", Some("images.google.de"), json!({ "type": "search", "name": "Google" })),
            ("https://mail.google.com/mail/u/0/", Some("mail.google.com"), json!({ "type": "email", "name": "Gmail" })),
            ("https://google.evil.example/", Some("google.evil.example"), json!({})),
            ("https://notgoogle.com/", Some("notgoogle.com"), json!({})),
            ("https://evilt.co/", Some("evilt.co"), json!({})),
            ("https://t.co/abc", Some("t.co"), json!({ "type": "social", "name": "X" })),
            ("https://old.reddit.com/r/rust", Some("old.reddit.com"), json!({ "type": "social", "name": "Reddit" })),
            (
                "android-app://com.google.android.gm/",
                Some("com.google.android.gm"),
                json!({ "type": "email", "name": "Gmail" }),
            ),
            ("https://WWW.Shop.Example/", Some("shop.example"), json!({ "type": "internal" })),
            ("https://pay.shop.example/", Some("pay.shop.example"), json!({ "type": "internal" })),
            ("https://myshop.example/", Some("myshop.example"), json!({})),
            ("https://blog.example.org/post", Some("blog.example.org"), json!({})),
            ("", None, json!({ "type": "direct" })),
            ("about:blank", None, json!({})),
            ("[redacted]", None, json!({})),
        ] {
            let expected = Referrer { domain: domain.map(str::to_owned), referrer: members(&expected) };
            assert_eq!(referrer(url, page), expected, "{url}");
        }
        assert_eq!(referrer("https://example.com", None).domain.as_deref(), Some("example.com"));
    }
}
