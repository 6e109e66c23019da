//! An AWS Lambda handler: one client for the life of the environment, and a flush at the end of each invocation,
//! because the environment is frozen between them.
//!
//! Deployed, `main` would be `lambda_runtime::run(service_fn(handler))`; here two invocations are simulated.
//!
//! ```text
//! cargo run --example lambda
//! ```

use std::sync::OnceLock;
use std::time::Duration;

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tower::{Service, ServiceExt};
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track};

static ANALYTICS: OnceLock<Analytics> = OnceLock::new();

async fn handler(invocation: LambdaEvent<Value>) -> Result<Value, Error> {
    let analytics = ANALYTICS.get().ok_or("the client is made before the first invocation")?;
    let user = invocation.payload["user"].as_str().unwrap_or("unknown").to_owned();
    analytics
        .track(Track::new("Function Invoked").user_id(&user).property("request_id", &invocation.context.request_id))?;

    // Less than what the invocation has left: a slow network must not cost the answer.
    let report = analytics.flush(Duration::from_secs(2)).await;
    Ok(json!({ "delivered": report.delivered, "pending": report.pending }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let api = TrackingApi::start()?;
    ANALYTICS.get_or_init(|| Analytics::builder("WRITE_KEY").host(api.url()).build().expect("the settings are right"));

    let mut function = service_fn(handler);
    for user in ["ada", "grace"] {
        let invocation = LambdaEvent::new(json!({ "user": user }), Context::default());
        println!("{user}: {}", function.ready().await?.call(invocation).await?);
    }
    println!("{} events arrived in {} requests", api.events().len(), api.request_count());
    Ok(())
}
