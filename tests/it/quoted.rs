//! The messages that the pages quote: each consists of texts from the code, with values between them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::pages::{pages, root, text};

/// Values in messages that no text of more than one word contains: names of destinations, plugins, kinds, settings and
/// fields, drop reasons, and HTTP statuses.
const VALUES: &[&str] = &[
    "429 Too Many Requests",
    "503 Service Unavailable",
    "404 Not Found",
    "401 Unauthorized",
    // Messages of rustls and reqwest.
    "invalid peer certificate: UnknownIssuer",
    "Could not automatically determine the process-level CryptoProvider from Rustls crate features.",
    "No rustls crypto provider is configured.",
    "properties.total",
    "properties.products",
    "HTTPS_PROXY",
    "Segment.io",
    "Warehouse",
    "geo",
    "track",
    "identify",
    "group",
    "event",
    "groupId",
    "properties",
    "null",
    "revenue",
    "tree",
    "key",
    "context",
    "page",
    "timestamp",
    "yesterday",
    "enrichment plugin",
    "write_key",
    "http_client",
    "proxy",
    "host",
    "api.segment.io",
    "TRACKLANE_FLUSHAT",
    "TRACKLANE_FLUSH_AT",
    "flushat",
    "FLUSH",
    "flush_at",
    "flushAt",
    "flush_interval",
    "too_large",
    "unauthorized",
    "retries_exhausted",
];
/// Texts of the code that are one word between two values.
const SHORT_TEXTS: &[&str] = &["setting", "is", "has", "a", "the", "bytes", "plugin", "events"];
/// Spans of code that begin so are commands.
const COMMANDS: &[&str] = &["openssl", "cargo", "git", "rustup", "tracklane ", "TRACKLANE_"];

/// The Rust files of the library and its companions, without those that are tests.
fn sources(folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, into);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            into.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// The string literals of a file, without those of comments and of the tests at its end.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    // A quote that is a byte begins no literal.
    let code = code.join("\n").replace("b'\"'", "QUOTE");
    let (mut literals, mut rest) = (Vec::new(), code.as_str());
    while let Some((_, after)) = rest.split_once('"') {
        let (mut literal, mut escaped, mut end) = (String::new(), false, after.len());
        for (at, c) in after.char_indices() {
            match (escaped, c) {
                (false, '"') => {
                    end = at + 1;
                    break;
                }
                (false, '\\') => escaped = true,
                (true, '"' | '\\') => (escaped, _) = (false, literal.push(c)),
                // An escaped line break and others that stand for white space.
                (true, _) => (escaped, _) = (false, literal.push(' ')),
                (false, c) => literal.push(c),
            }
        }
        literals.push(literal);
        rest = &after[end..];
    }
    literals
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The texts between the places for values, of all literals: those that are more than one word.
fn texts() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["src", "plugins/axum/src", "plugins/spool/src"] {
        sources(&root().join(folder), &mut files);
    }
    let mut texts = BTreeSet::new();
    for literal in files.iter().flat_map(|file| literals(file)) {
        for part in literal.split('{').map(|part| part.split_once('}').map_or(part, |(_, text)| text)) {
            let part = words(part);
            if part.contains([' ', ':', ';', '(']) && part.contains(char::is_alphabetic) {
                texts.insert(part);
            }
        }
    }
    texts
}

/// Returns the messages that a page quotes: on the page of symptoms all blocks of text, and everywhere the spans of
/// code that are sentences.
fn quoted(page: &str) -> Vec<String> {
    let mut quoted = Vec::new();
    for (index, part) in text(page).split("```").enumerate() {
        if let Some(block) = part.strip_prefix("text\n").filter(|_| page.ends_with("TROUBLESHOOTING.md")) {
            quoted.extend(block.lines().map(words));
        }
        // A span between two marks each has single ones in it.
        for (index, part) in part.split("``").enumerate().filter(|_| index % 2 == 0) {
            match index % 2 {
                0 => quoted.extend(part.split('`').skip(1).step_by(2).map(words)),
                _ => quoted.push(words(part)),
            }
        }
    }
    let is_message = |span: &String| {
        let is_call = span.split('(').next().is_some_and(|name| name.ends_with(char::is_alphanumeric));
        let code = span.contains(['=', '{', '<', '[', '\\']) || span.contains("::") || span.contains('(') && is_call;
        span.split(' ').count() > 3 && !code && !COMMANDS.iter().any(|command| span.starts_with(command))
    };
    quoted.into_iter().filter(is_message).collect()
}

