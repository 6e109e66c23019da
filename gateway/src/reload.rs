//! Puts the file in force when it has changed, or when SIGHUP asks for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use crate::state::State;

/// The time between two looks at the file.
const EVERY: Duration = Duration::from_millis(500);

/// Works until it is stopped. `text` is the configuration in force.
pub(crate) async fn watch(state: Arc<State>, text: String, mut stopped: watch::Receiver<bool>) {
    let mut text = Some(text.into_bytes());
    let mut asked = Asked::new();
    loop {
        let is_asked = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = asked.next() => true,
            () = tokio::time::sleep(EVERY) => false,
        };
        let now = read(&state).await;
        if now.is_none() || (!is_asked && now == text) {
            continue;
        }
        text = now;
        let outcome = state.reload().await;
        state.is_current.store(outcome.is_ok(), Ordering::Release);
        match outcome {
            Ok(()) => {
                tracing::info!(target: "tracklane", file = %state.path.display(), "the configuration is in force")
            }
            Err(error) => {
                let error = tracklane::text_with_causes(&error);
                tracing::error!(target: "tracklane", %error, "the configuration is not taken; the one before stays in force");
            }
        }
    }
}

/// Reads the file; `None` while it is missing, for example between the two steps of replacing it.
async fn read(state: &State) -> Option<Vec<u8>> {
    let path = state.path.clone();
    tokio::task::spawn_blocking(move || std::fs::read(path).ok()).await.ok().flatten()
}

/// SIGHUP, where there is one.
struct Asked {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Asked {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
