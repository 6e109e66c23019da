//! Imports: every event once, whatever happens on the way.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use tracklane::testing::{Reply, TrackingApi};

use crate::support::{Dev, Folder, run, stderr, stdout, tracklane};

fn lines(count: usize) -> String {
    (0..count)
        .map(|n| format!("{{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"properties\":{{\"n\":{n}}}}}\n"))
        .collect()
}

#[test]
fn what_is_right_arrives_and_what_is_wrong_is_in_a_file() {
    let folder = Folder::new("import");
    let text = format!("{}nonsense\n\n{{\"type\":\"track\",\"event\":\"No id\"}}\n{{\"type\":\"sell\"}}\n", lines(3));
    let file = folder.write("events.jsonl", &text);
    let dev = Dev::start(&[]);
    let imported = run(&["import", &file, "--host", &dev.url, "--rate", "0"]);
    assert_eq!(imported.status.code(), Some(1), "{}", stderr(&imported));
    assert!(stdout(&imported).starts_with("6 read, 3 delivered to "), "{}", stdout(&imported));
    assert_eq!(dev.received(), 3);
    let rejects = std::fs::read_to_string(format!("{file}.rejected.jsonl")).unwrap();
    let at: Vec<u64> = rejects
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["line"].as_u64().unwrap())
        .collect();
    assert_eq!(at, [4, 6, 7], "{rejects}");
    assert!(!std::path::Path::new(&format!("{file}.tracklane")).exists(), "a finished import leaves no position");
    let again = run(&["import", &file, "--dry-run"]);
    assert_eq!((again.status.code(), stdout(&again).as_str()), (Some(1), "6 read, 3 wrong, nothing sent\n"));
}

#[test]
fn what_is_imported_or_replayed_keeps_its_context_as_it_is() {
    let folder = Folder::new("context");
    let line = |id: u8, context: &str| {
        format!("{{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"messageId\":\"m-{id}\"{context}}}\n")
    };
    let text = line(1, ",\"context\":{\"library\":{\"name\":\"analytics.js\"}}") + &line(2, "");
    let file = folder.write("events.jsonl", &text);
    for command in ["import", "replay"] {
        let segment = TrackingApi::start().unwrap();
        let sent = run(&[command, &file, "--host", &segment.url(), "--write-key", "K", "--rate", "0"]);
        assert_eq!(sent.status.code(), Some(0), "{command}: {}", stderr(&sent));
        let mut events = segment.events();
        events.sort_by_key(|event| event["messageId"].to_string());
        let library = serde_json::json!({"library": {"name": "analytics.js"}});
        assert_eq!((&events[0]["context"], events[1].get("context")), (&library, None), "{command}");
    }
}

#[test]
fn csv_goes_where_the_mapping_says() {
    let folder = Folder::new("csv");
    let file = folder.write("orders.csv", "id,Total,When\n7,39.95,2011-05-03T14:05:00Z\n8,x,\n");
    let dev = Dev::start(&[]);
    let map = ["--map", "userId=id", "--map", "properties.total:number=Total", "--map", "timestamp=When"];
    let mut arguments = vec!["import", &file, "--host", &dev.url, "--kind", "track", "--event", "Order Completed"];
    arguments.extend(map);
    let imported = run(&arguments);
    assert_eq!(imported.status.code(), Some(1), "{}", stderr(&imported));
    let event = dev.get("events/1")["event"].clone();
    assert_eq!((&event["properties"]["total"], &event["userId"]), (&39.95.into(), &"7".into()));
    assert_eq!(event["timestamp"], "2011-05-03T14:05:00.000Z");
    let unmapped = run(&["import", &file]);
    assert!(unmapped.status.code() == Some(2) && stderr(&unmapped).contains("--map"), "{}", stderr(&unmapped));
    let missing = run(&["import", &file, "--map", "userId=nobody"]);
    assert!(missing.status.code() == Some(3) && stderr(&missing).contains("id, Total, When"), "{}", stderr(&missing));
}

