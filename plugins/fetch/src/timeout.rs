//! A sleep by the host's `setTimeout`.

use std::future::Future;
use std::time::Duration;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::local::local;

/// The longest time that a host can be told; more than that ends at once.
const LONGEST: u32 = i32::MAX as u32;

/// Ends after `time`, in whole milliseconds, by the host's `setTimeout`. For
/// [`Builder::driven`](tracklane::Builder::driven). A host without timers never ends it.
pub fn sleep(time: Duration) -> impl Future<Output = ()> + Send + 'static {
    let milliseconds = u32::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(LONGEST).min(LONGEST);
    local(async move {
        let mut timer = Timer(JsValue::UNDEFINED);
        let promise = Promise::new(&mut |resolve, _| {
            if let Some(set_timeout) = global("setTimeout") {
                timer.0 = set_timeout.call2(&JsValue::UNDEFINED, &resolve, &milliseconds.into()).unwrap_or_default();
            }
        });
        // It is never rejected.
        let _ = JsFuture::from(promise).await;
    })
}

/// A timer of the host's, which goes when nobody waits for it any more: it would keep a program of Node alive.
struct Timer(JsValue);

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(clear_timeout) = global("clearTimeout") {
            let _ = clear_timeout.call1(&JsValue::UNDEFINED, &self.0);
        }
    }
}

/// A function of the host's, whatever its global object is: a window, a worker's scope, or that of Node.
pub(crate) fn global(name: &str) -> Option<Function> {
    Reflect::get(&js_sys::global(), &name.into()).ok()?.dyn_into().ok()
}
