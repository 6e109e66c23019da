//! A real axum server on the loopback interface, whose client sends to a local tracking API.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Builder, Track};
use tracklane_axum::current_context;

pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) struct Server {
    address: SocketAddr,
    analytics: Analytics,
    api: TrackingApi,
}

impl Server {
    /// Serves what `routes` makes of the client.
    pub(crate) async fn start(routes: impl FnOnce(Analytics) -> Router) -> Server {
        Server::start_with(|settings| settings, routes).await
    }

    /// The same with other settings of the client.
    pub(crate) async fn start_with(
        settings: impl FnOnce(Builder) -> Builder,
        routes: impl FnOnce(Analytics) -> Router,
    ) -> Server {
        let api = TrackingApi::start().unwrap();
        let builder = Analytics::builder()
            .segment(Segment::new("key").host(api.url()).max_in_flight(1))
            .call_context(current_context);
        let analytics = settings(builder).build().unwrap();
        let app = routes(analytics.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());
        Server { address, analytics, api }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn get(&self, target: &str, headers: &[(&str, &str)]) -> String {
        request(self.address, "GET", target, headers).await
    }

    pub(crate) async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
        request(self.address, method, target, headers).await
    }

    /// What the tracking API got, in order, once everything was delivered.
    pub(crate) async fn events(&self) -> Vec<Value> {
        assert!(self.analytics.close(SOON).await.is_complete());
        self.api.events()
    }

    /// The bodies of all requests that the tracking API got, as text.
    pub(crate) async fn wire(&self) -> String {
        self.events().await;
        self.api.requests().iter().map(|request| String::from_utf8_lossy(request.body()).into_owned()).collect()
    }
}

/// One request on a connection of its own. Returns the response as it came.
pub(crate) async fn request(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {target} HTTP/1.1\r\nhost: shop.example:8080\r\nconnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    };
    tokio::time::timeout(SOON, exchange).await.unwrap()
}

/// A call that says nothing of the request.
pub(crate) fn track(analytics: &Analytics, who: &str) {
    analytics.track(Track::new("Tested").user_id(who)).unwrap();
}

/// The contexts of events, without the library that sent them.
pub(crate) fn contexts(events: &[Value]) -> Vec<Value> {
    let mut contexts: Vec<_> = events.iter().map(|event| event["context"].clone()).collect();
    contexts.iter_mut().for_each(|context| drop(context.as_object_mut().unwrap().remove("library")));
    contexts
}
