//! The other commands: exit codes, forms of output, pipes.

use std::io::{Read, Write};
use std::process::Stdio;

use tracklane::testing::{Reply, TrackingApi};

use crate::support::{Dev, Folder, run, stderr, stdout, tracklane};

const GOOD: &str = "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\"}\n";
const BAD: &str = "{\"type\":\"track\",\"event\":\"E\"}\n";
const GATEWAY: &str =
    "[sources.web]\nkeys = [\"K\"]\npipeline = \"main\"\n[[pipelines.main.destinations]]\nplugin = \"console\"\n";
const SMELLY: &str = "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"properties\":{\"total\":\"7\"}}\n";

#[test]
fn every_command_ends_with_the_code_of_its_kind() {
    let folder = Folder::new("codes");
    let (good, bad) = (folder.write("good.jsonl", GOOD), folder.write("bad.jsonl", BAD));
    let gateway = format!("[log.disk]\ndirectory = {:?}\n{GATEWAY}", folder.path("log"));
    let (wrong, gateway) = (folder.write("wrong.toml", "[server"), folder.write("gateway.toml", &gateway));
    let table: &[(&[&str], i32)] = &[
        (&["--version"], 0),
        (&["--help"], 0),
        (&[], 2),
        (&["fly"], 2),
        (&["check", &good], 0),
        (&["check", &bad], 1),
        (&["check", &bad, "--max-findings", "1"], 0),
        (&["check", "/no/such/file"], 3),
        (&["check", &good, "--plan", "/no/such/plan"], 3),
        (&["check", &good, "--format", "xml"], 2),
        (&["import", "/no/such/file"], 3),
        (&["import", &good, "--rate", "x"], 2),
        (&["import", &good, "--dry-run"], 0),
        (&["import", &bad, "--dry-run"], 1),
        (&["replay", "/no/such/file"], 3),
        (&["replay", &good, "-q", "level:x"], 2),
        (&["replay", &good, "--dry-run"], 0),
        (&["send", "fly"], 2),
        (&["send", "track", "--event", "E", "--set", "x"], 2),
        (&["tail", &good], 0),
        (&["tail", &good, "--until", "name:Other"], 1),
        (&["tail", "--url", "http://127.0.0.1:9"], 3),
        (&["tail", "--url", "ftp://x"], 2),
        (&["dev", "--keep", "much"], 2),
        (&["dev", "--plan", "/no/such/plan"], 3),
        (&["dev", "--record", "/no/such/folder/file"], 3),
        (&["gateway", "--check", "--config", "/no/such/file"], 3),
        (&["gateway", "--config", &wrong], 3),
        (&["gateway", "--check", "--config", &gateway], 0),
        (&["lag", "--config", &gateway], 0),
        (&["lag", "--config", &wrong], 3),
        (&["dead", "list", "--config", &gateway], 0),
        (&["dead", "list", "--in", "nowhere", "--config", &gateway], 2),
        (&["dead", "show", "--config", &gateway], 2),
        (&["dead", "drop", "no-such-id", "--config", &gateway], 1),
        (&["dead", "replay", "--all", "--config", &gateway], 0),
        (&["completions", "bash"], 0),
        (&["completions", "tcsh"], 2),
        (&["man"], 0),
    ];
    for (arguments, code) in table {
        let output = run(arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {said}");
        if *code == 3 {
            assert!(said.lines().count() == 1 && said.starts_with("tracklane: "), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn check_names_file_line_and_rule_in_every_form() {
    let folder = Folder::new("check");
    let file = folder.write("a&b.jsonl", &format!("{GOOD}\n{BAD}{SMELLY}not json\n"));
    let check = |arguments: &[&str]| {
        let mut all = vec!["check", file.as_str()];
        all.extend(arguments);
        stdout(&run(&all))
    };
    let text = check(&[]);
    assert!(text.contains(":3: discarded user-id-missing: "), "{text}");
    assert!(
        text.contains(":4: smell number-as-text: properties.total") && text.contains(":5: refused malformed-json"),
        "{text}"
    );
    assert!(text.ends_with("4 events, 3 findings\n") && !text.contains('\u{1b}'), "{text}");
    let json: Vec<serde_json::Value> =
        check(&["--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&json[0]["line"], &json[0]["schema"], json.len()), (&3.into(), &1.into(), 4));
    let junit = check(&["--format", "junit"]);
    assert!(
        junit.starts_with("<?xml") && junit.contains("tests=\"4\" failures=\"3\"") && junit.contains("a&amp;b.jsonl:3"),
        "{junit}"
    );
    let github = check(&["--format", "github"]);
    assert!(
        github.contains("::error file=") && github.contains(",line=4,title=number-as-text::properties.total"),
        "{github}"
    );
    assert!(check(&["--level", "discarded"]).ends_with("4 events, 2 findings\n"));
    assert!(check(&["--level", "refused"]).ends_with("4 events, 1 findings\n"));
}

#[test]
fn check_reads_standard_input() {
    let mut child = tracklane().args(["check", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(BAD.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("-:1: "), "{}", stdout(&output));
}

#[test]
fn send_makes_the_call_that_its_options_say() {
    let dev = Dev::start(&[]);
    let send = |arguments: &[&str]| {
        let mut all = vec!["send", "--host", &dev.url];
        all.extend(arguments);
        run(&all)
    };
    let sent = send(&[
        "track",
        "--event",
        "Order Completed",
        "--user-id",
        "42",
        "-s",
        "properties.total:number=39.95",
        "--message-id",
        "m-1",
    ]);
    assert_eq!((sent.status.code(), stdout(&sent).starts_with("m-1 delivered")), (Some(0), true), "{}", stderr(&sent));
    // As Segment's tester of SDKs calls it.
    let as_tester =
        send(&["--type", "identify", "--writeKey", "K", "--userId", "42", "--traits", "{\"plan\":\"Pro\"}"]);
    assert_eq!(as_tester.status.code(), Some(0), "{}", stderr(&as_tester));
    let event = dev.get("events/1")["event"].clone();
    assert_eq!((&event["event"], &event["properties"]["total"]), (&"Order Completed".into(), &39.95.into()));
    assert_eq!(dev.get("events/2")["head"]["key"], "K");
    let refused = send(&["track", "--event", "Nobody's"]);
    assert!(refused.status.code() == Some(1) && stderr(&refused).contains("userId"), "{}", stderr(&refused));
}

#[test]
fn send_says_what_the_host_said() {
    let api = TrackingApi::start().unwrap();
    api.set_default(Reply::status(400));
    let output = run(&["send", "page", "--user-id", "u", "--host", &api.url(), "--write-key", "K", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let line: serde_json::Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    assert!(line["delivered"] == false && line["error"].as_str().unwrap().contains("400"), "{line}");
    api.set_default(Reply::hang());
    let slow = run(&["send", "page", "--user-id", "u", "--host", &api.url(), "--write-key", "K", "--timeout", "100ms"]);
    assert_eq!(slow.status.code(), Some(4), "{}", stderr(&slow));
}

#[test]
fn send_says_in_plain_words_what_happened_and_what_to_do() {
    let api = TrackingApi::start().unwrap();
    let gone = "http://127.0.0.1:1".to_owned();
    let url = api.url();
    for (status, host, timeout, code, said, remedy) in [
        (503, &url, "1s", 4, "answered 503 Service Unavailable: it cannot take events now", "Try again later"),
        (429, &url, "1s", 4, "answered 429 Too Many Requests: it takes no more events for now", "--timeout"),
        (401, &url, "9s", 1, "answered 401 Unauthorized: it refuses the write key", "Check --write-key"),
        (404, &url, "9s", 1, "answered 404 Not Found: it has no tracking API there", "Check --host"),
        (301, &url, "9s", 1, "answered 301 Moved Permanently, and redirects are not followed", "into --host"),
        (400, &url, "9s", 1, "answered 400 Bad Request: it refuses the event", "tracklane check"),
        (200, &gone, "1s", 4, "cannot reach http://127.0.0.1:1: connection refused", "tracklane dev"),
    ] {
        api.set_default(Reply::status(status));
        let output = run(&["send", "page", "--user-id", "u", "--host", host, "--write-key", "K", "--timeout", timeout]);
        let told = stderr(&output);
        let lines: Vec<&str> = told.lines().filter(|line| line.contains("was not delivered")).collect();
        assert_eq!((output.status.code(), lines.len()), (Some(code), 1), "{status} {host}: {told}");
        let line = lines[0].to_lowercase();
        assert!(
            line.contains(&said.to_lowercase()) && line.contains(&remedy.to_lowercase()),
            "{status} {host}: {told}"
        );
    }
}

/// Nobody waits for a minute in silence.
#[test]
fn what_is_tried_again_is_said_at_once_by_every_command_that_sends() {
    let folder = Folder::new("down");
    let file = folder.write("events.jsonl", "{\"type\":\"page\",\"userId\":\"u\"}\n");
    let target = ["--host", "http://127.0.0.1:1", "--write-key", "K"];
    for command in [&["send", "page", "--user-id", "u", "--timeout", "1s"][..], &["replay", &file, "--timeout", "1s"]] {
        let output = run(&[command, &target].concat());
        let told = stderr(&output);
        let said =
            told.lines().any(|line| line.contains("cannot reach http://127.0.0.1:1") && line.contains("tried again"));
        assert!(said, "{command:?}: {told}");
    }
}

#[test]
fn tail_says_what_kinds_there_are() {
    let folder = Folder::new("kinds");
    let file = folder.write("events.jsonl", "{\"type\":\"page\",\"userId\":\"u\"}\n");
    for arguments in [["tail", &file, "--filter", "kind:trak"], ["replay", &file, "--filter", "kind:trak"]] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let said = "kind is one of track, identify, page, screen, group, alias; did you mean track?";
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new("pipe");
    let file = folder.write("bad.jsonl", &BAD.repeat(50_000));
    let mut child = tracklane()
        .args(["check", &file, "--show", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 100]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
}

#[test]
fn completions_and_manual_name_every_command() {
    let commands = [
        "dev",
        "send",
        "import",
        "tail",
        "replay",
        "check",
        "expect",
        "bench",
        "doctor",
        "gateway",
        "worker",
        "lag",
        "dead",
        "park",
        "completions",
        "man",
    ];
    for shell in ["bash", "zsh", "fish"] {
        let text = stdout(&run(&["completions", shell]));
        assert!(commands.iter().all(|command| text.contains(command)), "{shell}");
    }
    let bash = stdout(&run(&["completions", "bash"]));
    let mut syntax = std::process::Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    syntax.stdin.take().unwrap().write_all(bash.as_bytes()).unwrap();
    assert!(syntax.wait().unwrap().success());
    let folder = Folder::new("man");
    assert!(run(&["man", "--dir", &folder.path("pages")]).status.success());
    assert!(
        commands
            .iter()
            .all(|command| std::path::Path::new(&folder.path(&format!("pages/tracklane-{command}.1"))).exists())
    );
}

#[test]
fn bench_sends_at_its_rate_and_loads_no_machine_that_was_not_named_twice() {
    let dev = Dev::start(&[]);
    let bench = |arguments: &[&str]| {
        let all = [&["bench", "--host", &dev.url, "--for", "500ms", "--json"][..], arguments].concat();
        let ran = run(&all);
        assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
        serde_json::from_str::<serde_json::Value>(&stdout(&ran)).unwrap()
    };
    let paced = bench(&["--rate", "400", "--batch", "20"]);
    assert_eq!(paced["events"], 200, "a request each 50 ms, from the first moment on: {paced}");
    assert_eq!((dev.received(), &paced["failed"]), (200, &0.into()));
    assert!(paced["micros"]["p99"].as_f64() > Some(0.0) && paced["machine"]["cores"].as_u64() > Some(0), "{paced}");
    let library = bench(&["--library", "--rate", "500"]);
    let events = library["events"].as_u64().unwrap();
    assert!(dev.received() == 200 + events && (200..=250).contains(&events), "{library}");
    let fast = bench(&["--connections", "2"]);
    assert_eq!(dev.received(), 200 + events + fast["events"].as_u64().unwrap());
    assert_eq!(dev.get("findings")["groups"], serde_json::json!([]), "the events are as they should be");
    for (arguments, said) in [
        (&["--host", "http://203.0.113.7"][..], "--host-is-mine 203.0.113.7"),
        (&["--host", "https://api.segment.io"], "no URL that begins with http://"),
    ] {
        let refused = run(&[&["bench"], arguments].concat());
        assert!(refused.status.code() == Some(2) && stderr(&refused).contains(said), "{}", stderr(&refused));
    }
}

#[test]
fn send_edit_sends_what_the_editor_leaves() {
    let (dev, folder) = (Dev::start(&[]), Folder::new("edit"));
    let send = |editor: &str| {
        let arguments = ["send", "track", "--edit", "--user-id", "42", "--host", &dev.url];
        tracklane().args(arguments).env("VISUAL", "").env("EDITOR", editor).output().unwrap()
    };
    let sent = send("sed -i s/\"event\":.*,/\"event\":\"Edited\",/");
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let event = &dev.get("events/1")["event"];
    assert_eq!((&event["event"], &event["userId"]), (&"Edited".into(), &"42".into()));
    let nonsense = folder.write("nonsense.sh", "echo nonsense > $1");
    for (editor, code, said) in [
        (format!("sh {nonsense}"), 2, "not JSON"),
        ("false".to_owned(), 3, "nothing was sent"),
        ("/no/such/editor".to_owned(), 3, "cannot run"),
        (" ".to_owned(), 2, "set VISUAL or EDITOR"),
    ] {
        let failed = send(&editor);
        assert_eq!(failed.status.code(), Some(code), "{editor}: {}", stderr(&failed));
        assert!(stderr(&failed).contains(said), "{editor}: {}", stderr(&failed));
    }
    assert_eq!(dev.received(), 1);
}

#[test]
fn doctor_names_what_is_wrong_and_what_to_do() {
    let dev = Dev::start(&[]);
    let folder = Folder::new("doctor");
    let healthy = run(&["doctor", "--host", &dev.url, "--write-key", "K", "--spool", &folder.path("")]);
    assert_eq!(healthy.status.code(), Some(0), "{}", stdout(&healthy));
    for id in ["settings", "write-key", "dns", "connection", "clock", "spool", "port", "local-network"] {
        assert!(stdout(&healthy).contains(&format!(" {id}: ")), "no {id} in {}", stdout(&healthy));
    }
    assert!(stdout(&healthy).contains("cannot be seen from outside"), "{}", stdout(&healthy));
    let ill = tracklane().args(["doctor", "--offline"]).env("TRACKLANE_FLUSH_ATT", "7").output().unwrap();
    assert_eq!(ill.status.code(), Some(1));
    assert!(stdout(&ill).contains("TRACKLANE_FLUSH_ATT"), "{}", stdout(&ill));
    let unreachable = run(&["doctor", "--host", "http://127.0.0.1:9", "--write-key", "K", "--json"]);
    assert!(stdout(&unreachable).lines().any(|line| line.contains("\"connection\"") && line.contains("\"wrong\"")));
}

#[test]
fn doctor_looks_at_the_clock_and_at_tls() {
    let api = TrackingApi::start().unwrap();
    api.set_default(Reply::ok().header("date", "Sun, 06 Nov 1994 08:49:37 GMT"));
    let late = run(&["doctor", "--host", &api.url(), "--write-key", "K"]);
    assert_eq!(late.status.code(), Some(1), "{}", stdout(&late));
    assert!(stdout(&late).contains("clock: ") && stdout(&late).contains("s apart"), "{}", stdout(&late));
    // Nobody speaks TLS there.
    let host = api.url().replace("http://", "https://");
    let plain = run(&["doctor", "--host", &host, "--write-key", "K"]);
    assert!(plain.status.code() == Some(1) && stdout(&plain).contains("wrong  tls: "), "{}", stdout(&plain));
    assert!(stdout(&plain).contains("certificate"), "{}", stdout(&plain));
}

#[test]
fn a_spool_can_be_looked_into() {
    let folder = Folder::new("spool");
    std::fs::create_dir_all(folder.path("0000")).unwrap();
    let event = GOOD.replace('}', ",\"messageId\":\"m-1\"}");
    folder.write("0000/1.1.batch", &format!("tracklane-spool 1 00000000 0000000001\n{event}"));
    folder.write("0000/2.1.corrupt", &format!("tracklane-spool 1 00000000 0000000001\n{event}{{\"type\":\"tra"));
    folder.write("0000/lock", "");
    let shown = run(&["replay", "--dry-run", &folder.path("")]);
    assert_eq!((stdout(&shown).lines().count(), shown.status.code()), (2, Some(1)), "{}", stderr(&shown));
    assert!(stderr(&shown).contains("2.1.corrupt, line 3"), "{}", stderr(&shown));
    assert!(stdout(&run(&["tail", &folder.path(""), "--json"])).contains("m-1"));
}

#[test]
fn a_folder_that_is_no_spool_is_refused_and_one_with_nothing_to_send_is_not() {
    let folder = Folder::new("no-spool");
    folder.write("recording.jsonl", GOOD);
    for command in [&["replay", "--dry-run"][..], &["check"], &["tail"]] {
        let refused = run(&[command, &[&*folder.path("")]].concat());
        let told = stderr(&refused);
        assert_eq!((refused.status.code(), stdout(&refused)), (Some(3), String::new()), "{command:?}: {told}");
        assert!(told.contains(&folder.path("")) && told.contains("is no folder of a spool: "), "{command:?}: {told}");
    }
    // As a spool leaves it that has sent everything.
    std::fs::create_dir_all(folder.path("0000")).unwrap();
    folder.write("0000/lock", "Segment.io");
    for command in [&["replay", "--dry-run"][..], &["check"], &["tail"]] {
        let empty = run(&[command, &[&*folder.path("")]].concat());
        assert_eq!(empty.status.code(), Some(0), "{command:?}: {}", stderr(&empty));
    }
}
