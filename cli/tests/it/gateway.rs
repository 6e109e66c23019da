//! `tracklane gateway`, `lag` and `dead`, as an operator uses them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracklane::testing::{Reply, TrackingApi};

use crate::support::{Folder, SOON, run, stdout, tracklane};

/// A gateway in a process of its own.
struct Gateway {
    child: Child,
    address: String,
}

impl Gateway {
    fn start(config: &str) -> Self {
        let mut command = tracklane();
        let command = command.args(["gateway", "--json", "--config", config]).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&ready["schema"], &ready["ready"]), (&1.into(), &true.into()));
        Self { child, address: ready["addresses"][0].as_str().unwrap().to_owned() }
    }

    /// The answer to a batch of these events.
    fn post(&self, events: &str) -> String {
        let body = format!(r#"{{"writeKey":"K","batch":[{events}]}}"#);
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn event(id: &str) -> String {
    format!(r#"{{"type":"track","event":"E","userId":"u","messageId":"{id}"}}"#)
}

fn lines(arguments: &[&str]) -> Vec<Value> {
    stdout(&run(arguments)).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn doctor_of_a_gateway_does_not_ask_for_the_key_of_a_service() {
    let folder = Folder::new("doctor-gateway");
    let config = folder.write(
        "gateway.toml",
        "[log.disk]\ndirectory = \"log\"\n[sources.shop]\nkeys = [\"K\"]\npipeline = \"main\"\n\
         [[pipelines.main.destinations]]\nplugin = \"console\"\n",
    );
    let found = tracklane().args(["doctor", "--gateway", &config]).env_remove("TRACKLANE_WRITE_KEY").output().unwrap();
    assert_eq!(found.status.code(), Some(0), "{}", stdout(&found));
    assert!(stdout(&found).contains("gateway-log: ") && !stdout(&found).contains("write-key"), "{}", stdout(&found));
    let both = run(&["doctor", "--gateway", &config, "--write-key", "K", "--host", "http://127.0.0.1:9"]);
    assert!(stdout(&both).contains("gateway-log: ") && stdout(&both).contains("write-key: "), "{}", stdout(&both));
}

#[test]
fn what_was_refused_is_listed_shown_sent_again_and_dropped() {
    let (folder, api) = (Folder::new("gateway-dead"), TrackingApi::start().unwrap());
    api.reply_with(|request| match request.events().iter().any(|event| event["messageId"] == "bad") {
        true => Reply::status(400),
        false => Reply::as_segment(),
    });
    let config = folder.write(
        "gateway.toml",
        &format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n[log.disk]\ndirectory = {:?}\n\
             [sources.web]\nkeys = [\"K\"]\npipeline = \"main\"\n[[pipelines.main.destinations]]\nplugin = \"segment\"\n\
             settings = {{ write_key = \"k\", host = {:?}, flush_at = 1 }}\n",
            folder.path("log"),
            api.url(),
        ),
    );
    let dead = |arguments: &[&str]| lines(&[&["dead"], arguments, &["--json", "--config", &config]].concat());
    let gateway = Gateway::start(&config);
    assert!(gateway.post(&event("good")).contains("{\"success\":true}"));
    wait_until("the first arrived", || api.events().len() == 1);
    assert!(gateway.post(&format!("{},{}", event("bad"), r#"{"type":"nothing"}"#)).contains("\"rejected\""));
    wait_until("it is dead", || dead(&["list", "--in", "main/Segment.io"]).len() == 1);

    let listed = dead(&["list"]);
    let of = |place: &str| listed.iter().find(|line| line["where"] == place).unwrap_or_else(|| panic!("{listed:?}"));
    assert_eq!(of("main/Segment.io")["messageId"], "bad");
    assert_eq!(of("main/Segment.io")["reason"], "rejected");
    assert!(of("main/Segment.io")["error"].as_str().unwrap().contains("400"), "{listed:?}");
    assert_eq!(of("rejected/web")["reason"], "invalid-event");
    assert_eq!(dead(&["show", "bad"])[0]["event"]["userId"], "u");
    let lag = lines(&["lag", "--json", "--config", &config]);
    let main = lag.iter().find(|line| line["where"] == "main/Segment.io").unwrap();
    assert_eq!((&main["waiting"], &main["dead"]), (&0.into(), &1.into()));

    api.reply_with(|_| Reply::as_segment());
    assert_eq!(run(&["dead", "replay", "--all", "--config", &config]).status.code(), Some(0));
    wait_until("the gateway found it", || api.events().iter().any(|event| event["messageId"] == "bad"));
    assert_eq!(dead(&["list", "--in", "main/Segment.io"]).len(), 0);
    assert_eq!(run(&["dead", "drop", "--all", "--config", &config]).status.code(), Some(0));
    assert_eq!(dead(&["list"]).len(), 0);
}
