//! The pages that name tests: every row is there, and every test exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all tests in the Rust sources below `folder` that are run.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(tests_of(&fs::read_to_string(&path).expect("sources are text")));
        }
    }
}

/// The functions that have `#[test]`, or a relative of it, and not `#[ignore]` among their attributes.
fn tests_of(source: &str) -> Vec<String> {
    let (mut names, mut is_test, mut is_ignored) = (Vec::new(), false, false);
    for line in source.lines().map(str::trim_start) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        is_ignored |= line.starts_with("#[ignore");
        let function = line.trim_start_matches("pub(super) ").trim_start_matches("async ").strip_prefix("fn ");
        let function = function.and_then(|rest| rest.split_once(['(', '<']));
        if let Some((name, _)) = function {
            if is_test && !is_ignored {
                names.push(name.to_owned());
            }
            (is_test, is_ignored) = (false, false);
        }
    }
    names
}

#[test]
fn what_is_no_test_or_is_not_run_does_not_count() {
    let source =
        "fn no() {}\n#[test]\nfn yes() {}\n#[test]\n#[ignore]\nfn no() {}\n#[tokio::test]\nasync fn too() {}\n";
    assert_eq!(tests_of(source), ["yes", "too"]);
}

fn text(page: &str) -> String {
    fs::read_to_string(root().join(page)).expect("the page is there")
}

/// The rows of the tables in a page's text, each cell trimmed, without their heads.
fn rows(page: &str) -> Vec<Vec<String>> {
    let is_row = |line: &str| line.starts_with('|') && !line.starts_with("|--");
    // A head is the row above a line of dashes.
    let below = page.lines().skip(1).chain([""]);
    let rows = page.lines().zip(below).filter(|(line, below)| is_row(line) && !below.starts_with("|--"));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.map(|(row, _)| cells(row)).collect()
}

/// Checks the last cell of every row: names in backquotes, `(spool)` behind those of the companion crate.
#[track_caller]
fn assert_tests_exist(page: &str, text: &str) {
    let mut known = BTreeSet::new();
    ["src", "tests", "plugins", "ingest", "cli", "gateway"]
        .iter()
        .for_each(|folder| tests(&root().join(folder), &mut known));
    for row in rows(text) {
        let cell = row.last().expect("a row has cells");
        let mut names = 0;
        for named in cell.split(", ") {
            let name = named.trim_start_matches('`').split('`').next().expect("there is always a first");
            // A package without its companions cannot have their tests.
            let absent = named.ends_with("(spool)") && !root().join("plugins/spool").exists();
            assert!(absent || known.contains(name), "{page} names {name:?}, which is no test that is run: {row:?}");
            names += 1;
        }
        assert!(names > 0, "{page}: a row without a test: {row:?}");
    }
}

#[test]
fn every_fault_of_the_matrix_has_its_row() {
    let numbers: Vec<usize> = rows(&text("docs/FAULTS.md")).iter().filter_map(|row| row[0].parse().ok()).collect();
    assert!(numbers.len() >= 52, "rows are missing: {numbers:?}");
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}

#[test]
fn every_fault_has_a_test_that_exists() {
    assert_tests_exist("docs/FAULTS.md", &text("docs/FAULTS.md"));
}

#[test]
fn every_claim_about_security_has_a_test_that_exists() {
    assert_tests_exist("docs/SECURITY.md", &text("docs/SECURITY.md"));
}

#[test]
fn every_promise_of_a_companion_has_a_test_that_exists() {
    let page = text("docs/GUARANTEES.md");
    let (_, section) = page.split_once("## What companions add").expect("the section is there");
    let (section, _) = section.split_once("\n## ").expect("another one follows");
    assert!(rows(section).len() >= 20, "rows are missing: {}", rows(section).len());
    assert_tests_exist("docs/GUARANTEES.md", section);
}
