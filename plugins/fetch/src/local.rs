//! Futures of JavaScript where a `Send` one is wanted.

use std::future::{Future, pending};

use tokio::sync::oneshot;
use wasm_bindgen_futures::spawn_local;

/// Runs a future that holds values of JavaScript, and returns one that is `Send` and gives its output.
///
/// It begins at once. It is dropped when the one that is returned is: a timeout ends it, as it ends any other.
///
/// ```no_run
/// use tracklane::BoxError;
/// use tracklane_fetch::local;
/// use wasm_bindgen::JsValue;
/// use wasm_bindgen_futures::JsFuture;
///
/// /// In a plugin, say: asks something of the host.
/// async fn country(promise: js_sys::Promise) -> Result<String, BoxError> {
///     let country = local(async move { JsFuture::from(promise).await.ok().and_then(|value| value.as_string()) });
///     country.await.ok_or_else(|| "the host knows no country".into())
/// }
/// ```
pub fn local<F>(future: F) -> impl Future<Output = F::Output> + Send + 'static
where
    F: Future + 'static,
    F::Output: Send + 'static,
{
    let (mut answer, answered) = oneshot::channel();
    spawn_local(async move {
        tokio::select! {
            biased;
            output = future => drop(answer.send(output)),
            () = answer.closed() => {}
        }
    });
    async move {
        match answered.await {
            Ok(output) => output,
            // It panicked, which ends the program where panics abort.
            Err(_) => pending().await,
        }
    }
}
