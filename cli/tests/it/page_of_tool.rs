//! docs/TOOL.md: every command is there, and every example runs.

use std::path::Path;

use crate::support::{Dev, Folder, run, stderr, stdout, tracklane};

const PAGE: &str = include_str!("../../../docs/TOOL.md");

/// The lines of the page's examples.
fn examples() -> Vec<&'static str> {
    let blocks = PAGE.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn the_page_has_every_command_with_an_example() {
    let help = stdout(&run(&["--help"]));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> =
        commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.len() == 16, "{names:?}");
    for name in names {
        let is_heading =
            |line: &str| line.strip_prefix("## ").is_some_and(|title| title.split(", ").any(|one| one == name));
        assert!(PAGE.lines().any(is_heading), "docs/TOOL.md has no section on {name}");
        let has = |line: &&str| line.contains(&format!("tracklane {name}"));
        assert!(examples().iter().any(has), "docs/TOOL.md has no example of {name}");
    }
}

#[test]
fn every_example_runs() {
    let folder = Folder::new("page");
    folder.write("plan.json", r#"{"name":"Shop","rules":[{"type":"track","key":"Order Completed","jsonSchema":{}}]}"#);
    folder.write("orders.csv", "id,Total\n42,39.95\n");
    folder.write(
        "events.jsonl",
        "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"42\",\"properties\":{\"total\":39.95}}\n",
    );
    folder.write(
        "gateway.toml",
        "[log.disk]\ndirectory = \"log\"\n[sources.web]\nkeys = [\"KEY\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"console\"\n",
    );
    let dev = Dev::start(&[]);
    dev.post("/v1/identify", r#"{"userId":"42"}"#);
    dev.track("Order Completed", r#""properties":{"total":39.95}"#);
    let binary = Path::new(env!("CARGO_BIN_EXE_tracklane")).parent().unwrap().to_str().unwrap().to_owned();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap());
    let mut ran = 0;
    // Those that need NATS run in `jetstream.rs`.
    let needs_nats =
        |line: &&str| ["--create-streams", "tracklane worker", "tracklane park"].iter().any(|it| line.contains(it));
    for example in examples().into_iter().filter(|line| !needs_nats(line)) {
        // A server ends when its program does.
        let serves = example.starts_with("tracklane dev") && !example.contains("--exec");
        let line = match example.strip_prefix("tracklane dev") {
            Some(rest) if serves => format!("tracklane dev --port 0{rest} --exec -- true"),
            Some(rest) => format!("tracklane dev --port 0{rest}"),
            None => example.to_owned(),
        };
        let mut shell = std::process::Command::new("sh");
        for (name, _) in tracklane().get_envs() {
            shell.env_remove(name);
        }
        let shell = shell.args(["-c", &line]).current_dir(folder.path("")).env("PATH", &path);
        let output = shell.env("TRACKLANE_HOST", &dev.url).env("TRACKLANECTL_URL", &dev.url).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}\n{}{}", stdout(&output), stderr(&output));
        ran += 1;
    }
    assert!(ran > 20, "{ran}");
}

#[test]
fn the_exit_codes_of_the_page_are_those_of_the_code() {
    let source = include_str!("../../src/exit.rs");
    for row in PAGE.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit()) {
        let code = row.split_whitespace().nth(1).unwrap();
        assert!(source.contains(&format!("=> {code},")), "{row}");
    }
}

/// The helper for JavaScript, in Node itself.
#[test]
fn the_helper_of_the_page_returns_the_numbers_of_events_and_the_events() {
    if std::process::Command::new("node").arg("--version").output().is_err() {
        return eprintln!("skipped: there is no node in PATH");
    }
    let helper = PAGE.split("```js\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = Folder::new("helper");
    folder.write("helper.mjs", helper);
    let script = folder.write(
        "test.mjs",
        "import { expectEvents, eventOf } from './helper.mjs'\n\
         const expected = { event: 'Order Completed', properties: { total: { $gt: 10 } } }\n\
         const numbers = await expectEvents({ all: [expected], withinMs: 5000 })\n\
         const event = await eventOf(numbers[0])\n\
         const missing = await expectEvents({ all: [{ event: 'No' }], withinMs: 1 }).catch((error) => error.message)\n\
         console.log(JSON.stringify([numbers, event.properties, missing.split('\\n')[0]]))\n",
    );
    let dev = Dev::start(&[]);
    dev.post("/v1/identify", r#"{"userId":"42"}"#);
    dev.track("Order Completed", r#""properties":{"total":39.95}"#);
    let output = std::process::Command::new("node").arg(script).env("TRACKLANECTL_URL", &dev.url).output().unwrap();
    let said: serde_json::Value =
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    assert_eq!((&said[0], &said[1]), (&serde_json::json!([2]), &serde_json::json!({ "total": 39.95 })));
    assert!(said[2].as_str().unwrap().contains("did not arrive"), "{said}");
}
