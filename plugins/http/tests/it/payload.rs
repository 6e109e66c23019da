//! Bodies and their types.

use std::io::Read;

use proptest::prelude::*;
use tracklane_http::Payload;

fn shown(payload: &Payload) -> (&str, &str) {
    (payload.content_type().to_str().unwrap(), std::str::from_utf8(payload.bytes()).unwrap())
}

#[test]
fn each_form_has_its_type() {
    let none: [&str; 0] = [];
    let table = [
        (Payload::json(&serde_json::json!({"a": 1})).unwrap(), "application/json", "{\"a\":1}"),
        (Payload::json_array(&["{}", "[1]"]), "application/json", "[{},[1]]"),
        (Payload::json_array(&none), "application/json", "[]"),
        (Payload::ndjson(&["{}", "[1]"]), "application/x-ndjson", "{}\n[1]\n"),
        (Payload::ndjson(&none), "application/x-ndjson", ""),
        (
            Payload::form([("data", "{\"a\":1}"), ("ä&", "b=c d")]),
            "application/x-www-form-urlencoded",
            "data=%7B%22a%22%3A1%7D&%C3%A4%26=b%3Dc+d",
        ),
    ];
    for (payload, content_type, body) in table {
        assert_eq!(shown(&payload), (content_type, body));
        assert!(!payload.is_gzip());
    }
}

proptest! {
    #[test]
    fn gzip_is_read_back_and_done_once(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let payload = Payload::new("text/plain".parse().unwrap(), bytes.clone()).gzip().gzip();
        prop_assert!(payload.is_gzip());
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&**payload.bytes()).read_to_end(&mut read).unwrap();
        prop_assert_eq!(read, bytes);
    }
}
