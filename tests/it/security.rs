//! Secrets that must stay hidden, and input that must be refused.

use std::sync::{Arc, Mutex};

use tower_service::Service;
use tracklane::segment::{Segment, WriteKey};
use tracklane::transport::{Body, HttpClient, MAX_RESPONSE_BYTES};
use tracklane::{Analytics, Settings, signal};

use crate::support::{BODY, SECRET, Trial, shows_a_secret};

#[test]
fn no_debug_output_shows_the_write_key() {
    let builder = Analytics::builder_for(SECRET);
    let segment = Segment::new(SECRET);
    let mut shown = vec![format!("{:?} {builder:?} {segment:?}", WriteKey::from(SECRET))];
    shown.push(format!("{:?}", segment.build().expect("valid")));
    let analytics = builder.build().expect("valid");
    shown.push(format!("{analytics:?} {:?} {:?}", analytics.pipeline(), analytics.stats()));
    shown.iter().for_each(|shown| assert!(!shows_a_secret(shown), "{shown}"));
}

#[test]
fn settings_errors_do_not_show_the_write_key() {
    let long = SECRET.repeat(200);
    for error in [Analytics::new(long).err(), Analytics::new(" ").err()] {
        let error = error.expect("it cannot be used");
        let shown = format!("{error} {error:?}");
        assert!(error.setting() == "write_key" && !shows_a_secret(&shown), "{shown}");
    }
    let with_user =
        Analytics::builder().segment(Segment::new("key").host(format!("https://{SECRET}@api.example"))).build();
    let error = with_user.expect_err("a user name");
    assert!(!shows_a_secret(&format!("{error} {error:?}")), "{error}");
}

#[test]
fn a_password_in_a_host_is_shown_nowhere() {
    let host = format!("https://user:{SECRET}@api.example");
    let builder = Analytics::builder().segment(Segment::new("key").host(&host));
    let mut shown = format!("{builder:?} {:?}", Segment::new("key").host(&host));
    let file = serde_json::json!({"write_key": "key", "host": host, "region": "dublin"});
    let settings: Settings = serde_json::from_value(file).expect("all are settings");
    shown += &format!("{settings:?}");
    shown += &format!("{:?}", settings.into_builder().expect_err("a host and a region"));
    #[cfg(feature = "oauth")]
    {
        let oauth = tracklane::segment::OAuth::new("client", "PEM", "key").auth_server(host);
        shown += &format!("{oauth:?}");
    }
    assert!(!shows_a_secret(&shown), "{shown}");
}

#[test]
fn a_wrong_setting_in_a_file_shows_no_key_beside_it() {
    for wrong in ["flushat = 5", "flush_at = 'many'", "write_kee = 'another'"] {
        for file in [format!("write_key = '{SECRET}'\n{wrong}\n"), format!("{wrong}\nwrite_key = '{SECRET}'\n")] {
            let settings = toml::from_str::<Settings>(&file).expect("the reader shows a line with its errors");
            let error = settings.into_builder().expect_err("a wrong setting");
            assert_eq!(error.setting(), wrong.split(' ').next().unwrap());
            let said = format!("{error} {error:?}");
            assert!(!shows_a_secret(&said) && !said.contains("another"), "{said}");
        }
    }
    let misspelt: Settings = toml::from_str(&format!("write_kee = '{SECRET}'")).expect("as above");
    let said = misspelt.into_builder().expect_err("no such setting").to_string();
    assert!(said.contains("did you mean `write_key`?") && !shows_a_secret(&said), "{said}");
    // What a file gives to an environment, or gets from it, is as wrong as before.
    let wrong: Settings = toml::from_str("flushat = 5").expect("as above");
    let right: Settings = toml::from_str("write_key = 'key'").expect("it is right");
    for both in [wrong.clone().or(right.clone()), right.or(wrong)] {
        assert_eq!(both.into_builder().expect_err("a wrong setting").setting(), "flushat");
    }
}

#[test]
fn a_setting_that_would_break_a_header_is_refused() {
    for key in ["key\r\nX-Evil: 1", "key\0", "key\u{7f}"] {
        assert_eq!(Analytics::new(key).expect_err("control characters").setting(), "write_key");
    }
    let agent = Segment::new("key").user_agent("agent\r\nX-Evil: 1").build().expect_err("a line break");
    assert_eq!(agent.setting(), "user_agent");
}

#[test]
fn a_key_in_quotes_is_refused_and_not_shown() {
    let quoted = ["\"{}\"", "'{}'", "“{}”", "`{}`", " \"{}\" ", "\"{}", "{}\"", "\\\"{}\\\""];
    for key in quoted.map(|quotes| quotes.replace("{}", SECRET)) {
        let file: Settings = serde_json::from_value(serde_json::json!({ "write_key": key })).expect("text");
        let of_file = file.into_builder().and_then(|builder| builder.build()).expect_err("quotes");
        let changed = Segment::new("key").key_handle().set_write_key(&*key).expect_err("quotes");
        let segment = Segment::new(&*key).build().expect_err("quotes");
        assert_eq!([of_file.setting(), segment.setting()], ["write_key"; 2]);
        let said = format!("{of_file} {of_file:?} {segment} {changed} {changed:?}");
        assert!(!shows_a_secret(&said) && said.contains("quotes"), "{key:?}: {said}");
    }
}

#[test]
fn signals_of_requests_carry_neither_key_nor_body() {
    let mut trial = Trial::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    trial.analytics.on(signal::HttpRequest, move |request| {
        listener.lock().expect("nobody panics with it").push(format!("{request:?}"));
    });
    trial.send_each(2);
    assert!(String::from_utf8_lossy(trial.api.requests()[0].body()).contains(BODY), "the server gets the body");
    trial.survives();
    let heard = heard.lock().expect("nobody panics with it");
    assert_eq!(heard.len(), 3);
    for request in heard.iter() {
        assert!(request.contains("authorization") && !shows_a_secret(request), "names, no values: {request}");
    }
}

#[test]
fn no_more_than_64_kib_of_a_response_are_read() {
    let large = tower::service_fn(|_: http::Request<Body>| async {
        Ok::<_, std::io::Error>(http::Response::new(Body::from(vec![0; 10 * MAX_RESPONSE_BYTES])))
    });
    let mut client = HttpClient::new(large);
    let response = pollster::block_on(client.call(http::Request::new(Body::default()))).expect("it answers");
    assert_eq!(response.into_body().into_bytes().len(), MAX_RESPONSE_BYTES);
}

#[test]
fn a_client_reads_as_much_of_a_response_as_it_is_told() {
    let large = tower::service_fn(|_: http::Request<Body>| async {
        Ok::<_, std::io::Error>(http::Response::new(Body::from(vec![0; 300_000])))
    });
    for (limit, read) in [(100, 100), (250_000, 250_000), (400_000, 300_000)] {
        let mut client = HttpClient::new(large).max_response(limit);
        let response = pollster::block_on(client.call(http::Request::new(Body::default()))).expect("it answers");
        assert_eq!(response.into_body().into_bytes().len(), read, "{limit}");
    }
}

/// The oracle of all trials can fail.
#[test]
fn the_search_for_secrets_finds_them() {
    for secret in [SECRET, BODY, "Basic Y2FuYXJ5LTVmMmM5YTcxOg=="] {
        assert!(shows_a_secret(&format!("somewhere in {secret} a line")), "{secret}");
    }
    assert!(!shows_a_secret("nothing to see"));
}
