//! Checking a file, and changing it while the gateway runs.

use std::io::Write;
use std::net::TcpStream;

use tracklane_gateway::Gateway;

use crate::support::{DESTINATION, Running, catalog, plain, wait_until};

const TRACK: &str = r#"{"type":"track","event":"E","userId":"u"}"#;

fn status_with(gateway: &Running, key: &str) -> u16 {
    gateway.post("/v1/batch", &format!(r#"{{"writeKey":"{key}","batch":[{TRACK}]}}"#)).status
}

#[test]
fn a_check_makes_every_plugin_and_names_what_is_wrong() {
    let gateway = Running::plain();
    let check = |config: &str| {
        gateway.rewrite(config);
        Gateway::check(gateway.path(), &catalog(&gateway.sink)).map_err(|error| error.to_string())
    };
    assert_eq!(check(&plain("", "")), Ok(()));
    let plugin = |text: &str| plain("", &format!("[[pipelines.main.plugins]]\n{text}\n"));
    let named =
        |name: &str, rest: &str| plain("", "").replace("plugin = \"sink\"", &format!("plugin = {name:?}{rest}"));
    let segment = |rest: &str| named("segment", rest);
    for (config, line, expected) in [
        (plugin("plugin = \"redcat\""), 13, "there is no plugin \"redcat\"; there are: as-told, enrich, plan, redact"),
        (plugin("plugin = \"redact\"\nsettings = { pathes = [] }"), 14, "unknown field `pathes`, expected one of"),
        (plugin("plugin = \"sampling\"\nsettings = { rate = 7.0 }"), 13, "7"),
        (plain("", "").replace("\"sink\"", "\"snik\""), 14, "there is no destination \"snik\"; there are: amplitude, "),
        (format!("{}{DESTINATION}", plain("", "")), 17, "two destinations are named \"sink\""),
        (segment("\nsettings = { write_key = 5 }"), 15, "invalid type: integer `5`, expected a string"),
        (segment(""), 13, "missing field `write_key`"),
        (segment("\n[pipelines.main.destinations.settings]\nwrite_key = \"k\"\nhost = \"ftp://h\""), 17, "host"),
        (named("webhook", "\n[pipelines.main.destinations.settings]\nunsigned = true\nurl = \"http://h\""), 17, "url"),
        (named("rudderstack", "\nsettings = { write_key = \"k\" }"), 15, "missing field `data_plane`"),
        (named("ga4", "\nsettings = { api_secrets = \"k\" }"), 15, "unknown field `api_secrets`, expected one of"),
    ] {
        let error = check(&config).unwrap_err();
        assert!(
            error.contains(&format!("gateway.toml:{line}: ")) && error.contains(expected),
            "{error}\n{line}: {expected}"
        );
    }
    let plugins =
        plugin("plugin = \"redcat\"\n[[pipelines.main.plugins]]\nplugin = \"sampling\"\nsettings = { rate = 7.0 }");
    let error = check(&plugins.replace("\"sink\"", "\"snik\"")).unwrap_err();
    for expected in ["there is no plugin \"redcat\"", "there is no destination \"snik\"", "rate"] {
        assert!(error.contains(expected) && error.lines().count() == 3, "{expected}: {error}");
    }
    let settings = "\nsettings = { write_key = \"hunter2\", host = \"ftp://h\", flush_at = 0 }";
    let error = check(&segment(settings)).unwrap_err();
    for (line, expected) in error.lines().zip(["setting flush_at is 0", "setting host"]) {
        assert!(line.contains("gateway.toml:15: ") && line.contains(expected), "{expected}: {error}");
    }
    assert!(error.lines().count() == 2 && !error.contains("hunter2"), "{error}");
}

#[test]
fn a_changed_file_is_in_force_soon_and_a_wrong_one_is_not() {
    let gateway = Running::plain();
    assert_eq!((status_with(&gateway, "K"), status_with(&gateway, "NEW")), (200, 401));
    gateway.rewrite(&plain("", "").replace("\"K\"", "\"K\", \"NEW\""));
    wait_until("the new key is known", || status_with(&gateway, "NEW") == 200);
    gateway.rewrite("this is no configuration");
    wait_until("it is said", || gateway.metric("tracklane_gateway_config_current") == Some(0.0));
    assert_eq!((status_with(&gateway, "K"), status_with(&gateway, "NEW")), (200, 200), "the one before is in force");
    gateway.rewrite(&plain("", "").replace("\"K\"", "\"NEW\""));
    wait_until("the old key is not known any more", || status_with(&gateway, "K") == 401);
    assert_eq!(gateway.metric("tracklane_gateway_config_current"), Some(1.0));
}

/// Sets it at its end.
struct Ends<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Release);
    }
}

#[test]
fn a_change_of_sources_costs_no_request_and_one_of_a_pipeline_loses_nothing() {
    let gateway = Running::plain();
    let sent = std::sync::atomic::AtomicUsize::new(0);
    let done = std::sync::atomic::AtomicBool::new(false);
    let refused = std::thread::scope(|scope| {
        // Also when the test fails.
        let ends = Ends(&done);
        let sender = scope.spawn(|| {
            let mut refused = Vec::new();
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                match status_with(&gateway, "K") {
                    200 => drop(sent.fetch_add(1, std::sync::atomic::Ordering::AcqRel)),
                    status => refused.push(status),
                }
            }
            refused
        });
        for limit in 1..=3 {
            gateway.rewrite(
                &plain(&format!("events_per_second = {limit}000000"), "")
                    .replace("\"K\"", &format!("\"K\", \"K{limit}\"")),
            );
            wait_until("the sources are in force", || status_with(&gateway, &format!("K{limit}")) == 200);
            sent.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        }
        let plugin = "[[pipelines.main.plugins]]\nplugin = \"as-told\"\n";
        gateway.rewrite(&plain("", plugin).replace("\"K\"", "\"K\", \"WITH PLUGIN\""));
        wait_until("the pipeline is in force", || status_with(&gateway, "WITH PLUGIN") == 200);
        sent.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        drop(ends);
        sender.join().unwrap()
    });
    assert!(
        refused.iter().all(|status| *status == 429),
        "while a pipeline is replaced, events are to come again: {refused:?}"
    );
    let sent = sent.load(std::sync::atomic::Ordering::Acquire);
    gateway.arrived(sent);
    assert_eq!(gateway.sink.events().len(), sent, "each arrived once");
}

#[test]
fn what_needs_a_restart_is_said_and_changes_nothing() {
    let gateway = Running::plain();
    let text = std::fs::read_to_string(gateway.path()).unwrap();
    std::fs::write(gateway.path(), text.replace("[server]", "[server]\nmax_connections = 7")).unwrap();
    wait_until("it is said", || gateway.metric("tracklane_gateway_config_current") == Some(0.0));
    assert_eq!(status_with(&gateway, "K"), 200);
    // A connection that is open is served as before.
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
}

#[test]
fn a_log_that_cannot_be_written_is_an_error_of_the_start() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let config = directory.path().join("gateway.toml");
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n[log.disk]\ndirectory = {:?}\n",
        file.join("log")
    );
    std::fs::write(&config, text + &plain("", "")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let started = runtime.block_on(Gateway::start(&config, catalog(&crate::support::Sink::default())));
    let error = started.expect_err("there is no such folder").to_string();
    assert!(error.starts_with("the log cannot be written to ") && error.contains("a-file"), "{error}");
}
