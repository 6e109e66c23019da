//! The module graph runs one way, and files stay readable.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each part may use. The handle and the builder put everything together, and `testing` stands beside.
const MAY_USE: &[(&str, &[&str])] = &[
    // Other faces of the handle and the builder.
    ("blocking", &["analytics", "event", "ledger", "pipeline"]),
    ("global", &["analytics", "event", "pipeline"]),
    ("metrics", &["contained", "ledger", "threads"]),
    ("settings", &["builder", "error", "event", "plugin", "segment"]),
    ("segment", &["plugin", "transport", "emitter", "event", "error", "random"]),
    (
        "pipeline",
        &[
            "plugin",
            "emitter",
            "event",
            "ledger",
            "clock",
            "background",
            "contained",
            "error",
            "random",
            "reentry",
            "metrics",
            "running",
            "sync",
            "threads",
        ],
    ),
    // The clock for `Timer`, by which a plugin waits in the client's time.
    ("plugin", &["event", "emitter", "ledger", "clock", "contained", "error"]),
    ("emitter", &["event", "ledger", "background", "contained", "error", "reentry", "running"]),
    ("event", &["ledger", "error", "random"]),
    ("ledger", &["background", "contained", "error", "reentry", "running", "sync"]),
    ("transport", &["contained", "error", "threads"]),
    // The manual clock is one of its two clocks.
    ("clock", &["testing"]),
    ("background", &["contained", "threads"]),
    // Snippets of the pages, to be compiled.
    ("docs", &[]),
    ("guide", &[]),
    // Around user code: its drops, and its calls.
    ("contained", &[]),
    ("threads", &["contained"]),
    ("reentry", &[]),
    ("running", &["sync"]),
    ("error", &[]),
    ("random", &[]),
    ("sync", &[]),
];
/// One part: the handle is what the builder builds.
const FREE: &[&str] = &["analytics", "builder", "lib", "testing"];
const MAX_LINES: usize = 400;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The top-level module that a file belongs to.
fn part(file: &Path) -> String {
    let first = file.strip_prefix(source()).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The modules that the text names behind `crate::`, comments left out.
fn uses(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut named = BTreeSet::new();
    for behind in code.split("crate::").skip(1) {
        let list =
            behind.strip_prefix('{').map_or(vec![behind], |list| list.split('}').next().unwrap().split(',').collect());
        for item in list {
            let name: String = item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            named.insert(name);
        }
    }
    named
}

fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let parts: BTreeSet<String> = files(&source()).iter().map(|file| part(file)).collect();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files(&source()) {
        let part = part(&file);
        let uses = uses(&std::fs::read_to_string(&file).unwrap());
        let others = uses.into_iter().filter(|used| parts.contains(used) && *used != part);
        graph.entry(part.clone()).or_default().extend(others);
    }
    graph
}

#[test]
fn every_dependency_is_one_that_is_allowed() {
    for (part, used) in graph() {
        if FREE.contains(&part.as_str()) {
            continue;
        }
        let (_, allowed) = MAY_USE.iter().find(|(known, _)| *known == part).unwrap_or_else(|| {
            panic!("src/{part} is new: say here what it may use");
        });
        for other in used {
            assert!(allowed.contains(&other.as_str()), "src/{part} uses crate::{other}, which it must not");
        }
    }
}

#[test]
fn there_are_no_circles() {
    let mut graph = graph();
    graph.retain(|part, _| !FREE.contains(&part.as_str()));
    // Takes away what uses nothing that is left, until nothing is left.
    while !graph.is_empty() {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        graph.retain(|_, used| used.iter().any(|used| left.contains(used)));
        assert!(graph.len() < left.len(), "a circle among {left:?}");
    }
}

#[test]
fn the_table_names_what_there_is() {
    let graph = graph();
    for (part, allowed) in MAY_USE {
        assert!(graph.contains_key(*part), "there is no src/{part}");
        assert!(allowed.iter().all(|used| graph.contains_key(*used)), "{allowed:?}");
    }
}

#[test]
fn the_test_sees_what_it_looks_for() {
    let text = "use crate::event::Event;\n// crate::nothing\nuse crate::{a, b::C};\nlet x = crate::ledger::f();";
    assert_eq!(uses(text), ["a", "b", "event", "ledger"].map(str::to_owned).into());
    assert!(graph()["segment"].contains("plugin") && graph()["pipeline"].contains("ledger"));
    assert!(graph()["builder"].contains("segment"));
}

#[test]
fn no_file_is_longer_than_a_reader_bears() {
    for file in files(&source()) {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines, more than {MAX_LINES}: split it", file.display());
    }
}

/// Text that stands in one file only, and why.
const ONCE: &[(&str, &[&str], &str)] = &[
    ("tracing::event!", &["contained/log.rs"], "a subscriber may panic: write lines by `contained::log!`"),
    ("tracing::error!", &[], "a subscriber may panic: write lines by `contained::log!`"),
    ("tracing::warn!", &[], "a subscriber may panic: write lines by `contained::log!`"),
    ("tracing::info!", &[], "a subscriber may panic: write lines by `contained::log!`"),
    ("tracing::debug!", &[], "a subscriber may panic: write lines by `contained::log!`"),
    ("tracing::trace!", &[], "a subscriber may panic: write lines by `contained::log!`"),
    // `ledger/room.rs` is built by `tests/schedules`, too, and takes nothing from elsewhere.
    (
        " catch_unwind(",
        &["contained/mod.rs", "ledger/room.rs"],
        "what is thrown may panic in its drop: `contained::call`",
    ),
    ("spawn_blocking", &[], "it panics without a thread: use `threads`"),
    ("thread::spawn", &[], "it panics without a thread: use `threads`, or `thread::Builder`"),
    ("print!", &[], "nothing is ever printed"),
    ("println!", &[], "nothing is ever printed"),
];

#[test]
fn what_may_panic_stands_in_one_place() {
    for file in files(&source()) {
        let place = file.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
        // What tests and their servers do is no part of a client.
        if place.starts_with("testing") || place.ends_with("tests.rs") || place == "pipeline/wakes.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for (what, places, why) in ONCE {
            let found = code.iter().any(|line| line.contains(what)) && !places.contains(&place.as_str());
            assert!(!found, "src/{place} has {what}: {why}");
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for file in files(&source()) {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not begin with //!", file.display());
    }
}
