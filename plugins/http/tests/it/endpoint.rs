//! Which URLs are taken, what of them is shown, and who sends.

use std::error::Error;

use tracklane_http::{Auth, Endpoint, Secret};

#[test]
fn plaintext_stays_on_this_machine_unless_it_is_allowed() {
    let table = [
        ("https://hooks.example", true, true),
        (" https://hooks.example/a?b=c ", true, true),
        ("http://localhost:8080/a", true, true),
        ("http://127.0.0.1/a", true, true),
        ("http://[::1]:80/a", true, true),
        ("http://hooks.example/a", false, true),
        ("http://localhost.evil.example/a", false, true),
        ("http://10.0.0.1/a", false, true),
        ("ftp://hooks.example/a", false, false),
        ("file:///etc/passwd", false, false),
        ("hooks.example/a", false, false),
        ("https://", false, false),
        ("https://hooks.example/a#b", false, false),
        ("https://hooks.example/a b", false, false),
        ("", false, false),
    ];
    for (url, taken, taken_if_allowed) in table {
        assert_eq!(Endpoint::new("url", url, false).is_ok(), taken, "{url:?}");
        assert_eq!(Endpoint::new("url", url, true).is_ok(), taken_if_allowed, "{url:?}, plaintext allowed");
    }
}

#[test]
fn what_may_be_secret_of_a_url_is_not_shown() {
    let table = [
        ("https://hooks.example", "https://hooks.example/"),
        ("https://hooks.example/", "https://hooks.example/"),
        ("https://hooks.example:8443/services/hunter2", "https://hooks.example:8443/…"),
        ("https://hooks.example/?token=hunter2", "https://hooks.example/…"),
        ("https://user:hunter2@hooks.example/", "https://hooks.example/"),
        ("http://[::1]:80/hunter2", "http://[::1]/…"),
    ];
    for (url, shown) in table {
        let endpoint = Endpoint::new("url", url, false).unwrap();
        assert_eq!(endpoint.to_string(), shown, "{url}");
        assert_eq!(format!("{endpoint:?}"), format!("Endpoint({shown})"), "{url}");
    }
}

#[test]
fn what_a_server_may_repeat_of_a_url_can_be_hidden() {
    let endpoint = Endpoint::new("url", "https://user:pass@hooks.example/a/hunter2?b=hunter3", false).unwrap();
    let hide = |text: &str| endpoint.secrets().iter().fold(text.to_owned(), |text, secret| secret.hide_in(&text));
    let table = [
        ("Cannot POST /a/hunter2?b=hunter3!", "Cannot POST …!"),
        ("/a/hunter2 is unknown", "… is unknown"),
        ("b=hunter3 is unknown", "… is unknown"),
        ("who is dXNlcjpwYXNz, user, pass?", "who is …, …, …?"),
    ];
    for (text, hidden) in table {
        assert_eq!(hide(text), hidden);
    }
    assert_eq!(
        Endpoint::new("url", "https://hooks.example/a", false).unwrap().secrets().len(),
        0,
        "/a is in /api, too"
    );
}

#[test]
fn no_error_shows_the_url() {
    for url in [
        "http://user:hunter2@hooks.example/",
        "ftp://user:hunter2@hooks.example/",
        "user:hunter2@hooks.example",
        "https://user:hunter2@hooks.example:99999/",
        "https://user:hunter2@/",
        "https://user:hunter2%ff@hooks.example/",
        "https://user:hunter2@hooks.example/#x",
    ] {
        let error = Endpoint::new("url", url, false).unwrap_err();
        let mut told = format!("{error} {error:?}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            told.push_str(&format!("{inner} {inner:?}"));
            cause = inner.source();
        }
        assert!(told.starts_with("setting url: ") && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_user_in_the_url_is_sent_as_basic_authentication() {
    let endpoint = Endpoint::new("url", "https://al%40addin:open%20sesame@hooks.example/a", false).unwrap();
    assert_eq!(endpoint.uri().to_string(), "https://hooks.example/a");
    let header = endpoint.auth().unwrap().header().unwrap();
    assert_eq!(header.to_str().unwrap(), "Basic YWxAYWRkaW46b3BlbiBzZXNhbWU=");
    assert!(header.is_sensitive());
}

#[test]
fn authorization_is_checked_and_hidden() {
    // RFC 7617, section 2.
    let basic = Auth::basic("Aladdin", "open sesame");
    assert_eq!(basic.header().unwrap().to_str().unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(Auth::bearer("abc").header().unwrap().to_str().unwrap(), "Bearer abc");
    for wrong in [
        Auth::basic("hun:ter2", ""),
        Auth::bearer(""),
        Auth::bearer("hun ter2"),
        Auth::bearer("hunter2\n"),
        Auth::bearer("\"hunter2\""),
        Auth::bearer("hünter2\u{7f}"),
    ] {
        let error = wrong.header().unwrap_err();
        assert!(!format!("{error} {error:?} {wrong:?}").contains("nter2"), "{error}");
    }
    assert_eq!(format!("{basic:?}"), "Basic { user: Secret(…), password: Secret(…) }");
}

#[test]
fn a_secret_is_read_and_hides_itself() {
    let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
    assert_eq!((secret.expose(), secret.problem()), ("hunter2", None));
    assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "… Secret(…) Secret(…)");
    assert_eq!(secret.hide_in("key hunter2 is wrong: hunter2"), "key … is wrong: …");
    assert_eq!(Secret::default().hide_in("as it is"), "as it is");
}
