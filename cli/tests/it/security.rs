//! Who may see the page and ask the API.

use crate::support::{Dev, content, run, status, stderr};

const PATHS: [&str; 4] = ["/", "/assets/app.js", "/__tracklane/events", "/__tracklane/stream"];

#[test]
fn foreign_hosts_origins_and_sites_are_kept_out_of_page_and_api() {
    let dev = Dev::start(&[]);
    for path in PATHS {
        for headers in [
            "host: evil.example\r\n".to_owned(),
            "host: 127.0.0.1.evil.example\r\n".to_owned(),
            format!("host: {}\r\norigin: http://evil.example\r\n", dev.address()),
            format!("host: {}\r\norigin: null\r\n", dev.address()),
            format!("host: {}\r\nsec-fetch-site: cross-site\r\n", dev.address()),
        ] {
            let answer = dev.send(&format!("GET {path}"), &headers, "");
            assert_eq!(status(&answer), 403, "{path} {headers}");
            assert_eq!(content(&answer).trim_end().lines().count(), 1, "one line: {answer}");
            assert!(!answer.contains("access-control-"), "{answer}");
        }
    }
    let posted = dev.send("POST /__tracklane/expect", "sec-fetch-site: cross-site\r\n", r#"{"all":[{}]}"#);
    assert_eq!(status(&posted), 403);
}

#[test]
fn events_are_taken_from_any_origin_and_none_can_be_read_there() {
    let dev = Dev::start(&[]);
    let headers = "origin: https://shop.example\r\nsec-fetch-site: cross-site\r\n";
    let answer = dev.send("POST /v1/t", headers, r#"{"event":"E","userId":"u"}"#);
    assert_eq!(status(&answer), 200);
    assert!(answer.contains("access-control-allow-origin: https://shop.example"), "{answer}");
    assert_eq!(dev.received(), 1);
}

#[test]
fn the_page_may_run_only_what_is_its_own() {
    let dev = Dev::start(&[]);
    let page = dev.send("GET /", "", "");
    assert_eq!(status(&page), 200);
    for expected in [
        "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src \
         'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "content-type: text/html",
    ] {
        assert!(page.contains(expected), "no {expected} in {page}");
    }
    assert!(dev.send("GET /", "accept-encoding: gzip, br\r\n", "").contains("content-encoding: gzip"));
    assert_eq!(status(&dev.send("GET /assets/..%2fCargo.toml", "", "")), 404);
    assert_eq!(status(&dev.send("GET /nothing", "", "")), 404);
    assert!(dev.send("GET /__tracklane/events", "", "").contains("cache-control: no-store"));
}

#[test]
fn another_address_needs_a_token_and_the_token_opens_it() {
    let refused = run(&["dev", "--port", "0", "--listen", "127.0.0.1"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    let dev = Dev::start(&["--listen", "127.0.0.1", "--token", "s3cret"]);
    for path in PATHS {
        assert_eq!(status(&dev.send(&format!("GET {path}"), "", "")), 401, "{path}");
        assert_eq!(status(&dev.send(&format!("GET {path}"), "authorization: Bearer wrong\r\n", "")), 401, "{path}");
    }
    assert_eq!(status(&dev.send("GET /__tracklane/events", "authorization: Bearer s3cret\r\n", "")), 200);
    let opened = dev.send("GET /?token=s3cret", "", "");
    assert_eq!(status(&opened), 303);
    assert!(opened.contains("set-cookie: tracklane=s3cret; HttpOnly; SameSite=Strict"), "{opened}");
    assert_eq!(status(&dev.send("GET /", "cookie: a=b; tracklane=s3cret\r\n", "")), 200);
    assert_eq!(dev.post("/v1/track", r#"{"event":"E","userId":"u"}"#), 200, "SDKs know no token");
}

#[test]
fn a_page_with_a_hostile_event_is_still_only_data() {
    let dev = Dev::start(&[]);
    let hostile = r#"{"event":"</script><script>alert(1)</script>\u202e\u0000\ud800","userId":"u\r\nset-cookie: x"}"#;
    assert_eq!(dev.post("/v1/track", hostile), 200);
    let answer = dev.send("GET /__tracklane/events/1", "", "");
    assert!(answer.contains("content-type: application/json") && !answer.contains("\r\nset-cookie"), "{answer}");
    assert_eq!(status(&dev.send("GET /__tracklane/events?q=script", "", "")), 200);
    for path in ["users?id=%22%3E%3Cscript%3E", "events/1/as/rust", "events/1/as/curl", "findings"] {
        let answer = dev.send(&format!("GET /__tracklane/{path}"), "", "");
        assert!(!answer.contains("text/html"), "{path}: {answer}");
    }
}
