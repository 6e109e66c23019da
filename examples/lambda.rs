//! An AWS Lambda handler: one client for the life of the environment, and a flush at the end of each invocation,
//! because the environment is frozen between invocations.
//!
//! In a deployment, `main` is `lambda_runtime::run(service_fn(handler))`. This program simulates two invocations.
//!
//! ```text
//! cargo run --example lambda
//! ```

use std::sync::OnceLock;
use std::time::Duration;

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tower::{Service, ServiceExt};
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track, signal};

static ANALYTICS: OnceLock<Analytics> = OnceLock::new();

async fn handler(invocation: LambdaEvent<Value>) -> Result<Value, Error> {
    let analytics = ANALYTICS.get().ok_or("the client is made before the first invocation")?;
    let user = invocation.payload["user"].as_str().unwrap_or("unknown").to_owned();
    analytics
        .track(Track::new("Function Invoked").user_id(&user).property("request_id", &invocation.context.request_id))?;

    // Less than the invocation's remaining time, because a slow network must not prevent the answer. Events that are
    // still pending leave with the next invocation.
    let report = analytics.flush(Duration::from_secs(2)).await;
    Ok(json!({ "delivered": report.delivered, "failed": report.failed, "pending": report.pending }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let api = TrackingApi::start()?;
    // A request that hangs times out before the flush does, and is retried within it or in the next invocation.
    let segment = Segment::new("WRITE_KEY").host(api.url()).http_request_timeout(Duration::from_millis(900));
    let settings = Analytics::builder().segment(segment);
    // Standard error is the log of the function.
    let settings = settings.on(signal::Error, |failure| eprintln!("{failure}"));
    let analytics = ANALYTICS.get_or_init(|| settings.build().expect("the settings are right"));

    let mut function = service_fn(handler);
    for user in ["ada", "grace"] {
        let invocation = LambdaEvent::new(json!({ "user": user }), Context::default());
        println!("{user}: {}", function.ready().await?.call(invocation).await?);
    }
    println!("{} events arrived in {} requests", api.events().len(), api.request_count());
    if analytics.stats().delivered == 2 {
        Ok(())
    } else {
        Err(format!("not delivered: {:?}", analytics.stats().dropped).into())
    }
}
