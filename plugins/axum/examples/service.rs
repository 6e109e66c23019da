//! An axum service whose events know their requests: it serves on the loopback interface, visits itself a few times,
//! shows what arrived at a tracking API in this process, and ends.
//!
//! ```text
//! cargo run -p tracklane-axum --example service
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Html;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track};
use tracklane_axum::{RequestContextLayer, TrustedProxies, Viewer, current_context, in_request};

type BoxError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let api = TrackingApi::start()?;
    let analytics = Analytics::builder()
        .segment(Segment::new("WRITE_KEY").host(api.url()))
        .call_context(current_context)
        .build()?;

    // Here the proxy is on this machine; it is the only one that is believed.
    let layer = RequestContextLayer::new()
        .trust_proxies(TrustedProxies::new(["127.0.0.1"])?)
        .origin("https://shop.example")
        .page_calls(&analytics, visitor);
    let app = Router::new()
        .route("/items/{item}", get(item))
        .route("/items/{item}/buy", post(buy))
        .layer(layer)
        .with_state(analytics.clone());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async { drop(stopped.await) });
    let server = tokio::spawn(server.into_future());

    visit(address, "GET /items/7?ref=mail", "198.51.100.1").await?;
    visit(address, "POST /items/7/buy", "198.51.100.1").await?;
    visit(address, "GET /items/8", "2001:db8::9").await?;

    // First the server, so that no call comes too late; then the client, so that none is lost.
    drop(stop);
    server.await??;
    let report = analytics.close(Duration::from_secs(10)).await;
    show(&api)?;
    if report.is_complete() && report.delivered == 4 { Ok(()) } else { Err("four events should have arrived".into()) }
}

/// Whose page view it is. A real service asks its session, and never a header that anybody may write.
fn visitor(request: &Parts) -> Viewer {
    request.headers.get("x-demo-visitor").map_or(Viewer::unknown(), |id| Viewer::anonymous(id.to_str().unwrap_or("")))
}

/// Nothing to do here: the layer sends the page call.
async fn item(Path(item): Path<u32>) -> Html<String> {
    Html(format!("<h1>Item {item}</h1>"))
}

async fn buy(State(analytics): State<Analytics>, Path(item): Path<u32>) -> StatusCode {
    let bought = Track::new("Item Purchased").user_id("019mr8mf4r").property("item", item);
    if let Err(refused) = analytics.track(bought) {
        eprintln!("{refused}");
    }
    // A task of its own is in no request, unless it is told.
    let receipt = tokio::spawn(in_request(async move {
        analytics.track(Track::new("Receipt Sent").user_id("019mr8mf4r").property("item", item))
    }));
    match receipt.await {
        Ok(Ok(())) => StatusCode::NO_CONTENT,
        _ => StatusCode::ACCEPTED,
    }
}

/// A browser behind a proxy, as far as this example needs one.
async fn visit(server: SocketAddr, what: &str, from: &str) -> Result<(), BoxError> {
    let mut stream = TcpStream::connect(server).await?;
    let request = format!(
        "{what} HTTP/1.1\r\nhost: shop.example\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\
         accept-language: de-AT,de;q=0.9,en;q=0.5\r\nreferer: https://search.example/\r\n\
         x-forwarded-for: {from}\r\nx-demo-visitor: 48d213bb\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    println!("{what:<22} {}", response.lines().next().unwrap_or_default());
    Ok(())
}

fn show(api: &TrackingApi) -> Result<(), BoxError> {
    println!("\nArrived at {}:", api.url());
    for event in api.events() {
        let name = event.get("event").or(event.get("name")).and_then(|name| name.as_str()).unwrap_or_default();
        let kind = event.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        println!("\n{kind} {name:?}");
        if let Some(context) = event.get("context") {
            println!("{}", serde_json::to_string_pretty(context)?);
        }
    }
    Ok(())
}
