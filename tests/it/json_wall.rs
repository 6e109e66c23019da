//! Checks that the JSON engine of objects does not use the code of events, and returns errors only in its results.

use std::path::Path;

#[test]
fn the_json_engine_uses_nothing_of_the_crate_but_timestamps() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/event/json");
    let (mut folders, mut files) = (vec![folder], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for line in code {
                let allowed = ["crate::event::json::", "crate::event::timestamp::", "crate::event)"];
                let outside = line.split("crate::").skip(1).map(|behind| format!("crate::{behind}"));
                for path in outside {
                    assert!(allowed.iter().any(|allowed| path.starts_with(allowed)), "{line:?} knows of events");
                }
                assert!(!line.contains("thread_local!"), "errors pass through results: {line:?}");
            }
        }
    }
    assert!(files > 10, "{files}");
}
