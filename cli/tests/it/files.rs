//! Files as programs of all kinds leave them: packed, with a mark in front, with other ends of lines, cut off, or empty.

use std::io::Write;

use crate::support::{Dev, Folder, run, stderr, stdout};

const LINE: &str = "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\"}";
const MARK: &str = "\u{feff}";

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn json_lines_are_read_as_they_are_found() {
    let (dev, folder) = (Dev::start(&[]), Folder::new("files"));
    let two = format!("{LINE}\n{LINE}\n");
    let packed_twice = [gzip(&two), gzip(&two)].concat();
    for (name, bytes, events) in [
        ("mark.jsonl", format!("{MARK}{two}").into_bytes(), 2),
        ("crlf.jsonl", two.replace('\n', "\r\n").into_bytes(), 2),
        ("no-end.jsonl", format!("{two}{LINE}").into_bytes(), 3),
        ("empty.jsonl", Vec::new(), 0),
        ("packed.jsonl.gz", gzip(&two), 2),
        ("packed-without-a-name", gzip(&format!("{MARK}{two}")), 2),
        ("packed-twice.gz", packed_twice, 4),
    ] {
        let file = folder.path(name);
        std::fs::write(&file, bytes).unwrap();
        let imported = run(&["import", &file, "--host", &dev.url, "--rate", "0"]);
        assert_eq!(imported.status.code(), Some(0), "{name}: {} {}", stdout(&imported), stderr(&imported));
        assert!(stdout(&imported).starts_with(&format!("{events} read, {events} delivered")), "{name}");
        let checked = run(&["check", &file]);
        assert_eq!(stdout(&checked), format!("{events} events, 0 findings\n"), "{name}");
        let shown = run(&["tail", &file, "--json"]);
        assert_eq!(stdout(&shown).lines().count(), events, "{name}");
        let replayed = run(&["replay", &file, "--dry-run", "--host", &dev.url]);
        assert_eq!((replayed.status.code(), stdout(&replayed).lines().count()), (Some(0), events), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_said_in_one_line() {
    let folder = Folder::new("unreadable");
    let utf_16 = folder.path("utf-16.jsonl");
    std::fs::write(
        &utf_16,
        LINE.encode_utf16().fold(vec![0xff, 0xfe], |all, unit| [all, unit.to_le_bytes().into()].concat()),
    )
    .unwrap();
    let cut = folder.path("cut.jsonl.gz");
    let packed = gzip(&format!("{LINE}\n").repeat(1_000));
    std::fs::write(&cut, &packed[..packed.len() / 2]).unwrap();
    let (empty, jsonl) = (folder.write("empty.csv", ""), folder.write("events.jsonl", LINE));
    let twice = folder.write("twice.csv", "id,id\n1,2\n");
    let open =
        folder.write("open.csv", &format!("id,note\n1,\"open\n{}", "2,aaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(200_000)));
    let map = ["--map", "userId=id", "--kind", "page"];
    for (file, more, code, said) in [
        (&utf_16, &[][..], 3, "it is UTF-16. Save it as UTF-8"),
        (&cut, &[], 3, "line "),
        (&empty, &map, 3, "the file is empty"),
        (&twice, &map, 3, "several columns \"id\""),
        (&open, &map, 3, "Does a quote lack its end?"),
        (&jsonl, &map, 2, "--map is for CSV"),
    ] {
        let refused = run(&[&["import", file, "--dry-run"], more].concat());
        let told = stderr(&refused);
        let last = told.lines().last().unwrap_or_default();
        assert_eq!(refused.status.code(), Some(code), "{file}: {told}");
        assert!(last.starts_with("tracklane: ") && last.contains(said), "{file}: {told}");
    }
}

#[test]
fn csv_is_read_as_spreadsheets_write_it() {
    let (dev, folder) = (Dev::start(&[]), Folder::new("spreadsheet"));
    let text = format!("{MARK}id,Total,note\n7,0.12345678901234568,\"a\nb, \"\"c\"\"\"\n\n8,x,\"y,z\"\n9,1\n10,,\"\"")
        .replace('\n', "\r\n");
    let map = ["--map", "userId=id", "--map", "properties.total:number=Total", "--map", "properties.note=note"];
    for (name, bytes) in [("orders.csv", text.clone().into_bytes()), ("orders.csv.gz", gzip(&text))] {
        let file = folder.path(name);
        std::fs::write(&file, bytes).unwrap();
        let call = ["import", &file, "--host", &dev.url, "--rate", "0", "--kind", "track", "--event", "E"];
        let imported = run(&[&call[..], &map].concat());
        assert_eq!(imported.status.code(), Some(1), "{}", stderr(&imported));
        assert!(stdout(&imported).starts_with("4 read, 2 delivered"), "{name}: {}", stdout(&imported));
        let rejects = std::fs::read_to_string(format!("{file}.rejected.jsonl")).unwrap();
        let rejects: Vec<serde_json::Value> = rejects.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
        let told: Vec<_> =
            rejects.iter().map(|row| (row["line"].as_u64(), row["message"].as_str(), row["event"].as_str())).collect();
        let expected = [
            (Some(5), Some("column \"Total\": \"x\" is no number"), Some("8,x,\"y,z\"")),
            (Some(6), Some("the row has 2 cells, and there are 3 columns"), Some("9,1")),
        ];
        assert_eq!(told, expected, "{name}");
    }
    let first = dev.send("GET /__tracklane/events/1/raw", "", "");
    assert!(first.contains(r#""properties":{"note":"a\r\nb, \"c\"","total":0.12345678901234568}"#), "{first}");
}

/// Numbers are the file's, also on the way into the file of rejected events and out of it.
#[test]
fn numbers_keep_their_digits_in_the_file_of_rejected_events() {
    let folder = Folder::new("digits");
    let line = "{\"type\":\"track\",\"event\":\"E\",\"properties\":{\"n\":0.1234567890123456789,\"m\":1.50}}";
    let file = folder.write("events.jsonl", &format!("{line}\n"));
    let imported = run(&["import", &file, "--host", "http://127.0.0.1:9", "--rate", "0"]);
    assert_eq!(imported.status.code(), Some(1), "{}", stderr(&imported));
    let rejects = std::fs::read_to_string(format!("{file}.rejected.jsonl")).unwrap();
    assert!(rejects.contains("{\"n\":0.1234567890123456789,\"m\":1.50}"), "{rejects}");
}