#[test]
fn an_order_that_is_not_that_of_the_timestamps_is_said_and_refused_with_sort() {
    let folder = Folder::new("sort");
    let line = |second: u32| {
        format!(
            "{{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"timestamp\":\"2026-01-01T00:00:0{second}Z\"}}\n"
        )
    };
    let sorted = folder.write("sorted.jsonl", &[1, 1, 2].map(line).concat());
    let unsorted = folder.write("unsorted.jsonl", &[1, 3, 2, 1].map(line).concat());
    let dev = Dev::start(&[]);
    let import = |file: &str, more: &[&str]| {
        let mut arguments = vec!["import", file, "--host", &dev.url, "--rate", "0"];
        arguments.extend(more);
        run(&arguments)
    };
    let fine = import(&sorted, &["--sort"]);
    assert_eq!((fine.status.code(), stderr(&fine).as_str()), (Some(0), ""));
    let refused = import(&unsorted, &["--sort"]);
    assert_eq!((refused.status.code(), dev.received()), (Some(1), 3), "{}", stderr(&refused));
    let problem = "2 events are older than one before them; the first is on line 3, behind line 2";
    assert!(
        stderr(&refused).contains(problem) && stderr(&refused).contains("Nothing was sent"),
        "{}",
        stderr(&refused)
    );
    let warned = import(&unsorted, &[]);
    assert_eq!((warned.status.code(), dev.received()), (Some(0), 7));
    assert!(stderr(&warned).contains(problem) && stderr(&warned).contains("--sort refuses"), "{}", stderr(&warned));
    assert_eq!(run(&["import", "-", "--sort"]).status.code(), Some(2));
}

/// Kills imports of a file with `count` lines of events, those that `is_wrong` says without one: nothing is lost, what comes
/// twice has the same id, and each wrong line is rejected once. The event of the first line behind `header` has the number 0.
fn survives(kills: usize, file: &str, (header, count): (u64, usize), is_wrong: fn(u64) -> bool, more: &[&str]) {
    let api = TrackingApi::start().unwrap();
    let url = api.url();
    let position = format!("{file}.tracklane");
    let start = |rate: &str| {
        let mut command = tracklane();
        command.args(["import", file, "--host", &url, "--write-key", "K", "--quiet", "--rate", rate]).args(more);
        if std::path::Path::new(&position).exists() {
            command.arg("--resume");
        }
        command.stderr(Stdio::null()).spawn().unwrap()
    };
    let mut killed = 0;
    for kill in 0..kills {
        let mut child = start("2000");
        std::thread::sleep(Duration::from_millis(100 + (kill as u64 * 397) % 1_300));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
    }
    assert!(killed > kills / 2, "{killed} of {kills} runs were killed");
    // The last run has nobody to wait for. It rejects lines, unless all were before its start.
    let code = start("0").wait().unwrap().code();
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    let mut ids: HashMap<u64, String> = HashMap::new();
    for event in api.events() {
        let number = event["properties"]["n"].as_u64().unwrap();
        let id = event["messageId"].as_str().unwrap().to_owned();
        let known = ids.entry(number).or_insert_with(|| id.clone());
        assert_eq!(*known, id, "event {number} came twice, with two ids");
    }
    let numbers = 0..count as u64;
    let lost: Vec<u64> = numbers.clone().filter(|n| !is_wrong(*n) && !ids.contains_key(n)).take(10).collect();
    assert_eq!((lost, ids.keys().any(|n| is_wrong(*n))), (vec![], false));
    let rejects = std::fs::read_to_string(format!("{file}.rejected.jsonl")).unwrap();
    let line = |row: &str| serde_json::from_str::<serde_json::Value>(row).unwrap()["line"].as_u64().unwrap();
    let rejected: Vec<u64> = rejects.lines().map(line).collect();
    let wrong: Vec<u64> = numbers.filter(|n| is_wrong(*n)).map(|n| n + 1 + header).collect();
    assert_eq!(rejected, wrong, "each wrong line once, in order");
}

/// More lines than all runs but the last can send, for a number of kills.
fn kills(default: usize) -> (usize, usize) {
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(default);
    (kills, kills * 2_000)
}

