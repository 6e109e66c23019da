//! An HTTP client that sends the first requests elsewhere, and servers that write raw bytes.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use http::Request;
use tower_service::Service;
use tracklane::transport::{Body, DefaultClient, HttpClient};

/// The default client, whose first requests go to another base URL than the one that is set.
pub(crate) struct Detour;

impl Detour {
    /// Leads `requests` requests to `base`; those that come later go where they should.
    pub(crate) fn first(requests: usize, base: &str) -> HttpClient {
        let client = DefaultClient::new().expect("this machine has certificates");
        let (base, left) = (base.to_owned(), Arc::new(AtomicUsize::new(requests)));
        HttpClient::new(tower::service_fn(move |mut request: Request<Body>| {
            let less = |left: usize| left.checked_sub(1);
            if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
                let path = request.uri().path().to_owned();
                *request.uri_mut() = format!("{base}{path}").parse().expect("a URL");
            }
            let mut client = client.clone();
            async move { client.call(request).await }
        }))
    }
}

/// A server that handles each connection as the test says.
pub(crate) struct Wire {
    pub(crate) url: String,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Wire {
    /// Every connection is served on a thread of its own, which ends with the process at the latest.
    pub(crate) fn serve(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (connections, serve) = (Arc::new(AtomicUsize::new(0)), Arc::new(serve));
        let counter = connections.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let serve = serve.clone();
                stream.set_read_timeout(Some(Duration::from_secs(20))).expect("not zero");
                thread::spawn(move || serve(stream));
            }
        });
        Wire { url, connections }
    }

    /// Returns a URL without a listener.
    pub(crate) fn refusing() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("bound"))
    }

    /// Reads the head of a request, and the part of its body that came with it.
    pub(crate) fn read_head(stream: &mut TcpStream) -> Vec<u8> {
        let (mut head, mut bytes) = (Vec::new(), [0; 1024]);
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut bytes) {
                Ok(read) if read > 0 => head.extend_from_slice(&bytes[..read]),
                _ => break,
            }
        }
        head
    }
}
