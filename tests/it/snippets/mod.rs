//! The Rust snippets of the pages that do not compile alone, with the code around them that a compiler needs.
//!
//! A page has no line that is only for the compiler. So such a snippet is fenced `rust,ignore` on its page and is also
//! in a file here, one function or module each, in the order of the page. Lines that end in `//#` are not on the page.
//! All other snippets are compiled as documentation tests.

#![allow(unused, unreachable_pub, clippy::all, reason = "pages show what matters")]

mod analytics_go;
mod analytics_net;
mod analytics_node;
mod analytics_node_classic;
mod edge;
mod plugins;
mod posthog_rs;
mod readme;
mod rudderanalytics;
mod segment_crate;
mod settings;
mod testing;
mod troubleshooting;

use super::pages::{pages, text};

/// The files here, with their pages.
const FILES: &[(&str, &str)] = &[
    ("readme", "README.md"),
    ("edge", "docs/EDGE.md"),
    ("plugins", "docs/PLUGINS.md"),
    ("settings", "docs/SETTINGS.md"),
    ("testing", "docs/TESTING.md"),
    ("troubleshooting", "docs/TROUBLESHOOTING.md"),
    ("analytics_go", "docs/migrating/analytics-go.md"),
    ("analytics_net", "docs/migrating/analytics-net.md"),
    ("analytics_node_classic", "docs/migrating/analytics-node-classic.md"),
    ("analytics_node", "docs/migrating/analytics-node.md"),
    ("posthog_rs", "docs/migrating/posthog-rs.md"),
    ("rudderanalytics", "docs/migrating/rudderanalytics.md"),
    ("segment_crate", "docs/migrating/segment-crate.md"),
];

/// Returns the snippets of a file, without the lines that are not on the page.
fn shown(file: &str) -> Vec<Vec<String>> {
    let source = text(&format!("tests/it/snippets/{file}.rs"));
    let snippets = source.split("{ // begin\n").skip(1).map(|rest| rest.split("\n} // end").next().unwrap());
    let is_shown = |line: &&str| !line.ends_with("//#");
    snippets.map(|snippet| trimmed(snippet.lines().filter(is_shown))).collect()
}

/// The snippets of a page that are compiled here.
fn on_the_page(page: &str) -> Vec<Vec<String>> {
    let page = text(page);
    let blocks = page.split("```rust,ignore\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| trimmed(block.lines())).collect()
}

/// Lines without the empty ones around them.
fn trimmed<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<String> {
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    lines[first..last].to_vec()
}

#[test]
fn each_snippet_that_a_page_shows_is_compiled_as_it_stands() {
    for (file, page) in FILES {
        let (here, there) = (shown(file), on_the_page(page));
        assert_eq!(here.len(), there.len(), "{page}: as many snippets as in tests/it/snippets/{file}.rs");
        for (number, (here, there)) in here.iter().zip(&there).enumerate() {
            assert_eq!(here, there, "{page}: snippet {} of tests/it/snippets/{file}.rs", number + 1);
        }
    }
}

#[test]
fn no_page_shows_lines_that_are_for_the_compiler_only() {
    let mut wrong = Vec::new();
    for page in pages() {
        let source = text(&page);
        let known = FILES.iter().any(|(_, file)| *file == page) || page == "docs/CALLS.md";
        for block in source.split("```rust").skip(1).map(|rest| rest.split("```").next().unwrap()) {
            if block.lines().any(|line| line == "#" || line.starts_with("# ")) {
                wrong.push(format!("{page} shows lines that begin with #"));
            }
            if block.starts_with(",ignore") && !known {
                wrong.push(format!("{page} has a snippet that nobody compiles"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
