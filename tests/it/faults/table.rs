//! The pages that name tests: every row is there, and every test exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all functions in the Rust sources below `folder`.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("sources are text");
            let named = source.split("fn ").skip(1).filter_map(|rest| rest.split_once(['(', '<']));
            found.extend(named.map(|(name, _)| name.to_owned()));
        }
    }
}

/// The rows of the page's tables, each cell trimmed, without their heads.
fn rows(page: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join(page)).expect("the page is there");
    let rows = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip(1).map(cells).collect()
}

/// Checks the last cell of every row: names in backquotes, `(spool)` behind those of the companion crate.
#[track_caller]
fn assert_tests_exist(page: &str) {
    let mut known = BTreeSet::new();
    ["src", "tests", "plugins"].iter().for_each(|folder| functions(&root().join(folder), &mut known));
    for row in rows(page) {
        let cell = row.last().expect("a row has cells");
        let mut names = 0;
        for named in cell.split(", ") {
            let name = named.trim_start_matches('`').split('`').next().expect("there is always a first");
            // Where the package is built without its companions, theirs cannot be looked for.
            let absent = named.ends_with("(spool)") && !root().join("plugins/spool").exists();
            assert!(absent || known.contains(name), "{page} names {name:?}, which is nowhere: {row:?}");
            names += 1;
        }
        assert!(names > 0, "{page}: a row without a test: {row:?}");
    }
}

#[test]
fn every_fault_of_the_matrix_has_its_row() {
    let numbers: Vec<usize> = rows("docs/FAULTS.md").iter().filter_map(|row| row[0].parse().ok()).collect();
    assert_eq!(numbers, (1..=38).collect::<Vec<_>>());
}

#[test]
fn every_fault_has_a_test_that_exists() {
    assert_tests_exist("docs/FAULTS.md");
}

#[test]
fn every_claim_about_security_has_a_test_that_exists() {
    assert_tests_exist("docs/SECURITY.md");
}
