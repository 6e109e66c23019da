//! Checks that parts and files depend on each other in one direction, and that files stay short.

mod graph;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The parts that each part of `src/` may use.
const MAY_USE: &[(&str, &[&str])] = &[
    // The client: the handle, its construction, and its other forms.
    (
        "analytics",
        &["background", "emitter", "event", "ledger", "pipeline", "plugin", "refusal", "supervise", "threads"],
    ),
    (
        "builder",
        &[
            "analytics",
            "background",
            "clock",
            "emitter",
            "error",
            "event",
            "inspector",
            "ledger",
            "metrics",
            "pipeline",
            "plugin",
            "segment",
            "supervise",
            "threads",
            "transport",
            "wait_group",
        ],
    ),
    ("blocking", &["analytics", "event", "ledger", "refusal"]),
    ("global", &["analytics", "event", "refusal"]),
    ("metrics", &["ledger", "supervise", "threads"]),
    ("settings", &["analytics", "builder", "error", "event", "plugin", "segment"]),
    ("segment", &["clock", "plugin", "transport", "emitter", "event", "error", "random"]),
    (
        "pipeline",
        &[
            "plugin",
            "refusal",
            "emitter",
            "event",
            "inspector",
            "ledger",
            "clock",
            "background",
            "error",
            "random",
            "metrics",
            "supervise",
            "wait_group",
            "sync",
            "threads",
        ],
    ),
    // The clock for `Timer`, by which a plugin waits in the client's time.
    ("plugin", &["event", "emitter", "ledger", "clock", "refusal", "supervise", "error"]),
    // The refusals of a client and its plugins.
    ("refusal", &["event", "error"]),
    ("emitter", &["event", "ledger", "background", "clock", "error", "supervise", "wait_group"]),
    ("event", &["error", "random"]),
    ("ledger", &["event", "background", "error", "process", "supervise", "threads", "wait_group", "sync"]),
    ("transport", &["error", "supervise", "threads"]),
    ("inspector", &["clock", "emitter", "error", "event", "ledger", "supervise", "transport"]),
    ("clock", &[]),
    // Test doubles, made of the public API.
    ("testing", &["clock", "error", "event", "plugin", "segment"]),
    ("background", &["clock", "process", "supervise", "threads"]),
    // Snippets of the pages, to be compiled.
    ("docs", &[]),
    ("guide", &[]),
    // Every part that runs foreign code uses it, so it uses none of them: they give it signals and threads.
    ("supervise", &["clock", "error"]),
    ("threads", &["clock", "supervise"]),
    ("wait_group", &["sync"]),
    ("error", &[]),
    ("process", &[]),
    ("random", &["clock", "process"]),
    // The clock for what `std` has of it where it has one.
    ("sync", &["clock"]),
];
/// Circles between files that are there. No other may come, and one that is gone is struck out here.
const KNOWN: &[(&str, &[&str])] = &[
    (
        "plugins/redact/src/lib.rs",
        &["detect/address.rs", "detect/mod.rs", "detect/number.rs", "detect/token.rs", "detect/url.rs"],
    ),
    ("plugins/redact/src/lib.rs", &["edit.rs", "scan.rs"]),
    // A function has the name of its module.
    ("plugins/http/src/lib.rs", &["lib.rs", "verdict.rs"]),
    ("plugins/jsonl/src/lib.rs", &["file.rs", "jsonl.rs", "service.rs", "writer.rs"]),
    ("plugins/console/src/lib.rs", &["console.rs", "line.rs", "printer.rs"]),
    ("plugins/sampling/src/lib.rs", &["rules.rs", "sampling.rs"]),
    ("src/lib.rs", &["emitter/mod.rs", "emitter/subscription.rs"]),
    (
        "src/lib.rs",
        &[
            "event/json/compound.rs",
            "event/json/error.rs",
            "event/json/number.rs",
            "event/json/reader.rs",
            "event/json/serializer.rs",
        ],
    ),
    ("src/lib.rs", &["event/json/object/mod.rs", "event/json/object/nested.rs"]),
    // A dropped ticket settles itself in its ledger, which notifies with the data of the ticket.
    ("src/lib.rs", &["ledger/mod.rs", "ledger/notifications.rs", "ledger/ticket.rs"]),
    // A value of JSON may be an object, which has values.
    ("plugins/http/src/lib.rs", &["json/mod.rs", "json/object.rs"]),
    // A plugin is loaded with its host, which registers plugins.
    (
        "src/lib.rs",
        &[
            "plugin/after.rs",
            "plugin/destination/mod.rs",
            "plugin/host.rs",
            "plugin/lifecycle.rs",
            "plugin/registration.rs",
            "plugin/transform.rs",
        ],
    ),
];

