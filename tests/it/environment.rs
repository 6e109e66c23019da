//! The effect of environment variables on a client. Each test has a child with its own environment: it runs this binary
//! again, with the ignored test below.

use std::ffi::OsStr;
use std::process::Command;

use tracklane::Analytics;

use crate::support::{SOON, api, track};

const CHILD: &str = "environment::a_client_of_the_environment";

/// Runs a child with these variables and none of our others. Returns its output.
fn child<V: AsRef<OsStr>>(variables: &[(&str, V)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", CHILD, "--ignored", "--nocapture", "--test-threads=1"]);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACKLANE_")) {
        command.env_remove(name);
    }
    for name in ["NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    command.env("TRACKLANE_WRITE_KEY", "k");
    let output = command.envs(variables.iter().map(|(name, value)| (name, value))).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().find_map(|line| line.strip_prefix("child: "));
    said.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

#[test]
#[ignore = "the child of the tests of this module"]
fn a_client_of_the_environment() {
    let analytics = match Analytics::from_env() {
        Ok(analytics) => analytics,
        Err(error) => return println!("\nchild: {error}"),
    };
    analytics.track(track("Child")).unwrap();
    let report = analytics.close_blocking(SOON);
    println!("\nchild: {} delivered, {} failed", report.delivered, report.failed);
}

#[test]
fn a_proxy_of_the_environment_gets_nothing_that_stays_on_this_machine() {
    let [api, proxy] = [api(), api()];
    proxy.accept_everything();
    let (address, plain) = (proxy.url(), api.url());
    let send_to = |host: &str| {
        child(&[
            ("HTTP_PROXY", &*address),
            ("HTTPS_PROXY", &*address),
            ("TRACKLANE_HOST", host),
            ("TRACKLANE_ALLOW_PLAINTEXT", "true"),
            ("TRACKLANE_MAX_RETRIES", "0"),
        ])
    };
    assert_eq!(send_to(&plain), "1 delivered, 0 failed");
    assert_eq!(send_to(&plain.replace("127.0.0.1", "localhost")), "1 delivered, 0 failed");
    let over_tls = plain.replace("http://", "https://");
    assert_eq!(send_to(&over_tls), "0 delivered, 1 failed", "the API speaks no TLS");
    assert_eq!((api.request_count(), api.connections(), proxy.connections()), (2, 3, 0));

    assert_eq!(send_to("http://collector.invalid"), "1 delivered, 0 failed", "what leaves the machine takes the proxy");
    assert_eq!((proxy.request_count(), api.request_count()), (1, 2));
}

#[test]
fn a_proxy_variable_that_names_no_proxy_is_an_error_with_its_name() {
    for (name, value) in
        [("HTTPS_PROXY", "ftp://s3cret@proxy"), ("http_proxy", "not s3cret"), ("ALL_PROXY", "s3cret@@")]
    {
        let said = child(&[(name, value), ("TRACKLANE_DISABLE", "false")]);
        assert!(said.starts_with(&format!("setting {name}: ")) && !said.contains("s3cret"), "{name}={value}: {said}");
    }
    let unused = child(&[("HTTPS_PROXY", "nonsense://"), ("TRACKLANE_DISABLE", "true")]);
    assert_eq!(unused, "0 delivered, 0 failed", "a client that sends nothing needs none");
}

#[test]
fn no_proxy_takes_the_usual_forms_and_empty_variables_are_not_set() {
    let [api, proxy] = [api(), api()];
    proxy.accept_everything();
    let port = api.url().rsplit_once(':').unwrap().1.to_owned();
    // Not spared as a host on this machine is: that one is `localhost`, and this is its address by another name.
    let host = format!("http://localhost.localdomain.invalid:{port}");
    let send = |variables: &[(&str, &str)]| {
        let address = proxy.url();
        let mut all = vec![
            ("HTTP_PROXY", ""),
            ("http_proxy", &*address),
            ("TRACKLANE_HOST", &*host),
            ("TRACKLANE_ALLOW_PLAINTEXT", "true"),
            ("TRACKLANE_MAX_RETRIES", "0"),
            ("TRACKLANE_FLUSH_AT", ""),
        ];
        all.extend(variables);
        child(&all)
    };
    let with_port = format!("other.example, *.localdomain.invalid:{port}");
    for spared in ["*", ".localdomain.invalid", "*.localdomain.invalid", "a.example localdomain.invalid", &*with_port] {
        assert_eq!(send(&[("NO_PROXY", spared)]), "0 delivered, 1 failed", "{spared}: nobody has that name");
        assert_eq!(proxy.connections(), 0, "NO_PROXY={spared}");
    }
    for (taken, not_spared) in ["", "*.example", "localdomain.invalid:1", "10.0.0.0/8"].into_iter().enumerate() {
        assert_eq!(send(&[("NO_PROXY", not_spared)]), "1 delivered, 0 failed", "NO_PROXY={not_spared}");
        assert_eq!(proxy.request_count(), taken + 1);
    }
}

/// Elsewhere it is not by these variables that certificates are found.
#[cfg(target_os = "linux")]
#[test]
fn a_disabled_client_needs_no_certificates() {
    let without = |disable| {
        child(&[("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent"), ("TRACKLANE_DISABLE", disable)])
    };
    assert_eq!(without("true"), "0 delivered, 0 failed");
    let enabled = without("false");
    assert!(enabled.contains("the TLS certificates of this machine cannot be used"), "{enabled}");
}

#[cfg(unix)]
#[test]
fn a_variable_of_somebody_else_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt;

    let not_utf_8 = OsStr::from_bytes(b"\xff");
    let disable = ("TRACKLANE_DISABLE", OsStr::new("yes"));
    assert_eq!(child(&[("SOMEBODY_ELSES", not_utf_8), disable]), "0 delivered, 0 failed");
    assert_eq!(
        child(&[("TRACKLANE_HOST", not_utf_8), disable]),
        "setting host: is not UTF-8 (TRACKLANE_HOST in the environment)"
    );
}
