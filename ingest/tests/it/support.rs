//! A server around a store, and a client that says every byte itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tracklane_ingest::{Answer, Ingest, Limits, Request, Server};

pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A server on a thread of its own, which keeps every request.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn as_segment() -> Self {
        Self::start(Limits::default(), |request| request.as_segment())
    }

    pub(crate) fn start(limits: Limits, answer: impl Fn(&Request) -> Answer + Clone + Send + Sync + 'static) -> Self {
        Self::with(limits, answer, |ingest| ingest)
    }

    pub(crate) fn with(
        limits: Limits,
        answer: impl Fn(&Request) -> Answer + Clone + Send + Sync + 'static,
        change: impl FnOnce(Ingest<Deciding>) -> Ingest<Deciding> + Send + 'static,
    ) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let server = Server::bind(["127.0.0.1:0".parse().unwrap()]).await.unwrap().limits(limits.clone());
                tell.send(server.addresses()[0]).unwrap();
                let decide = move |request: Request| {
                    let answered = answer(&request);
                    kept.lock().unwrap().push(request);
                    answered
                };
                let router = change(Ingest::new(Deciding(Arc::new(decide))).limits(limits)).router();
                server.serve(router, async { drop(stopped.await) }).await;
            });
        });
        Self { address: told.recv().unwrap(), requests, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream
    }

    /// All of the answer to a request with these header lines and this body.
    pub(crate) fn send(&self, line: &str, headers: &str, body: &[u8]) -> String {
        let mut stream = self.connect();
        let length = body.len();
        let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n");
        stream.write_all(format!("{head}{headers}\r\n").as_bytes()).unwrap();
        // The server may answer before it has read all.
        let _ = stream.write_all(body);
        read(&mut stream)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        self.send(&format!("POST {path}"), "", body.as_bytes())
    }

    pub(crate) fn last(&self) -> Request {
        self.requests.lock().unwrap().last().expect("a request arrived").clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The service behind the routes.
#[derive(Clone)]
pub(crate) struct Deciding(Arc<dyn Fn(Request) -> Answer + Send + Sync>);

impl tower_service::Service<Request> for Deciding {
    type Response = Answer;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Answer, Self::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        std::future::ready(Ok((self.0)(request)))
    }
}

/// What comes until the connection ends, however it does.
pub(crate) fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
