//! Reads the browser, the system and the kind of device from a user agent.
//!
//! Browsers freeze parts of it. The names stay true, but versions of systems are the same for all (`Windows NT 10.0`,
//! `Mac OS X 10_15_7`) and are left out then. Products that are in no table are not guessed.

use serde_json::{Map, Value, json};

/// The data of a user agent, or of its client hints. Empty members are unknown.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct UserAgent {
    pub(crate) browser: Map<String, Value>,
    pub(crate) os: Map<String, Value>,
    pub(crate) device_type: Option<&'static str>,
    pub(crate) is_bot: bool,
}

/// Product tokens, in the order of the search, because most browsers have those of others, too.
const BROWSERS: &[(&str, &str)] = &[
    ("EdgiOS/", "Edge"),
    ("EdgA/", "Edge"),
    ("Edg/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPiOS/", "Opera"),
    ("Opera/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("UCBrowser/", "UC Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Headless Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("MSIE ", "Internet Explorer"),
    ("Trident/", "Internet Explorer"),
];

/// Words of programs that are no people. `bot` and its like must end a word: Cubot makes phones.
const BOTS: &[&str] = &[
    "bot/",
    "bot ",
    "bot;",
    "bot)",
    "spider",
    "crawl",
    "slurp",
    "facebookexternalhit",
    "headlesschrome",
    "lighthouse",
    "pingdom",
    "uptime",
    "monitor",
    "preview",
    "curl/",
    "wget/",
    "python-requests",
    "python-httpx",
    "aiohttp",
    "go-http-client",
    "okhttp/",
    "java/",
    "axios/",
    "node-fetch",
    "reqwest/",
    "libwww-perl",
    "scrapy",
    "postmanruntime",
    "phantomjs",
];

/// Phones whose name has `bot`.
const NO_BOTS: &[&str] = &["cubot"];

/// Reads the header `User-Agent`.
pub(crate) fn user_agent(text: &str) -> UserAgent {
    let lower = text.to_ascii_lowercase();
    let is_bot = (BOTS.iter().any(|word| lower.contains(word)) || lower.ends_with("bot"))
        && !NO_BOTS.iter().any(|word| lower.contains(word));
    if is_bot {
        // The browser that a bot claims is not its own.
        return UserAgent { is_bot, ..UserAgent::default() };
    }
    let (os, device_type) = os(text);
    UserAgent { browser: browser(text), os, device_type, is_bot }
}

fn browser(text: &str) -> Map<String, Value> {
    for (token, name) in BROWSERS {
        if let Some((_, rest)) = text.split_once(token) {
            return if *token == "Trident/" {
                named("Internet Explorer", after(text, "rv:"))
            } else {
                named(name, number(rest))
            };
        }
    }
    // Safari has the version of itself apart, and Android's old browser has it, too.
    if text.contains("Safari/") && text.contains("Version/") && !text.contains("Android") {
        return named("Safari", after(text, "Version/"));
    }
    Map::new()
}

fn os(text: &str) -> (Map<String, Value>, Option<&'static str>) {
    let is_mobile = text.contains("Mobile");
    if text.contains("iPhone") || text.contains("iPod") {
        return (named("iOS", apple(text).as_deref()), Some("mobile"));
    }
    if text.contains("iPad") {
        return (named("iPadOS", apple(text).as_deref()), Some("tablet"));
    }
    if let Some((_, rest)) = text.split_once("Android") {
        let version = number(rest.trim_start());
        let device = if text.contains("TV") {
            "tv"
        } else if is_mobile {
            "mobile"
        } else {
            "tablet"
        };
        return (named("Android", version), Some(device));
    }
    if let Some((_, rest)) = text.split_once("Windows NT ") {
        let version = match number(rest).unwrap_or_default() {
            "6.1" => Some("7"),
            "6.2" => Some("8"),
            "6.3" => Some("8.1"),
            // Windows 10 and 11 say the same.
            _ => None,
        };
        return (named("Windows", version), Some("desktop"));
    }
    let others =
        [("CrOS ", "ChromeOS"), ("Macintosh", "macOS"), ("X11; Linux", "Linux"), ("X11; Ubuntu; Linux", "Linux")];
    match others.iter().find(|(token, _)| text.contains(token)) {
        Some((_, name)) => (named(name, None), Some("desktop")),
        None => (Map::new(), None),
    }
}

/// Reads the client hints, in the form of `navigator.userAgentData` and Segment's `context.userAgentData`. They are
/// more reliable than the header.
pub(crate) fn client_hints(hints: &Map<String, Value>) -> UserAgent {
    let mut told = UserAgent::default();
    let lists = ["fullVersionList", "brands"].into_iter().filter_map(|list| hints.get(list)?.as_array());
    if let Some(brand) = lists.flatten().find(|brand| is_browser(brand)) {
        let name = match brand.get("brand").and_then(Value::as_str) {
            Some("Google Chrome") => "Chrome",
            Some("Microsoft Edge") => "Edge",
            name => name.unwrap_or_default(),
        };
        told.browser = named(name, brand.get("version").and_then(Value::as_str).filter(|version| !version.is_empty()));
    }
    if let Some(platform) =
        hints.get("platform").and_then(Value::as_str).filter(|name| !matches!(*name, "" | "Unknown"))
    {
        let name = if platform == "Chrome OS" { "ChromeOS" } else { platform };
        let version = hints.get("platformVersion").and_then(Value::as_str).filter(|version| !version.is_empty());
        // For Windows it is the number of an interface: 13 and more is Windows 11.
        let version = match (name, version.and_then(|version| version.split('.').next()?.parse::<u32>().ok())) {
            ("Windows", Some(13..)) => Some("11"),
            ("Windows", Some(1..)) => Some("10"),
            ("Windows", _) => None,
            _ => version,
        };
        told.os = named(name, version);
    }
    told.device_type = match hints.get("mobile") {
        Some(Value::Bool(true)) => Some("mobile"),
        _ => None,
    };
    told
}

/// No brand that is there to keep programs honest (`Not A;Brand`), nor the engine.
fn is_browser(brand: &Value) -> bool {
    let name = brand.get("brand").and_then(Value::as_str).unwrap_or_default();
    let is_grease = name.contains("Not") && name.contains("Brand");
    !name.is_empty() && name != "Chromium" && !is_grease
}

fn named(name: &str, version: Option<&str>) -> Map<String, Value> {
    let value = match version {
        Some(version) => json!({ "name": name, "version": version }),
        None => json!({ "name": name }),
    };
    value.as_object().cloned().unwrap_or_default()
}

/// The version at the start of a text.
fn number(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.get(..end).map(|version| version.trim_end_matches('.')).filter(|version| !version.is_empty())
}

fn after<'a>(text: &'a str, token: &str) -> Option<&'a str> {
    number(text.split_once(token)?.1)
}

