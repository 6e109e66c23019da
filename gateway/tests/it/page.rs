//! docs/GATEWAY.md: its files are taken, its tests exist, and its metrics are there.

use std::collections::BTreeSet;
use std::path::Path;

use tempfile::TempDir;
use tracklane_gateway::{Catalog, Gateway};

use crate::support::{Running, send};

const PAGE: &str = include_str!("../../../docs/GATEWAY.md");

/// The blocks of the page in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn every_file_of_the_page_can_be_used() {
    let files = blocks("toml");
    assert_eq!(files.len(), 2);
    for file in files {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("gateway.toml");
        std::fs::write(&path, file.replace("${", "").replace("_KEY}", "_KEY")).unwrap();
        Gateway::check(&path, &Catalog::stock()).unwrap_or_else(|error| panic!("{error}\n{file}"));
    }
}

#[test]
fn every_answer_of_the_page_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let sources: String =
        std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let table = PAGE.split("## What an answer means").nth(1).unwrap().split("\n\n").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert!(rows.len() >= 9, "{table}");
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for test in tests.split(", ") {
            let name = test.trim_matches('`');
            assert!(sources.contains(&format!("#[test]\nfn {name}()")), "{name:?} is no test: {row}");
        }
    }
}

#[test]
fn the_page_has_every_metric_and_no_other() {
    let gateway = Running::plain();
    assert_eq!(gateway.batch(r#"{"type":"page","userId":"u"}"#).status, 200);
    let metrics = send(gateway.admin, "GET /metrics", "", b"").body;
    let there: BTreeSet<String> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned)).collect();
    let table = PAGE.split("| metric | labels | |\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut named = BTreeSet::new();
    for row in table.lines().skip(1) {
        let mut names = row.split('`').skip(1).step_by(2);
        match names.next().unwrap() {
            "tracklane_gateway_destination_…" => {
                let figures = row.rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2);
                named.extend(figures.map(|figure| format!("tracklane_gateway_destination_{figure}")));
            }
            name => drop(named.insert(name.to_owned())),
        }
    }
    assert_eq!(named, there);
}
