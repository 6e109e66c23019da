//! Files as whoever ships or reads them finds them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tracklane::plugin::RetryPolicy;
use tracklane::{Analytics, Page, Track};
use tracklane_jsonl::{Compression, Jsonl, JsonlError, JsonlSettings, ReadError, Reader, Sync};

fn client(jsonl: Jsonl) -> Analytics {
    Analytics::builder().plugin(jsonl.build().unwrap()).build().unwrap()
}

fn close(analytics: &Analytics) {
    let report = analytics.close_blocking(Duration::from_secs(10));
    assert!(report.is_complete(), "{report:?}");
}

/// The files below a directory, with their bytes.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.extend(self::files(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            files.insert(path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap());
        }
    }
    files
}

fn names(directory: &Path) -> Vec<String> {
    files(directory).into_keys().collect()
}

fn event(number: usize) -> Track {
    Track::new("Ping").user_id(number).timestamp("2024-02-29T12:00:00Z".parse::<tracklane::event::Timestamp>().unwrap())
}

fn users(directory: &Path) -> Vec<String> {
    Reader::open(directory).unwrap().map(|event| event.unwrap().user_id().unwrap().into_owned()).collect()
}

#[test]
fn each_event_is_a_line_of_the_file_of_its_day_and_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = client(Jsonl::new(directory.path()));
    (0..2_500).for_each(|number| analytics.track(event(number)).unwrap());
    close(&analytics);
    assert_eq!(names(directory.path()), ["2024-02-29.jsonl"]);
    assert_eq!(users(directory.path()), (0..2_500).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_file_is_a_part_until_it_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = client(Jsonl::new(directory.path()));
    analytics.track(event(1)).unwrap();
    analytics.flush_blocking(Duration::from_secs(5));
    assert_eq!(names(directory.path()), ["2024-02-29.jsonl.part"]);
    close(&analytics);
    assert_eq!(names(directory.path()), ["2024-02-29.jsonl"]);
}

#[test]
fn a_full_file_gives_way_to_the_next_and_none_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = client(Jsonl::new(directory.path()).max_bytes(64 * 1024));
    for number in 0..1_000 {
        analytics.track(event(number).property("filling", "x".repeat(200))).unwrap();
        if number % 100 == 0 {
            analytics.flush_blocking(Duration::from_secs(5));
        }
    }
    close(&analytics);
    let names = names(directory.path());
    assert!(names.len() > 3 && names.contains(&"2024-02-29.1.jsonl".to_owned()), "{names:?}");
    let mut users = users(directory.path());
    users.sort_by_key(|user| user.parse::<usize>().unwrap());
    assert_eq!(users, (0..1_000).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn gzip_is_read_back_and_the_template_makes_folders() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = client(Jsonl::new(directory.path()).file("%Y/{type}.jsonl").compression(Compression::Gzip));
    analytics.track(event(1)).unwrap();
    analytics.flush_blocking(Duration::from_secs(5));
    analytics.track(event(2)).unwrap();
    let at = "2024-01-01T00:00:00Z".parse::<tracklane::event::Timestamp>().unwrap();
    analytics.page(Page::new("../up").user_id(3).timestamp(at)).unwrap();
    close(&analytics);
    assert_eq!(names(directory.path()), ["2024/page.jsonl.gz", "2024/track.jsonl.gz"]);
    assert_eq!(users(directory.path()), ["3", "1", "2"]);
}

#[test]
fn what_a_crash_has_cut_off_costs_its_line_only() {
    let directory = tempfile::tempdir().unwrap();
    let cut = br#"{"type":"track","event":"A","userId":"0","messageId":"m0"}
{"type":"track","event":"B","us"#;
    std::fs::write(directory.path().join("2024-02-29.jsonl.part"), cut).unwrap();
    let analytics = client(Jsonl::new(directory.path()));
    analytics.track(event(1)).unwrap();
    close(&analytics);
    let read: Vec<Result<_, _>> = Reader::open(directory.path()).unwrap().collect();
    assert_eq!(read.len(), 3, "{read:?}");
    assert!(matches!(&read[1], Err(ReadError::Line { line: 2, .. })), "{read:?}");
    assert_eq!(read[2].as_ref().unwrap().user_id().as_deref(), Some("1"));
}

#[test]
fn what_was_written_twice_is_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let line = "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"7\",\"messageId\":\"m7\"}\n";
    std::fs::write(directory.path().join("a.jsonl"), line.repeat(3)).unwrap();
    std::fs::write(directory.path().join("b.jsonl"), line).unwrap();
    assert_eq!(users(directory.path()), ["7"]);
}

#[test]
fn two_clients_share_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let clients = [client(Jsonl::new(directory.path())), client(Jsonl::new(directory.path()))];
    for number in 0..100 {
        clients[number % 2].track(event(number)).unwrap();
        clients[number % 2].flush_blocking(Duration::from_secs(5));
    }
    clients.iter().for_each(close);
    assert_eq!(names(directory.path()), ["2024-02-29.1.jsonl", "2024-02-29.jsonl"]);
    assert_eq!(users(directory.path()).len(), 100);
}

#[test]
fn a_directory_that_appears_later_gets_what_waited() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("events");
    // A file where the directory should be.
    std::fs::write(&below, "in the way").unwrap();
    let analytics = client(Jsonl::new(&below));
    analytics.track(event(1)).unwrap();
    let report = analytics.flush_blocking(Duration::from_millis(300));
    assert_eq!(report.pending, 1, "it is tried again: {report:?}");
    std::fs::remove_file(&below).unwrap();
    close(&analytics);
    assert_eq!(users(&below), ["1"]);
}