/// The benchmarks. Libraries are found by their place.
const BENCHES: &[&str] =
    &["benches/parts.rs", "benches/calls/main.rs", "benches/whole_path/main.rs", "benches/peers/src/main.rs"];
const MAX_LINES: usize = 400;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source() -> PathBuf {
    repository().join("src")
}

/// The root files of the library, the plugins and the benchmarks, relative to the repository.
fn roots() -> Vec<String> {
    let plugins = std::fs::read_dir(repository().join("plugins")).unwrap();
    let plugins = plugins.map(|entry| format!("plugins/{}/src/lib.rs", entry.unwrap().file_name().to_str().unwrap()));
    let mut roots: Vec<String> = BENCHES.iter().map(|bench| (*bench).to_owned()).chain(plugins).collect();
    roots.extend(["src/lib.rs", "gateway/src/lib.rs"].map(str::to_owned));
    roots.retain(|root| repository().join(root).exists());
    roots
}

/// Every file of the library, the plugins and the benchmarks.
fn all_files() -> Vec<PathBuf> {
    let plugins = std::fs::read_dir(repository().join("plugins")).unwrap().map(|entry| entry.unwrap().path());
    let folders = plugins.map(|plugin| plugin.join("src")).filter(|folder| folder.exists());
    let own = [source(), repository().join("benches"), repository().join("gateway/src")];
    folders.chain(own).filter(|folder| folder.exists()).flat_map(|folder| files(&folder)).collect()
}

