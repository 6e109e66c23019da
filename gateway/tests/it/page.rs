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
    let [first, jetstream, whole] = blocks("toml")[..] else { panic!("three blocks are expected") };
    // That of the log in JetStream stands in the place of that on the disk.
    let (before, after) = whole.split_once("[log.disk]").unwrap();
    let (_, after) = after.split_once("\n[").unwrap();
    let jetstream = format!("{before}{jetstream}\n[{after}");
    for file in [first, &jetstream, whole] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("gateway.toml");
        std::fs::write(&path, file.replace("${", "").replace("_KEY}", "_KEY").replace("_PASSWORD}", "_PASSWORD"))
            .unwrap();
        Gateway::check(&path, &Catalog::stock()).unwrap_or_else(|error| panic!("{error}\n{file}"));
    }
}

/// The rows of the table with this head: a name, and an example of settings.
fn examples(head: &str) -> Vec<(&'static str, &'static str)> {
    let table = PAGE.split(head).nth(1).unwrap().split("\n\n").next().unwrap();
    let example = |row: &'static str| {
        let mut codes = row.split('`').skip(1).step_by(2);
        (codes.next().unwrap(), codes.find(|code| code.starts_with('{')).unwrap())
    };
    table.lines().filter(|row| row.contains('`')).map(example).collect()
}

/// The names that the catalog says it has.
fn names(list: &str, config: impl Fn(&str, &str, &str) -> Result<(), String>) -> BTreeSet<String> {
    let error = config(list, "no-such", "{}").unwrap_err();
    error.rsplit("there are: ").next().unwrap().split(", ").map(str::to_owned).collect()
}

/// The example with its variables as an operator would have set them.
fn with_variables(example: &str) -> String {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut text = example
        .replace("${POSTGRES_URL}", "postgres://tracklane:secret@localhost/analytics")
        .replace("${WEBHOOK_SECRET}", secret);
    while let Some((before, rest)) = text.split_once("${") {
        text = format!("{before}SECRET{}", rest.split_once('}').unwrap().1);
    }
    text
}

#[test]
fn every_name_of_the_page_builds_from_its_example_and_no_name_is_missing() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("gateway.toml");
    let plan = directory.path().join("tracking-plan.json");
    let rule = r#"{"rules":[{"type":"TRACK","key":"Order Completed","version":1,"jsonSchema":{"type":"object"}}]}"#;
    std::fs::write(&plan, rule).unwrap();
    let check = |list: &str, name: &str, settings: &str| {
        let settings = with_variables(settings).replace("tracking-plan.json", plan.to_str().unwrap());
        let other = if list == "plugins" { "[[pipelines.main.destinations]]\nplugin = \"console\"\n" } else { "" };
        let text = format!(
            "[log.disk]\ndirectory = \"log\"\n[sources.web]\nkeys = [\"K\"]\npipeline = \"main\"\n\
             [[pipelines.main.{list}]]\nplugin = {name:?}\nsettings = {settings}\n{other}"
        );
        std::fs::write(&path, text).unwrap();
        Gateway::check(&path, &Catalog::stock()).map_err(|error| error.to_string())
    };
    for (list, head) in [
        ("plugins", "| plugin | what it does | settings, for example |"),
        ("destinations", "| destination | settings, for example |"),
    ] {
        let examples = examples(head);
        for (name, settings) in &examples {
            check(list, name, settings).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let shown: BTreeSet<String> = examples.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(shown, names(list, check), "{list}");
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
            // These are there with the log in JetStream.
            "tracklane_gateway_jetstream_…" | "tracklane_worker_…" => {}
            name => drop(named.insert(name.to_owned())),
        }
    }
    assert_eq!(named, there);
}
