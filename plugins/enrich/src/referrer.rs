//! Classifies the site that a visitor came from.

use std::borrow::Cow;

use serde::Serialize;

use crate::web_url::host;

/// Returns the type and the name of the site that has this domain.
fn site(domain: &str) -> Option<Site> {
    Some(Site::new(match domain {
        "bing.com" => ("search", "Bing"),
        "duckduckgo.com" => ("search", "DuckDuckGo"),
        "search.yahoo.com" => ("search", "Yahoo!"),
        "yahoo.co.jp" => ("search", "Yahoo! Japan"),
        "ecosia.org" => ("search", "Ecosia"),
        "qwant.com" => ("search", "Qwant"),
        "startpage.com" => ("search", "Startpage"),
        "search.brave.com" => ("search", "Brave"),
        "kagi.com" => ("search", "Kagi"),
        "baidu.com" => ("search", "Baidu"),
        "naver.com" => ("search", "Naver"),
        "sogou.com" => ("search", "Sogou"),
        "seznam.cz" => ("search", "Seznam"),
        "search.marginalia.nu" => ("search", "Marginalia"),
        "facebook.com" | "fb.me" => ("social", "Facebook"),
        "instagram.com" => ("social", "Instagram"),
        "threads.net" | "threads.com" => ("social", "Threads"),
        "t.co" | "x.com" | "twitter.com" => ("social", "X"),
        "linkedin.com" | "lnkd.in" => ("social", "LinkedIn"),
        "reddit.com" => ("social", "Reddit"),
        "tiktok.com" => ("social", "TikTok"),
        "youtube.com" | "youtu.be" => ("social", "YouTube"),
        "bsky.app" => ("social", "Bluesky"),
        "mastodon.social" => ("social", "Mastodon"),
        "news.ycombinator.com" => ("social", "Hacker News"),
        "quora.com" => ("social", "Quora"),
        "vk.com" => ("social", "VK"),
        "weibo.com" => ("social", "Weibo"),
        "xing.com" => ("social", "Xing"),
        "mail.google.com" | "com.google.android.gm" => ("email", "Gmail"),
        "outlook.live.com" | "outlook.office.com" | "outlook.office365.com" => ("email", "Outlook"),
        "mail.yahoo.com" => ("email", "Yahoo! Mail"),
        "mail.proton.me" => ("email", "Proton Mail"),
        "com.google.android.googlequicksearchbox" => ("search", "Google"),
        _ => return None,
    }))
}

/// Returns the same for a domain that any country may have, without its ending.
fn site_of_any_country(domain: &str) -> Option<Site> {
    Some(Site::new(match domain {
        "google" => ("search", "Google"),
        "yandex" => ("search", "Yandex"),
        "pinterest" => ("social", "Pinterest"),
        _ => return None,
    }))
}

/// The data of a referrer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Referrer<'r> {
    /// For `context.page.referring_domain`.
    pub(crate) domain: Option<Cow<'r, str>>,
    /// For `context.referrer`, if anything is known of the site.
    pub(crate) site: Option<Site>,
}

/// The members of `context.referrer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Site {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
}

impl Site {
    fn new((r#type, name): (&'static str, &'static str)) -> Self {
        Self { r#type, name: Some(name) }
    }
}

/// Classifies `referrer`, on a page whose URL is `page`. An empty one means that there was none: `direct`.
pub(crate) fn referrer<'r>(referrer: &'r str, page: Option<&str>) -> Referrer<'r> {
    if referrer.is_empty() {
        return Referrer { domain: None, site: Some(Site { r#type: "direct", name: None }) };
    }
    let Some(domain) = host(referrer).map(lowercase) else { return Referrer::default() };
    let own = page.and_then(host).map(lowercase);
    let site = match own {
        Some(own) if is_same_site(&own, &domain) => Some(Site { r#type: "internal", name: None }),
        _ => known(&domain),
    };
    Referrer { domain: Some(domain), site }
}

/// Returns the known site of a domain, or of one that it is below. The longest wins: mail.google.com is no search.
fn known(domain: &str) -> Option<Site> {
    let of_any_country = |name| domains_above(name).find_map(site_of_any_country);
    domains_above(domain)
        .find_map(site)
        .or_else(|| without_country(domain).into_iter().flatten().find_map(of_any_country))
}

/// Returns the domain, and all that it is below, from the longest on.
fn domains_above(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, above)| above))
}

fn lowercase(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() }
}

/// The same host, or one below the other: shop.example.com and example.com.
fn is_same_site(one: &str, other: &str) -> bool {
    is_below(one, other) || is_below(other, one)
}

fn is_below(domain: &str, site: &str) -> bool {
    domain.strip_suffix(site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Returns what is in front of the ending of a domain that any country may have: `google` of google.com and google.de,
/// and of google.co.uk, which is also `google.co` in front of a country.
fn without_country(domain: &str) -> [Option<&str>; 2] {
    let Some((name, last)) = domain.rsplit_once('.') else { return [None, None] };
    let is_country = last.len() == 2 && last.bytes().all(|byte| byte.is_ascii_lowercase());
    if !is_country {
        return [Some(name).filter(|_| matches!(last, "com" | "org" | "net")), None];
    }
    [Some(name), name.strip_suffix(".com").or_else(|| name.strip_suffix(".co"))]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            (
                "https://notgoogle.google.com/",
                Some("notgoogle.google.com"),
                json!({ "type": "search", "name": "Google" }),
            ),
            ("https://pinterest.com.au/", Some("pinterest.com.au"), json!({ "type": "social", "name": "Pinterest" })),
            ("https://yandex.museum/", Some("yandex.museum"), json!({})),
            ("https://google.evil.com/", Some("google.evil.com"), json!({})),
            ("https://google/", Some("google"), json!({})),
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
            let told = referrer(url, page);
            assert_eq!(told.domain.as_deref(), domain, "{url}");
            let site = told.site.map_or_else(|| json!({}), |site| serde_json::to_value(site).unwrap());
            assert_eq!(site, expected, "{url}");
        }
        assert_eq!(referrer("https://example.com", None).domain.as_deref(), Some("example.com"));
    }
}
