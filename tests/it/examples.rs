//! Every example is a whole program that runs offline, ends with success, and says what its page says.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The program of an example; cargo builds them for the tests, beside them.
pub(crate) fn example(name: &str) -> Command {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    folder.pop();
    let program: PathBuf = folder.join("examples").join(name);
    assert!(program.exists(), "{} is not built: run the whole `cargo test`", program.display());
    let mut command = Command::new(program);
    // The key of whoever runs the tests is not part of the examples.
    command.env_remove("TRACKLANE_WRITE_KEY").stdin(Stdio::null());
    command
}

/// Example, arguments, and what it must say.
const EXAMPLES: &[(&str, &[&str], &[&str])] = &[
    ("quickstart", &[], &["6 events delivered", "Item Purchased", "revenue", "quickstart", "alias"]),
    ("lowercase_plugin", &[], &["\"item purchased\""]),
    (
        "destination_plugin",
        &[],
        &["the warehouse is starting", "please split it", "10 rows", "10 delivered, 0 dropped"],
    ),
    ("tower_layers", &[], &["Event 12", "12 delivered"]),
    ("custom_http_client", &[], &["/v1/batch", "Basic ", "Some(\"billing\")", "POST https://api.segment.io/v1/batch"]),
    ("graceful_shutdown", &["--self"], &["SIGTERM", "100 delivered, 0 failed"]),
    ("lambda", &[], &["ada: {\"delivered\":1,\"pending\":0}", "grace: ", "2 events arrived in 2 requests"]),
    ("blocking_cli", &["Report Printed"], &["Report Printed: Delivered"]),
    ("historical_import", &[], &["1000 accepted, 1 wrong, 0 failed; 1000 arrived"]),
    ("several_clients", &[], &["\"MARKETING_WRITE_KEY\": 1 events", "\"APP_WRITE_KEY\": 3 events"]),
    ("oauth", &[], &["3 events delivered, 1 token request(s)", "authorization: Bearer a.token", "\"WRITE_KEY\""]),
    ("global_client", &[], &["1 delivered"]),
];

#[test]
fn every_example_runs_offline_and_says_what_it_should() {
    for (name, arguments, expected) in EXAMPLES {
        let output = example(name).args(*arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {}\n{text}\n{errors}", output.status);
        for words in *expected {
            assert!(text.contains(words), "{name} does not say {words:?}:\n{text}\n{errors}");
        }
    }
}

#[test]
fn every_example_of_the_folder_is_run_by_a_test() {
    let elsewhere = ["e2e_cli"];
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        let run = EXAMPLES.iter().any(|(example, ..)| *example == name) || elsewhere.contains(&name);
        assert!(run, "examples/{name}.rs is run by no test");
    }
}