#[test]
fn an_error_names_the_path() {
    let error = Reader::open("/nope").unwrap_err();
    assert!(error.to_string().starts_with("/nope cannot be read: "), "{error}");
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("events");
    std::fs::write(&below, "in the way").unwrap();
    let once = Jsonl::new(&below).build().unwrap().retry(RetryPolicy::new().max_retries(0));
    let analytics = Analytics::builder().plugin(once).build().unwrap();
    let end = analytics.send_with_receipt(event(1)).unwrap().wait();
    let told = format!("{:?}", end.destinations[0].error);
    assert!(told.contains(&format!("{} cannot be created: ", below.display())), "{told}");
}

#[test]
fn settings_are_checked_and_read_from_a_file() {
    let error = Jsonl::new("x").file("../a").build().err().unwrap();
    assert_eq!(error.to_string(), "the file name \"../a\" must be a path below the directory, without `..`");
    let error = Jsonl::new("x").max_bytes(1).build().err().unwrap();
    assert!(matches!(error, JsonlError::MaxBytes { bytes: 1 }), "{error}");
    let table = [
        (Jsonl::new("x").file("a.part"), "the file name \"a.part\" ends in `.part`"),
        (Jsonl::new("x").file("%Q.jsonl"), "the file name \"%Q.jsonl\" has %Q, a time zone"),
        (Jsonl::new("x").name(""), "the name is empty: write the name that events use in `integrations`"),
        (Jsonl::new("x").idle(Duration::ZERO), "idle is 0ns: use at least a millisecond"),
        (Jsonl::new(""), "the directory \"\" cannot be used"),
    ];
    for (jsonl, problem) in table {
        let unexplained = jsonl.explain(event(1)).unwrap_err().to_string();
        let error = jsonl.build().err().unwrap().to_string();
        assert!(error.starts_with(problem) && error == unexplained, "{error}");
    }
    let error = serde_json::from_str::<JsonlSettings>(r#"{ "directory": "x", "path": "y" }"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `path`"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let settings = serde_json::json!({ "directory": directory.path(), "file": "{event}.jsonl", "sync": "each_batch" });
    let settings: JsonlSettings = serde_json::from_value(settings).unwrap();
    assert_eq!(settings.sync, Sync::EachBatch);
    let analytics = client(Jsonl::from(settings));
    analytics.track(event(1)).unwrap();
    close(&analytics);
    assert_eq!(names(directory.path()), ["Ping.jsonl"]);
}

#[test]
fn events_of_one_batch_go_to_the_files_of_their_times_and_names() {
    let directory = tempfile::tempdir().unwrap();
    let analytics = client(Jsonl::new(directory.path()).file("%H%M%S/{type}-{event}.jsonl"));
    let rows = [("A", "00.000"), ("A", "00.999"), ("B", "00.999"), ("A", "01.000"), ("A", "00.500")];
    for (user, (name, seconds)) in rows.into_iter().enumerate() {
        let at: tracklane::event::Timestamp = format!("2024-02-29T12:00:{seconds}Z").parse().unwrap();
        analytics.track(Track::new(name).user_id(user).timestamp(at)).unwrap();
    }
    close(&analytics);
    let lines: Vec<(String, usize)> = files(directory.path())
        .into_iter()
        .map(|(name, bytes)| (name, bytes.iter().filter(|byte| **byte == b'\n').count()))
        .collect();
    let expected = [("120000/track-A.jsonl", 3), ("120000/track-B.jsonl", 1), ("120001/track-A.jsonl", 1)];
    assert_eq!(lines, expected.map(|(name, lines)| (name.to_owned(), lines)));
    let directory = tempfile::tempdir().unwrap();
    let analytics = client(Jsonl::new(directory.path()).file("%3f.jsonl"));
    for millis in ["001", "002"] {
        let at: tracklane::event::Timestamp = format!("2024-02-29T12:00:00.{millis}Z").parse().unwrap();
        analytics.track(Track::new("A").user_id(1).timestamp(at)).unwrap();
    }
    close(&analytics);
    assert_eq!(
        names(directory.path()),
        ["001.jsonl", "002.jsonl"],
        "fractions of a second count where they are asked for"
    );
}

#[test]
fn the_hook_has_the_last_word_on_a_line_and_an_explanation_shows_it() {
    let directory = tempfile::tempdir().unwrap();
    let jsonl =
        Jsonl::new(directory.path()).file("{event}.jsonl").compression(Compression::Gzip).map_event(|event, line| {
            line["by"] = event.user_id().unwrap().into_owned().into();
        });
    let explained = jsonl.explain(event(7).message_id("m7")).unwrap();
    assert_eq!(explained.path, directory.path().join("Ping.jsonl.gz"));
    let line: serde_json::Value = serde_json::from_str(&explained.line).unwrap();
    assert_eq!((&line["by"], &line["messageId"], explained.why_not), (&"7".into(), &"m7".into(), None));
    assert!(names(directory.path()).is_empty(), "nothing is written");
    let off = jsonl.explain(event(7).integration("JSON Lines", false)).unwrap();
    assert_eq!(off.why_not.as_deref(), Some("its integrations keep it from \"JSON Lines\""));
    let analytics = client(jsonl.compression(Compression::None));
    analytics.track(event(7)).unwrap();
    close(&analytics);
    let text = String::from_utf8(files(directory.path())["Ping.jsonl"].clone()).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["by"], "7");
}

#[test]
fn a_dry_run_makes_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let settings = serde_json::json!({ "directory": directory.path().join("events"), "dry_run": true });
    let analytics = client(Jsonl::from(serde_json::from_value::<JsonlSettings>(settings).unwrap()));
    analytics.track(event(1)).unwrap();
    let report = analytics.close_blocking(Duration::from_secs(10));
    assert_eq!((report.delivered, names(directory.path()).len()), (1, 0));
}
