//! Code that makes an event, the expectation that it meets, and how to point each SDK here.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tracklane::Kind;

use super::store::Entry;

/// The code that makes one SDK send here.
#[derive(Debug, Serialize)]
pub(crate) struct Snippet {
    sdk: &'static str,
    language: &'static str,
    code: String,
}

pub(crate) fn snippets(url: &str, key: &str) -> Vec<Snippet> {
    let host = url.trim_start_matches("http://");
    let snippet = |sdk, language, code: String| Snippet { sdk, language, code };
    vec![
        snippet(
            "Rust (tracklane)",
            "rust",
            format!(
                "let analytics = Analytics::builder()\n    .segment(Segment::new({key:?}).host({url:?}))\n    \
                 .build()?;"
            ),
        ),
        snippet(
            "Node (@segment/analytics-node)",
            "js",
            format!(
                "import {{ Analytics }} from '@segment/analytics-node'\n\nconst analytics = new Analytics({{ writeKey: \
                 '{key}', host: '{url}', flushAt: 1 }})"
            ),
        ),
        snippet(
            "Browser (@segment/analytics-next)",
            "js",
            format!(
                "import {{ AnalyticsBrowser }} from '@segment/analytics-next'\n\nconst analytics = \
                 AnalyticsBrowser.load(\n  {{ writeKey: '{key}', cdnURL: '{url}' }},\n  {{ integrations: {{ \
                 'Segment.io': {{ apiHost: '{host}/v1', protocol: 'http' }} }} }},\n)"
            ),
        ),
        snippet(
            "Python (segment-analytics-python)",
            "python",
            format!("import segment.analytics as analytics\n\nanalytics.write_key = '{key}'\nanalytics.host = '{url}'"),
        ),
        snippet(
            "Go (analytics-go)",
            "go",
            format!("client, err := analytics.NewWithConfig({key:?}, analytics.Config{{Endpoint: {url:?}}})"),
        ),
        snippet(
            "C# (Analytics.NET)",
            "csharp",
            format!("Analytics.Initialize({key:?}, new Config().SetHost({url:?}));"),
        ),
        snippet(
            "curl",
            "sh",
            format!(
                "curl {url}/v1/track -u {key}: -H 'content-type: application/json' \\\n  -d '{{\"event\":\"Order \
                 Completed\",\"userId\":\"42\"}}'"
            ),
        ),
    ]
}

/// The event in a language, or as the expectation that it meets; `None` if the language is not known.
pub(crate) fn of_event(entry: &Entry, language: &str, url: &str, key: &str) -> Option<String> {
    let event: Map<String, Value> = serde_json::from_slice(&entry.raw).unwrap_or_default();
    let kind = entry.kind.unwrap_or(Kind::Track);
    match language {
        "rust" => Some(rust(&event, kind)),
        "js" => Some(js(event, kind)),
        "curl" => Some(curl(event, kind, url, entry.key().unwrap_or(key))),
        "expect" => Some(expect(event, kind, entry.key())),
        _ => None,
    }
}

/// Members that belong to one sending.
const OF_THE_SENDING: [&str; 7] =
    ["messageId", "timestamp", "sentAt", "receivedAt", "originalTimestamp", "writeKey", "_metadata"];

fn rust(event: &Map<String, Value>, kind: Kind) -> String {
    let text = |name: &str| event.get(name).and_then(Value::as_str).map(|text| format!("{text:?}"));
    let id = |name: &str| match event.get(name) {
        Some(Value::Number(number)) => Some(format!("{:?}", number.to_string())),
        _ => text(name),
    };
    let mut code = match kind {
        Kind::Track => format!("Track::new({})", text("event").unwrap_or_else(|| "\"\"".to_owned())),
        Kind::Group => format!("Group::new({})", id("groupId").unwrap_or_else(|| "\"\"".to_owned())),
        Kind::Alias => {
            let ids = ["previousId", "userId"].map(|name| id(name).unwrap_or_else(|| "\"\"".to_owned()));
            format!("Alias::new({})", ids.join(", "))
        }
        Kind::Identify => "Identify::new()".to_owned(),
        Kind::Page => "Page::new()".to_owned(),
        Kind::Screen => "Screen::new()".to_owned(),
    };
    let mut setter = |setter: String| code.push_str(&format!("\n    .{setter}"));
    if let Some(id) = id("userId").filter(|_| kind != Kind::Alias) {
        setter(format!("user_id({id})"));
    }
    if let Some(id) = id("anonymousId") {
        setter(format!("anonymous_id({id})"));
    }
    if let Some(name) = text("name") {
        setter(format!("name({name})"));
    }
    let (section, one) = match kind {
        Kind::Identify | Kind::Group => ("traits", "with_trait"),
        _ => ("properties", "property"),
    };
    for (name, value) in event.get(section).and_then(Value::as_object).into_iter().flatten() {
        setter(format!("{one}({name:?}, {})", rust_value(value)));
    }
    format!("analytics.{kind}({code})?;\n")
}

fn rust_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        other => format!("serde_json::json!({other})"),
    }
}

fn js(mut event: Map<String, Value>, kind: Kind) -> String {
    OF_THE_SENDING.iter().chain(&["type"]).for_each(|name| drop(event.remove(*name)));
    let object = serde_json::to_string_pretty(&event).unwrap_or_default();
    format!("analytics.{kind}({object})\n")
}

fn curl(mut event: Map<String, Value>, kind: Kind, url: &str, key: &str) -> String {
    ["writeKey", "sentAt", "type"].iter().for_each(|name| drop(event.remove(*name)));
    let json = Value::Object(event).to_string();
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let user = quoted(&format!("{key}:"));
    format!("curl {url}/v1/{kind} -u {user} -H 'content-type: application/json' -d {}\n", quoted(&json))
}

/// Makes the body of `POST expect`: the event without the members that differ from run to run.
fn expect(mut event: Map<String, Value>, kind: Kind, key: Option<&str>) -> String {
    OF_THE_SENDING.iter().chain(&["context", "integrations"]).for_each(|name| drop(event.remove(*name)));
    event.insert("type".to_owned(), kind.as_str().into());
    let mut expectation = json!({ "all": [event], "withinMs": 5_000 });
    if let Some(key) = key {
        expectation["scope"] = key.into();
    }
    format!("{}\n", serde_json::to_string_pretty(&expectation).unwrap_or_default())
}

/// Displays it as it is printed at the start.
impl std::fmt::Display for Snippet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  {}", self.sdk)?;
        self.code.lines().filter(|line| !line.is_empty()).try_for_each(|line| writeln!(f, "    {line}"))
    }
}
