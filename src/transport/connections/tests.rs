//! Tests: a pool over time, against servers on this machine.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::dns::{Addrs, Name, Resolving};

use super::*;

/// Answers every request on a connection, and counts connections.
fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = connections.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counter.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while stream.read(&mut request).is_ok_and(|read| read > 0) {
                    if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, connections)
}

/// A host name whose address changes.
#[derive(Clone)]
struct Moving(Arc<Mutex<SocketAddr>>);

impl Resolve for Moving {
    fn resolve(&self, _: Name) -> Resolving {
        let address = *self.0.lock().unwrap();
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
    }
}

#[tokio::test]
async fn a_busy_client_follows_its_host_to_another_address() {
    let [(old, at_old), (new, at_new)] = [server(), server()];
    let name = Moving(Arc::new(Mutex::new(old)));
    let proxies = Arc::new(Proxies::OfEnvironment { http: None, https: None, except: Default::default() });
    let settings = Settings { tls: Tls::trusting_nobody().unwrap(), proxies, resolver: Arc::new(name.clone()) };
    let connections = Connections::new(settings).unwrap();
    let send = || {
        // The port of the address counts if the URL has none.
        let sent = connections.pool().client.get("http://moves.example").send();
        async { sent.await.unwrap().bytes().await.unwrap() }
    };
    let advance = async |by: Duration| {
        tokio::time::pause();
        tokio::time::advance(by).await;
        tokio::time::resume();
    };

    send().await;
    *name.0.lock().unwrap() = new;
    for _ in 0..9 {
        // Never idle for long.
        advance(MAX_AGE / 10).await;
        send().await;
    }
    let counts = || [&at_old, &at_new].map(|counter| counter.load(Ordering::SeqCst));
    assert_eq!(counts(), [1, 0], "one connection is used again and again");
    advance(MAX_AGE / 10).await;
    send().await;
    send().await;
    assert_eq!(counts(), [1, 1], "and is left when it is too old");
}
