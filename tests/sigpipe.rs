//! A host with the default action for SIGPIPE, such as a command-line program or a C program, survives when a
//! connection of the client breaks.
//!
//! Each host is a process of its own: this binary again, with one of the ignored tests below.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track};

const SOON: Duration = Duration::from_secs(20);
const HOST: &str = "TRACKLANE_HOST";
/// Attempts, each of which loses its connection.
const ATTEMPTS: usize = 8;

/// Runs the ignored test `role` in a process of its own. It must come to its end, and not be killed.
#[track_caller]
fn lives(role: &str, environment: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", role, "--ignored", "--nocapture", "--test-threads=1"]);
    let ended = command.envs(environment.iter().copied()).output().expect("a process");
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && said.contains("still here"), "{}: {said}", ended.status);
}

/// Speaks TLS, reads a byte of each request, and is gone.
fn rude_server(certificate: rcgen::Certificate, key: rcgen::KeyPair) -> (String, Arc<AtomicUsize>) {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key));
    let config = Arc::new(config.expect("a configuration"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (port, lost) = (listener.local_addr().expect("it is bound").port(), Arc::new(AtomicUsize::new(0)));
    let counter = lost.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = ServerConnection::new(config.clone()).expect("the configuration is complete");
            let read = StreamOwned::new(session, stream).read_exact(&mut [0]);
            counter.fetch_add(usize::from(read.is_ok()), Ordering::SeqCst);
        }
    });
    (format!("https://127.0.0.1:{port}"), lost)
}

#[test]
fn a_host_with_sigpipe_at_its_default_outlives_a_lost_tls_connection() {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let certificate = certificate.self_signed(&key).expect("a certificate");
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate.der()));
    let root = std::env::temp_dir().join(format!("tracklane-sigpipe-{}.pem", std::process::id()));
    fs::write(&root, pem).expect("a directory for temporary files");
    let (url, lost) = rude_server(certificate, key);
    lives("loses_its_connections", &[(HOST, &url), ("SSL_CERT_FILE", root.to_str().expect("text"))]);
    fs::remove_file(&root).expect("it was written");
    assert!(lost.load(Ordering::SeqCst) >= ATTEMPTS, "each attempt came to the server, and was lost there");
}

#[test]
#[ignore = "the child of a_host_with_sigpipe_at_its_default_outlives_a_lost_tls_connection"]
fn loses_its_connections() {
    sigpipe::reset();
    let host = std::env::var(HOST).expect("a parent starts this");
    let segment = Segment::new("key").host(host).flush_at(1).retry(RetryPolicy::new().max_retries(0));
    let analytics = Analytics::builder().segment(segment).build().expect("valid");
    for number in 0..ATTEMPTS {
        analytics.track(Track::new("Lost").user_id(number).property("p", "x".repeat(20_000))).expect("accepted");
        assert_eq!(analytics.flush_blocking(SOON).pending, 0, "it ends");
    }
    assert_eq!(analytics.stats().delivered, 0);
    println!("\nstill here");
}

/// Returns whether SIGPIPE is blocked, for each thread whose name begins with `name`.
fn blocked(name: &str) -> Vec<bool> {
    let tasks = fs::read_dir("/proc/self/task").expect("this is Linux").flatten().map(|task| task.path());
    let read = |file: std::path::PathBuf| fs::read_to_string(file).unwrap_or_default();
    let named = tasks.filter(|task| read(task.join("comm")).starts_with(name));
    let mask = |status: String| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).map(str::trim).map(str::to_owned);
        mask.map_or(0, |mask| u64::from_str_radix(&mask, 16).expect("a number"))
    };
    const SIGPIPE: u64 = 1 << 12;
    named.map(|task| mask(read(task.join("status"))) & SIGPIPE != 0).collect()
}

#[test]
fn every_thread_of_a_client_blocks_sigpipe_and_none_of_its_host() {
    lives("looks_at_its_threads", &[]);
}

#[test]
#[ignore = "the child of every_thread_of_a_client_blocks_sigpipe_and_none_of_its_host"]
fn looks_at_its_threads() {
    let api = TrackingApi::start().expect("a free port");
    api.set_default(tracklane::testing::Reply::hang());
    let host = api.url().replace("127.0.0.1", "localhost");
    let segment = Segment::new("key").host(host).flush_at(1).retry(RetryPolicy::new().max_retries(0));
    let analytics = Analytics::builder().segment(segment).build().expect("valid");
    // Name resolution and the callback run on threads for blocking work.
    analytics.track(Track::new("Looks").user_id("u")).expect("accepted");
    let waiting = analytics.clone();
    let waits = thread::spawn(move || pollster::block_on(waiting.flush(Duration::from_secs(2))));
    let give_up = Instant::now() + SOON;
    // The pipeline's thread, one for blocking work, the watchdog's, and the one that waits.
    while blocked("tracklane").len() < 4 || blocked("tracklane").contains(&false) {
        assert!(Instant::now() < give_up, "threads that block SIGPIPE: {:?}", blocked("tracklane"));
        thread::yield_now();
    }
    let of_host: Vec<bool> = blocked("").into_iter().filter(|blocked| !blocked).collect();
    assert!(of_host.len() >= 2, "the host's threads are as they were");
    waits.join().expect("it ends");
    println!("\nstill here");
}