/// Every file of the library.
pub(crate) fn sources() -> Vec<PathBuf> {
    files(&source())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What a build of the benchmark beside the peers leaves there.
        if path.ends_with("target") {
            continue;
        }
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
    // Tests use whatever they need.
    for file in files(&source()).into_iter().filter(|file| !file.ends_with("tests.rs")) {
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
        if part == "lib" {
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
fn there_are_no_circles_between_parts() {
    let parts: BTreeMap<_, _> = graph().into_iter().filter(|(part, _)| part != "lib").collect();
    let circles = graph::circles(&parts);
    assert!(circles.is_empty(), "these parts use each other: {circles:?}");
}

#[test]
fn there_is_no_new_circle_between_files() {
    for root in roots() {
        let graph = graph::files(&repository().join(&root));
        for circle in graph::circles(&graph) {
            let is_known =
                KNOWN.iter().any(|(of, files)| *of == root && circle.iter().all(|file| files.contains(&file.as_str())));
            let uses: Vec<String> = circle
                .iter()
                .map(|file| format!("  {file} uses {:?}", graph[file].intersection(&circle).collect::<Vec<_>>()))
                .collect();
            assert!(is_known, "{root}: these files use each other, directly or not:\n{}", uses.join("\n"));
        }
    }
}

#[test]
fn every_known_circle_is_still_there() {
    for (root, files) in KNOWN {
        let circles = graph::circles(&graph::files(&repository().join(root)));
        let is_there = circles.iter().any(|circle| circle.iter().all(|file| files.contains(&file.as_str())));
        assert!(is_there, "{root}: no circle is left among {files:?}: strike it out of KNOWN");
    }
}

#[test]
fn a_circle_through_a_re_export_and_a_child_is_found() {
    let folder = std::env::temp_dir().join(format!("tracklane-circles-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("a")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("lib.rs", "mod a;\nmod b;\npub use a::Inner;\n");
    write("a/mod.rs", "mod inner;\n#[cfg(test)]\nmod tests;\npub(crate) use inner::Inner as Outer;\n// crate::b::B\n");
    write("a/inner.rs", "use crate::{\n    b::{B, self},\n};\npub struct Inner;\n");
    write("b.rs", "pub struct B(crate::a::Outer);\n");
    let graph = graph::files(&folder.join("lib.rs"));
    let circles = graph::circles(&graph);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(graph["lib.rs"], BTreeSet::new(), "a re-export is no use");
    assert_eq!(circles, [["a/inner.rs", "b.rs"].map(str::to_owned).into()]);
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
fn no_file_has_more_than_400_lines() {
    for file in all_files() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines, more than {MAX_LINES}: split it", file.display());
    }
}

/// Text that stands in one file only, and why.
const ONCE: &[(&str, &[&str], &str)] = &[
    ("tracing::event!", &["supervise/log.rs"], "a subscriber may panic: write lines by `supervise::log!`"),
    ("tracing::error!", &[], "a subscriber may panic: write lines by `supervise::log!`"),
    ("tracing::warn!", &[], "a subscriber may panic: write lines by `supervise::log!`"),
    ("tracing::info!", &[], "a subscriber may panic: write lines by `supervise::log!`"),
    ("tracing::debug!", &[], "a subscriber may panic: write lines by `supervise::log!`"),
    ("tracing::trace!", &[], "a subscriber may panic: write lines by `supervise::log!`"),
    ("catch_unwind", &["supervise/panic.rs"], "foreign code runs in `supervise` only: `catch`, `catch_future`"),
    ("spawn_blocking", &[], "it panics without a thread: use `threads`"),
    ("thread::spawn", &[], "it panics without a thread: use `threads`, or `thread::Builder`"),
    ("print!", &[], "nothing is ever printed"),
    ("println!", &[], "nothing is ever printed"),
];

#[test]
fn what_may_panic_stands_in_one_place() {
    for file in files(&source()) {
        let place = file.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
        // Tests and their servers are no part of a client.
        if place.starts_with("testing") || place.ends_with("tests.rs") || place.contains("/tests/") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for (what, places, why) in ONCE {
            let found = code.iter().any(|line| line.contains(what)) && !places.contains(&place.as_str());
            assert!(!found, "src/{place} has {what}: {why}");
        }
    }
}

#[test]
fn every_file_begins_with_a_header() {
    for file in all_files() {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not begin with //!", file.display());
    }
}

/// The rows of the table "Words" of ARCHITECTURE.md: the word and its meaning.
fn glossary() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(repository().join("docs/ARCHITECTURE.md")).unwrap();
    let (_, table) = page.split_once("| word | meaning |\n|---|---|\n").unwrap();
    let rows = table.lines().map_while(|row| row.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.map(|(word, meaning)| (word.to_owned(), meaning.to_owned())).collect()
}

#[test]
fn the_glossary_is_short_and_sorted_and_one_sentence_each() {
    let words = glossary();
    assert!((15..=25).contains(&words.len()), "{} words: rename before you add", words.len());
    assert!(words.is_sorted(), "{words:?}");
    for (word, meaning) in words {
        assert!(meaning.ends_with('.') && !meaning.contains(". "), "{word}: {meaning:?} is not one sentence");
    }
}

#[test]
fn every_word_of_the_glossary_is_in_the_code() {
    let code: Vec<String> =
        files(&source()).iter().map(|file| std::fs::read_to_string(file).unwrap().to_lowercase()).collect();
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let has = |text: &str, word: &str| {
        text.match_indices(word)
            .any(|(at, _)| !is_part(text[..at].chars().last()) && !is_part(text[at + word.len()..].chars().next()))
    };
    for (word, _) in glossary() {
        let plural = format!("{word}s");
        let files = code.iter().filter(|text| has(text, &word) || has(text, &plural)).count();
        assert!(files > 1, "{word:?} is in {files} files of src/: it needs no entry");
    }
}
