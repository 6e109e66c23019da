//! An AWS Lambda handler: one client for the life of the environment, and a flush at the end of each invocation,
//! because the environment is frozen between invocations.
//!
//! The client may have a thread, which sends while a handler is busy. Or it is driven: then it works only in the flush, and
//! is never frozen in the middle of its work. See docs/EDGE.md.
//!
//! In a deployment, `main` is `lambda_runtime::run(service_fn(handler))`. This program simulates two invocations with each
//! kind of client.
//!
//! ```text
//! cargo run --example lambda
//! ```

use std::time::Duration;

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tower::{Service, ServiceExt};
use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track, signal};

async fn handler(analytics: Analytics, invocation: LambdaEvent<Value>) -> Result<Value, Error> {
    let user = invocation.payload["user"].as_str().unwrap_or("unknown").to_owned();
    analytics
        .track(Track::new("Function Invoked").user_id(&user).property("request_id", &invocation.context.request_id))?;

    // Less than the invocation's remaining time, because a slow network must not prevent the answer. Events that are
    // still pending leave with the next invocation.
    let report = analytics.flush(Duration::from_secs(2)).await;
    Ok(json!({ "delivered": report.delivered, "failed": report.failed, "pending": report.pending }))
}

/// Where the client works.
#[derive(Clone, Copy, Debug)]
enum Works {
    OnItsThread,
    Driven,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    for works in [Works::OnItsThread, Works::Driven] {
        println!("{works:?}");
        invoke_twice(works).await?;
    }
    Ok(())
}

async fn invoke_twice(works: Works) -> Result<(), Error> {
    let api = TrackingApi::start()?;
    // A request that hangs times out before the flush does, and is retried within it or in the next invocation.
    let segment = Segment::new("WRITE_KEY").host(api.url()).http_request_timeout(Duration::from_millis(900));
    let settings = Analytics::builder().segment(segment);
    // Standard error is the log of the function.
    let settings = settings.on(signal::Error, |failure| eprintln!("{failure}"));
    let settings = match works {
        Works::OnItsThread => settings,
        Works::Driven => settings.driven(tokio::time::sleep),
    };
    // Before the first invocation; a clone is the same client.
    let analytics = settings.build()?;

    let mut function = service_fn(|invocation| handler(analytics.clone(), invocation));
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