/// Takes `text` out of the message wherever it stands as whole words.
fn take_out(message: &mut String, text: &str) {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let goes_on = |c: Option<char>| c.is_some_and(|c: char| c.is_alphanumeric() || c == '_');
    let mut from = 0;
    while let Some(at) = message[from..].find(text).map(|at| at + from) {
        let end = at + text.len();
        let before = goes_on(message[..at].chars().last()) && is_word(text.chars().next());
        let after = goes_on(message[end..].chars().next()) && is_word(text.chars().last());
        if before || after {
            from = end;
        } else {
            message.replace_range(at..end, "\0");
            from = at;
        }
    }
}

/// Returns the part of a message that is in no text of the code, and is no value.
fn unknown(message: &str, texts: &BTreeSet<String>) -> Option<String> {
    let mut left = message.to_owned();
    let mut longest_first: Vec<&str> = texts.iter().map(String::as_str).filter(|text| message.contains(text)).collect();
    longest_first.sort_by_key(|text| std::cmp::Reverse(text.len()));
    // A page may begin a quotation in the middle of a text.
    let tail = message.trim_start_matches(['…', ',', ' ']);
    if texts.iter().any(|text| text.ends_with(tail)) {
        return None;
    }
    // And end it there.
    if let Some(head) = message.strip_suffix('…').map(str::trim_end) {
        let start = |text: &str| {
            (2..=text.split(' ').count()).rev().find_map(|words| {
                let start = text.split(' ').take(words).collect::<Vec<_>>().join(" ");
                head.ends_with(&start).then_some(start)
            })
        };
        if let Some(start) = texts.iter().filter_map(|text| start(text)).max_by_key(String::len) {
            take_out(&mut left, &start);
        }
    }
    for text in longest_first.into_iter().chain(VALUES.iter().copied()).chain(SHORT_TEXTS.iter().copied()) {
        take_out(&mut left, text);
    }
    // A word with a digit in it is a number, with its unit perhaps.
    let left: Vec<String> = left.replace('\0', " … ").split_whitespace().map(String::from).collect();
    let is_text = |word: &String| word.contains(char::is_alphabetic) && !word.contains(char::is_numeric);
    left.iter().any(is_text).then(|| left.join(" "))
}

#[test]
fn every_message_that_a_page_quotes_is_one_that_the_code_can_say() {
    let texts = texts();
    assert!(texts.len() > 100, "{texts:?}");
    let (mut checked, mut wrong) = (0, Vec::new());
    for page in pages() {
        for message in quoted(&page) {
            checked += 1;
            if let Some(unknown) = unknown(&message, &texts) {
                wrong.push(format!("{page} quotes {message:?}, of which no text in src/ has {unknown:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}\nA value is not a fault: it belongs into VALUES.");
    assert!(checked > 30, "{checked}");
}

#[test]
fn a_message_that_no_code_says_is_found() {
    let texts: BTreeSet<String> =
        ["setting", "does not exist (TRACKLANE_", "in the environment): see docs/SETTINGS.md", "refused:"]
            .map(String::from)
            .into();
    let right = "setting flush_at: does not exist (TRACKLANE_7 in the environment): see docs/SETTINGS.md";
    assert_eq!(unknown(right, &texts), None);
    let wrong = "setting environment: the environment variable 7 names no setting";
    assert!(unknown(wrong, &texts).unwrap().contains("environment variable"), "{wrong}");
    assert!(unknown("track refused: it is Monday", &texts).unwrap().contains("Monday"));
}
