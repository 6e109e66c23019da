//! Every example is a whole program: it runs offline, exits with success, and prints what its page says.

use crate::support::example;

/// An example, its arguments, and the expected output.
const EXAMPLES: &[(&str, &[&str], &[&str])] = &[
    ("quickstart", &[], &["6 events delivered", "Item Purchased", "revenue", "quickstart", "alias"]),
    ("lowercase_plugin", &[], &["\"item purchased\""]),
    (
        "destination_plugin",
        &[],
        &["the warehouse is starting", "please split it", "10 rows", "10 delivered, 0 dropped"],
    ),
    ("tower_layers", &[], &["Event 12", "12 delivered, 0 dropped"]),
    ("custom_http_client", &[], &["/v1/batch", "Basic ", "Some(\"billing\")", "POST https://api.segment.io/v1/batch"]),
    ("graceful_shutdown", &["--self"], &["SIGTERM", "100 delivered, 0 failed"]),
    (
        "lambda",
        &[],
        &["ada: {\"delivered\":1,\"failed\":0,\"pending\":0}", "grace: ", "2 events arrived in 2 requests"],
    ),
    ("blocking_cli", &["Report Printed"], &["Report Printed: delivered"]),
    ("historical_import", &[], &["1000 accepted, 0 wrong, 1000 delivered, 0 failed", "1000 arrived"]),
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
fn an_import_names_the_lines_that_are_wrong() {
    let path = std::env::temp_dir().join(format!("tracklane-import-{}.jsonl", std::process::id()));
    let event = r#"{"type": "track", "event": "Order Completed", "userId": "u1"}"#;
    std::fs::write(&path, format!("{event}\nnonsense\n{{\"type\": \"track\", \"userId\": \"u1\"}}\n\n{event}\n"))
        .unwrap();
    let output = example("historical_import").arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();

    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(text.contains("2 accepted, 2 wrong, 2 delivered, 0 failed"), "{text}");
    assert!(errors.contains("line 2: not an event") && errors.contains("line 3: "), "{errors}");
}

#[test]
fn what_a_user_got_wrong_is_said_in_words() {
    for (name, arguments, said) in [
        ("historical_import", &["missing.jsonl"][..], "cannot read missing.jsonl: "),
        ("historical_import", &["--write-key", "KEY"], "which file?"),
        ("blocking_cli", &[""], "event"),
        ("graceful_shutdown", &["nowhere"], "host is \"nowhere\""),
        ("quickstart", &["--write-key", ""], "write_key"),
    ] {
        let output = example(name).args(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {errors}");
        assert!(errors.contains(said) && !errors.contains("Error"), "{name}: {errors}");
    }
}

#[test]
fn every_example_of_the_folder_is_run_by_a_test() {
    let elsewhere = ["e2e_cli"];
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".rs") else { continue };
        let run = EXAMPLES.iter().any(|(example, ..)| *example == name) || elsewhere.contains(&name);
        assert!(run, "examples/{name}.rs is run by no test");
    }
}
