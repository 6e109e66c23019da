//! Which URLs are taken, what of them is shown, and who sends.

use std::error::Error;
use std::time::Duration;

use tracklane_http::{Auth, Endpoint, Secret, check_name, check_timeout};

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

/// The path that is given beside the host is the vendor's. That of the host may be a secret, and so may a query.
#[test]
fn the_path_of_a_vendor_is_shown_and_that_of_the_host_is_not() {
    let table = [
        ("https://api.example", "/batch", "https://api.example/batch"),
        ("https://api.example/", "/batch/", "https://api.example/batch/"),
        (" https://user:hunter2@api.example:8443 ", "/a/b?key=hunter2", "https://api.example:8443/a/b"),
        ("https://proxy.example/hunter2", "/batch", "https://proxy.example/…/batch"),
        ("https://proxy.example/hunter2//", "/batch?strict=1", "https://proxy.example/…/batch"),
        ("https://proxy.example/batch", "/batch", "https://proxy.example/…/batch"),
        ("https://proxy.example/hunter2/..", "/batch", "https://proxy.example/batch"),
        ("https://proxy.example/hunter2", "/", "https://proxy.example/…/"),
        ("https://proxy.example/hunter2", "", "https://proxy.example/…"),
        ("https://proxy.example/hunter2", "?key=hunter2", "https://proxy.example/…"),
        // Text that a URL has in another form.
        ("https://proxy.example/hunter2", "/a/../b", "https://proxy.example/…"),
        ("https://proxy.example", "/\u{fc}", "https://proxy.example/…"),
        ("http://localhost", "", "http://localhost/"),
    ];
    for (host, path, shown) in table {
        let endpoint = Endpoint::at_host("host", host, path, false).unwrap();
        assert_eq!(endpoint.to_string(), shown, "{host} {path}");
        let more = endpoint.with_query("token", "hunter2").unwrap();
        assert_eq!(format!("{more:?}"), format!("Endpoint({shown})"), "{host} {path}");
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
    let endpoint = Endpoint::at_host("host", "https://proxy.example/hunter2", "/batch?key=hunter3", false).unwrap();
    let hide = |text: &str| endpoint.secrets().iter().fold(text.to_owned(), |text, secret| secret.hide_in(&text));
    for (text, hidden) in [
        ("Cannot POST /hunter2/batch?key=hunter3!", "Cannot POST …/batch?…!"),
        ("/hunter2 and /batch", "… and /batch"),
        ("key=hunter3", "…"),
    ] {
        assert_eq!(hide(text), hidden);
    }
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

/// A short text is in many words. So it is hidden only where it stands by itself.
#[test]
fn a_short_secret_leaves_longer_words_as_they_are() {
    let table = [
        ("p", "Code: 516. DB::Exception: p is wrong (p)", "Code: 516. DB::Exception: … is wrong (…)"),
        ("tok", r#"{"$token":"tok","token":"a-tok","x":"tok_1"}"#, r#"{"$token":"…","token":"a-…","x":"tok_1"}"#),
        ("tok", "tok", "…"),
        ("tok", "toktok $tok tok$ tok1 étok toké", "toktok $tok tok$ tok1 étok toké"),
        ("tok", "user:tok@host tok.tok=tok/", "user:…@host ….…=…/"),
        ("default", "defaults default default_1", "defaults … default_1"),
        // One that begins inside of another place where it is found.
        ("a-a", "xa-a-a", "xa-…"),
        // Where its own end is no letter, no word goes on.
        ("/ab?", "x/ab?y", "x…y"),
        ("$ab", "x$ab ($ab)", "x$ab (…)"),
        ("sieben7", "xsieben7x sieben7", "xsieben7x …"),
        // Eight bytes are long, and hidden everywhere.
        ("hunter22", "xhunter22x hunter22", "x…x …"),
        ("größe1", "xgröße1x", "x…x"),
    ];
    for (secret, text, hidden) in table {
        assert_eq!(Secret::from(secret).hide_in(text), hidden, "{secret}");
    }
}

/// Server and proxies may repeat the header as it was sent.
#[test]
fn credentials_are_hidden_in_the_form_of_the_header_too() {
    let told = "got Basic dXNlcjpzZWNyZXQ3Nw==, of user secret77; Bearer secret77";
    let basic = Auth::basic("user", "secret77");
    let hidden = basic.sent().iter().chain(basic.secrets()).fold(told.to_owned(), |text, secret| secret.hide_in(&text));
    assert_eq!(hidden, "got Basic …, of … …; Bearer …");
    assert_eq!(Auth::bearer("hunter2").sent().unwrap().expose(), "hunter2");
    assert!(Auth::basic("a:b", "").sent().is_none());
}

/// Settings that every vendor has.
#[test]
fn a_name_and_a_timeout_are_checked() {
    assert!(check_name("Vendor").is_ok() && check_timeout(Duration::from_nanos(1)).is_ok());
    for empty in ["", " \t\n"] {
        let error = check_name(empty).unwrap_err();
        assert_eq!((error.setting, &*error.problem), ("name", "is empty"), "{empty:?}");
    }
    let error = check_timeout(Duration::ZERO).unwrap_err();
    assert_eq!((error.setting, &*error.problem), ("timeout", "is zero: no answer would come in time"));
}
