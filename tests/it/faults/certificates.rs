//! Certificates from a trusted authority, each with one fault.
//!
//! The default client trusts the certificates that the machine trusts. On Linux an environment variable names them. So
//! each test runs again in its own process, which trusts the authority of the test.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};
use tracklane::transport::SendErrorKind;

use super::http::kind;
use crate::support::{Trial, Wire, eventually};

/// The environment variable with the directory of the child's certificates.
const CERTIFICATES: &str = "TRACKLANE_CERTIFICATES";
const HOST: &str = "127.0.0.1";

#[test]
fn an_expired_certificate_is_refused_until_it_is_renewed() {
    let expired = || {
        let mut params = params(HOST);
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        params
    };
    refused_until_replaced("an_expired_certificate_is_refused_until_it_is_renewed", expired, "expired");
}

#[test]
fn a_certificate_for_another_host_is_refused_until_it_is_replaced() {
    let test = "a_certificate_for_another_host_is_refused_until_it_is_replaced";
    refused_until_replaced(test, || params("elsewhere.example"), "not valid for name");
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).expect("a name")
}

#[track_caller]
fn refused_until_replaced(test: &str, wrong: impl Fn() -> CertificateParams, problem: &str) {
    match std::env::var_os(CERTIFICATES) {
        Some(directory) => deliver_once_replaced(Path::new(&directory), problem),
        None => run_again(test, &wrong()),
    }
}

/// Issues both certificates, and runs the test where their authority is trusted, and no other.
#[track_caller]
fn run_again(test: &str, wrong: &CertificateParams) {
    let directory = Directory::new(test);
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let root = STANDARD.encode(authority.self_signed(&key).expect("a certificate").der());
    let root = format!("-----BEGIN CERTIFICATE-----\n{root}\n-----END CERTIFICATE-----\n");
    fs::write(directory.0.join("root.pem"), root).expect("a directory of our own");
    let authority = Issuer::new(authority, key);
    for (name, params) in [("wrong", wrong), ("right", &params(HOST))] {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        fs::write(directory.0.join(name), certificate.der()).expect("a directory of our own");
        fs::write(directory.0.join(format!("{name}.key")), key.serialize_der()).expect("a directory of our own");
    }
    let mut again = Command::new(std::env::current_exe().expect("this binary"));
    again.args(["--exact", &format!("faults::certificates::{test}"), "--nocapture"]);
    again.env("SSL_CERT_FILE", directory.0.join("root.pem")).env_remove("SSL_CERT_DIR").env(CERTIFICATES, &directory.0);
    let ended = again.output().expect("a process");
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

/// The child's part: it trusts the authority.
#[track_caller]
fn deliver_once_replaced(directory: &Path, problem: &str) {
    let front = Front::new(directory);
    let mut trial = Trial::with_segment(|segment| segment.host(front.wire.url.replace("http://", "https://")));
    front.address.set(trial.api.url().replace("http://", "")).expect("set once");
    trial.send(3);
    eventually("it is tried again and again", || front.wire.connections.load(Ordering::SeqCst) >= 3);
    let failure = trial.wait_for_failure("the handshake that failed", |_| true);
    assert_eq!((kind(&failure), failure.dropped), (Some(SendErrorKind::Tls), None), "{failure}");
    assert!(failure.message.contains(problem), "only that is wrong: {failure}");
    assert_eq!(front.heard.load(Ordering::SeqCst), 0, "nothing was said to it");
    assert_eq!(trial.api.request_count(), 0);
    front.show("right");
    assert_eq!(trial.settled(), (3, 0));
    let ended = trial.survives();
    assert!(front.heard.load(Ordering::SeqCst) > 0, "they went through the front");
    assert_eq!(ended.failures.len(), 1, "one report while it fails: {:?}", ended.failures);
}

/// In front of a server: ends TLS with the certificate of the moment, and hands requests on.
struct Front {
    wire: Wire,
    directory: PathBuf,
    shown: Arc<Mutex<Arc<ServerConfig>>>,
    /// The address of the server.
    address: Arc<OnceLock<String>>,
    /// Bytes that came through TLS.
    heard: Arc<AtomicUsize>,
}

impl Front {
    /// Shows the wrong certificate, at first.
    fn new(directory: &Path) -> Front {
        let shown = Arc::new(Mutex::new(Arc::new(config(directory, "wrong"))));
        let (address, heard) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
        let (current, behind, count) = (shown.clone(), address.clone(), heard.clone());
        let wire = Wire::serve(move |mut stream| {
            let config = current.lock().expect("nobody panics with it").clone();
            let session = ServerConnection::new(config).expect("the configuration is complete");
            // It ends with an alert, if the client does not like the certificate.
            let _ = hand_on(&mut rustls::StreamOwned::new(session, &mut stream), &behind, &count);
        });
        Front { wire, directory: directory.to_owned(), shown, address, heard }
    }

    fn show(&self, name: &str) {
        *self.shown.lock().expect("nobody panics with it") = Arc::new(config(&self.directory, name));
    }
}

/// The configuration of a server that presents the certificate `name`.
fn config(directory: &Path, name: &str) -> ServerConfig {
    let read = |name: &str| fs::read(directory.join(name)).expect("the parent wrote it");
    let key = PrivateKeyDer::Pkcs8(read(&format!("{name}.key")).into());
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![read(name).into()], key))
        .expect("a configuration")
}

/// One request there and its response back.
fn hand_on(
    client: &mut rustls::StreamOwned<ServerConnection, &mut TcpStream>,
    address: &OnceLock<String>,
    heard: &AtomicUsize,
) -> std::io::Result<()> {
    let (mut request, mut bytes) = (Vec::new(), [0; 16 * 1024]);
    while !is_whole(&request) {
        let read = client.read(&mut bytes)?;
        heard.fetch_add(read, Ordering::SeqCst);
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&bytes[..read]);
    }
    let text = String::from_utf8(request).expect("a request of ours");
    let request = text.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let mut server = TcpStream::connect(address.get().expect("set before anything is sent"))?;
    server.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    server.read_to_end(&mut response)?;
    client.write_all(&response)?;
    client.conn.send_close_notify();
    client.flush()
}

/// Returns whether the head and its whole body are there.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.is_some_and(|length| body.len() >= length.trim().parse().expect("a number"))
}

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("tracklane-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory of our own");
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