/// `CPU iPhone OS 17_5_1 like Mac OS X`: the version has underscores for dots.
fn apple(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(" OS ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len());
    let version = rest.get(..end)?.trim_end_matches('_').replace('_', ".");
    // Safari 26 and later say the last version of iOS 18, whatever the system is.
    let is_frozen =
        version.starts_with("18.") && after(text, "Version/").is_some_and(|safari| !safari.starts_with("18"));
    (!version.is_empty() && !is_frozen).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let UserAgent { browser, os, device_type, is_bot } = user_agent(text);
        let part = |part: &Map<String, Value>| {
            let text = |name| part.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
            format!("{} {}", text("name"), text("version"))
        };
        if is_bot {
            "bot".to_owned()
        } else {
            format!("{} | {} | {}", part(&browser), part(&os), device_type.unwrap_or("-"))
        }
    }

    #[test]
    fn user_agents_tell_what_they_tell() {
        for (text, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
                "Chrome 124.0.0.0 | Windows - | desktop",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51",
                "Edge 124.0.2478.51 | Windows - | desktop",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; rv:109.0) Gecko/20100101 Firefox/115.0",
                "Firefox 115.0 | Windows 7 | desktop",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15",
                "Safari 17.4.1 | macOS - | desktop",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
                "Safari 17.4.1 | iOS 17.4.1 | mobile",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/124.0.6367.71 Mobile/15E148 Safari/604.1",
                "Chrome 124.0.6367.71 | iOS 17.4 | mobile",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/125.0 Mobile/15E148 Safari/605.1.15",
                "Firefox 125.0 | iPadOS 16.6 | tablet",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari 26.0 | iOS - | mobile",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari 18.6 | iOS 18.6 | mobile",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36",
                "Samsung Internet 24.0 | Android 14 | mobile",
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
                "Chrome 124.0.0.0 | Android 13 | tablet",
            ),
            (
                "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
                "Chrome 120.0.0.0 | Android 12 | mobile",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
                "Chrome 124.0.0.0 | ChromeOS - | desktop",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
                "Firefox 125.0 | Linux - | desktop",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko",
                "Internet Explorer 11.0 | Windows 8.1 | desktop",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0",
                "Opera 110.0.0.0 | Linux - | desktop",
            ),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
            (
                "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 Chrome/124.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1)",
                "bot",
            ),
            ("curl/8.5.0", "bot"),
            ("facebookexternalhit/1.1", "bot"),
            ("SomeBot", "bot"),
            ("CPU iPhone OS 17_5_1_", "- - | iOS 17.5.1 | mobile"),
            ("iPhone OS _", "- - | iOS - | mobile"),
            ("MyApp/1.2 (custom)", "- - | - - | -"),
            ("", "- - | - - | -"),
            ("Android", "- - | Android - | tablet"),
            ("Chrome/", "Chrome - | - - | -"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn client_hints_tell_what_they_tell() {
        let hints = |json: Value| client_hints(json.as_object().unwrap());
        let told = hints(json!({
            "brands": [{ "brand": "Not_A Brand", "version": "8" }, { "brand": "Chromium", "version": "124" }, { "brand": "Google Chrome", "version": "124" }],
            "mobile": false, "platform": "Windows", "platformVersion": "15.0.0",
        }));
        assert_eq!(Value::Object(told.browser), json!({ "name": "Chrome", "version": "124" }));
        assert_eq!(Value::Object(told.os), json!({ "name": "Windows", "version": "11" }));
        assert_eq!(told.device_type, None);
        let told = hints(json!({ "platform": "Android", "platformVersion": "14", "mobile": true, "brands": "x" }));
        assert_eq!(
            (Value::Object(told.os), told.device_type),
            (json!({ "name": "Android", "version": "14" }), Some("mobile"))
        );
        assert_eq!(hints(json!({ "platform": "Unknown", "mobile": 1, "brands": [7, {}] })), UserAgent::default());
    }
}
