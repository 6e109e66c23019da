//! An operator's word that a destination takes events again: what is parked of it is tried at once.

use std::sync::Arc;

use futures_util::StreamExt;
use tracklane::BoxError;

use super::targets::SharedTargets;
use crate::jetstream::{JetStream, ReleaseRequest, release_subject};

/// Ends the waits of the destinations that operators name.
pub(super) async fn serve(log: Arc<JetStream>, behind_park: SharedTargets) {
    if let Err(error) = answer(&log, &behind_park).await {
        tracing::warn!(target: "tracklane", %error, "the worker does not hear `tracklane park release`");
    }
}

/// Answers as long as there is a client, which subscribes again by itself when NATS was away.
async fn answer(log: &JetStream, behind_park: &SharedTargets) -> Result<(), BoxError> {
    let client = log.context().client();
    let mut requests = client.subscribe(release_subject(&log.config().name)).await?;
    while let Some(request) = requests.next().await {
        let Ok(ReleaseRequest { pipeline, destination }) = serde_json::from_slice(&request.payload) else { continue };
        let named = behind_park.of(&pipeline).unwrap_or_default().iter().find(|target| target.name == destination);
        let Some(target) = named else { continue };
        target.pause.end();
        if let Some(reply) = request.reply {
            client.publish(reply, bytes::Bytes::new()).await?;
        }
    }
    Ok(())
}
