//! Signals that end the program.

use std::future::Future;

use crate::exit::Exit;

/// Waits for Ctrl-C or a request to end. Signals count from this call on, also before the future is polled.
pub(crate) fn ended() -> impl Future<Output = Exit> + Send + 'static {
    #[cfg(unix)]
    let listening = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::interrupt()).ok(), signal(SignalKind::terminate()).ok())
    };
    async move {
        #[cfg(unix)]
        if let (Some(mut interrupt), Some(mut terminate)) = listening {
            return tokio::select! {
                _ = interrupt.recv() => Exit::Interrupted,
                _ = terminate.recv() => Exit::Fine,
            };
        }
        let _ = tokio::signal::ctrl_c().await;
        Exit::Interrupted
    }
}
