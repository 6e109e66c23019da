//! Checks what the pages tell contributors: the tasks, the examples, the public API and the packages.

use std::collections::BTreeSet;
use std::fs;

use super::pages::{root, text};

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The first cells of a page's rows that are code.
fn tasks() -> Vec<String> {
    let page = text("CONTRIBUTING.md");
    let (_, table) = page.split_once("| task | what it does |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn every_task_is_in_the_list_of_tasks_and_every_one_there_exists() {
    let tasks = tasks();
    for script in names(".ci") {
        assert!(tasks.contains(&format!(".ci/{script}")), ".ci/{script} is not in the table of CONTRIBUTING.md");
    }
    for task in &tasks {
        let known = task.starts_with("cargo ") || root().join(task).exists();
        assert!(known, "CONTRIBUTING.md names {task}, which does not exist");
    }
}

#[test]
fn the_landing_check_runs_every_task_that_does_not_say_otherwise() {
    let (run, page) = (text(".ci/run"), text("CONTRIBUTING.md"));
    for task in tasks().iter().filter(|task| !matches!(task.as_str(), ".ci/run" | ".ci/tool")) {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{task}`"))).unwrap();
        let is_part =
            task.starts_with("cargo test --test") || task == "cargo test --doc" || row.contains("not in `.ci/run`");
        // `cargo run --quiet --example`
        let run = run.replace("--quiet ", "");
        assert!(is_part || run.contains(task.as_str()), ".ci/run does not run {task}");
    }
}

#[test]
fn the_workflow_runs_tasks_that_exist_and_may_only_read() {
    let workflow = text(".github/workflows/ci.yml");
    let steps = workflow.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    for word in steps.filter(|word| word.starts_with(".ci/") && !word.contains("${{")) {
        assert!(root().join(word).exists(), "ci.yml runs {word}");
    }
    let (_, list) = workflow.split_once("task: [").unwrap();
    for task in list.split(']').next().unwrap().split(", ") {
        assert!(root().join(".ci").join(task).exists(), "ci.yml runs .ci/{task}");
    }
    assert!(workflow.contains("permissions:\n  contents: read\n"), "the workflow may write");
    let manifests = [text("Cargo.toml"), text("plugins/axum/Cargo.toml"), text("plugins/spool/Cargo.toml")];
    for version in manifests.iter().filter_map(|text| text.split("rust-version = \"").nth(1)?.split('"').next()) {
        assert!(
            workflow.contains(&format!(" {version} ")),
            "ci.yml does not install Rust {version}, the oldest of a crate"
        );
    }
}

#[test]
fn the_page_of_examples_names_each_program_and_no_other() {
    let page = text("examples/README.md");
    let listed: BTreeSet<String> =
        page.lines().filter_map(|line| line.strip_prefix("| [")?.split(']').next().map(String::from)).collect();
    let programs: BTreeSet<String> =
        names("examples").into_iter().filter_map(|name| name.strip_suffix(".rs").map(String::from)).collect();
    assert_eq!(listed, programs, "the table of examples/README.md, and the folder");
    for name in programs {
        assert!(page.contains(&format!("| [{name}]({name}.rs) | ")), "{name}");
    }
    for folder in ["plugins/axum/examples", "plugins/spool/examples"] {
        for name in names(folder) {
            assert!(page.contains(&format!("(../{folder}/{name})")), "{folder}/{name}");
        }
    }
}

#[test]
fn the_public_api_names_types_of_few_other_crates() {
    /// Crates whose types are in ours; a new major version of one is a new major version of ours.
    const KNOWN: &[&str] = &[
        "alloc",
        "bytes",
        "core",
        "http",
        "http_body",
        "serde_core",
        "serde_json",
        "std",
        "tower_layer",
        "tower_service",
        "tracklane",
        "tracklane_axum",
        "tracklane_spool",
        // Times, each by the feature of its name.
        "chrono",
        "jiff",
        "time",
        // `Builder::runtime`.
        "tokio",
        // Only in the `Unpin` of a future.
        "pin_project_lite",
    ];
    let mut unknown = BTreeSet::new();
    for crate_name in ["tracklane", "tracklane-axum", "tracklane-spool"] {
        let list = text(&format!("api/{crate_name}.txt"));
        assert!(list.lines().count() > 10, "api/{crate_name}.txt");
        for line in list.lines() {
            // A capital is a type parameter, as in the blanket implementation of a trait.
            let crates = roots(line).filter(|root| !root.starts_with(char::is_uppercase));
            unknown.extend(crates.filter(|root| !KNOWN.contains(root)).map(|root| format!("{root} in {line:?}")));
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert_eq!(
        roots("pub fn a::B::c(&self, reqwest::Client) -> <d as e::F>::G").collect::<Vec<_>>(),
        ["a", "reqwest", "e"]
    );
    let tokio = text("api/tracklane.txt").lines().filter(|line| roots(line).any(|root| root == "tokio")).count();
    assert_eq!(tokio, 1, "only `Builder::runtime` names a type of tokio");
}

/// The crates that begin the paths in a line.
fn roots(line: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let paths = line.split(move |c| !is_path(c)).filter(|path| !path.starts_with("::"));
    let roots = paths.filter_map(|path| path.split_once("::")).map(|(root, _)| root);
    // `Item: serde_core::…` and `Error: core::…` are listed without the text between them.
    roots
        .map(|root| root.trim_start_matches("Item").trim_start_matches("Error"))
        .filter(|root| !matches!(*root, "" | "Self"))
}
