//! Why there is no response.

use wasm_bindgen::{JsCast, JsValue};

/// The error of a request that has no response, as the host says it. It names no URL and no header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The host has no function `fetch`.
    #[error("this host has no fetch: give the client another HTTP client")]
    Unsupported,
    /// A header of the request is not one that JavaScript takes.
    #[error("the header {name:?} has a value that fetch does not take")]
    Header {
        /// Its name.
        name: String,
    },
    /// The request failed: no connection, no TLS session, a browser's rule, or a response that broke off.
    #[error("fetch failed: {message}")]
    Failed {
        /// What the host says.
        message: String,
    },
}

impl FetchError {
    /// What was thrown.
    pub(crate) fn thrown(thrown: &JsValue) -> Self {
        let message = match thrown.dyn_ref::<js_sys::Error>() {
            Some(error) => String::from(error.message()),
            None => thrown.as_string().unwrap_or_else(|| "the host threw what is no error".to_owned()),
        };
        FetchError::Failed { message }
    }
}