#[test]
fn an_import_that_is_killed_again_and_again_delivers_everything() {
    let (kills, count) = kills(8);
    let is_wrong = |n: u64| n % 40 == 7;
    let line = |n: usize| match is_wrong(n as u64) {
        true => format!("nonsense {n}\n"),
        false => format!("{{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"properties\":{{\"n\":{n}}}}}\n"),
    };
    let folder = Folder::new("kill");
    let file = folder.write("events.jsonl", &(0..count).map(line).collect::<String>());
    survives(kills, &file, (0, count), is_wrong, &[]);
}

#[test]
fn an_import_of_csv_that_is_killed_again_and_again_delivers_everything() {
    let (kills, count) = kills(4);
    let is_wrong = |n: u64| n % 50 == 9;
    let row = |n: usize| if is_wrong(n as u64) { format!("u,number {n}\n") } else { format!("u,{n}\n") };
    let folder = Folder::new("kill-csv");
    let file = folder.write("events.csv", &format!("id,n\n{}", (0..count).map(row).collect::<String>()));
    let map = ["--kind", "track", "--event", "E", "--map", "userId=id", "--map", "properties.n:number=n"];
    survives(kills, &file, (1, count), is_wrong, &map);
}

/// An event that the host refuses for good, with the id that it was sent with, beside a line without an event.
#[test]
fn what_is_not_delivered_is_in_the_file_as_it_was_sent() {
    let folder = Folder::new("undelivered");
    let file = folder.write("events.jsonl", &format!("{}nonsense\n", lines(1)));
    let api = TrackingApi::start().unwrap();
    api.set_default(Reply::status(400));
    let imported = run(&["import", &file, "--host", &api.url(), "--write-key", "K", "--rate", "0"]);
    assert_eq!(imported.status.code(), Some(1), "{}", stderr(&imported));
    let rejects = std::fs::read_to_string(format!("{file}.rejected.jsonl")).unwrap();
    let rows: Vec<serde_json::Value> = rejects.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!((&rows[0]["line"], &rows[0]["rule"]), (&1.into(), &"undelivered".into()), "{rejects}");
    assert_eq!((&rows[1]["line"], &rows[1]["rule"]), (&2.into(), &"invalid".into()), "{rejects}");
    let sent = api.requests()[0].events()[0]["messageId"].clone();
    assert!(sent.is_string() && rows[0]["event"]["messageId"] == sent, "{sent}: {rejects}");
    assert_eq!(rows[0]["event"]["properties"]["n"], 0);
}

#[test]
fn an_import_that_stopped_is_not_begun_again_by_mistake() {
    let folder = Folder::new("stopped");
    let file = folder.write("events.jsonl", &lines(2_000));
    let dev = Dev::start(&[]);
    let mut child = tracklane();
    child.args(["import", &file, "--host", &dev.url, "--rate", "500"]);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    crate::support::wait("some events", || dev.received() > 100);
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let stopped = child.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{}", stderr(&stopped));
    assert!(stderr(&stopped).contains("--resume"), "{}", stderr(&stopped));
    let refused = run(&["import", &file, "--host", &dev.url]);
    assert!(refused.status.code() == Some(2) && stderr(&refused).contains("--restart"), "{}", stderr(&refused));
    let other = run(&["import", &file, "--host", &dev.url, "--resume", "--event", "Other"]);
    assert!(other.status.code() == Some(2) && stderr(&other).contains("mapping"), "{}", stderr(&other));
    let resumed = run(&["import", &file, "--host", &dev.url, "--resume", "--rate", "0"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    let numbers: std::collections::BTreeSet<u64> = (0..2_000).collect();
    let mut seen = std::collections::BTreeSet::new();
    let mut cursor = 0;
    while cursor < dev.received() {
        let page = dev.get(&format!("events?after={cursor}&limit=500"));
        for head in page["events"].as_array().unwrap() {
            let seq = head["seq"].as_u64().unwrap();
            cursor = cursor.max(seq);
            seen.insert(seq);
        }
    }
    assert!(seen.len() >= numbers.len(), "{} events", seen.len());
    std::fs::write(&file, lines(10).replace("\"E\"", "\"F\"")).unwrap();
    std::fs::write(format!("{file}.tracklane"), "damaged").unwrap();
    let damaged = run(&["import", &file, "--host", &dev.url, "--resume"]);
    assert!(damaged.status.code() == Some(3) && stderr(&damaged).contains("damaged"), "{}", stderr(&damaged));
}
