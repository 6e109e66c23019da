//! One request and its response, in values of JavaScript.
//!
//! Invariant: what is under way is aborted when it is dropped, the request as well as the rest of a response.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use js_sys::{Array, Promise, Reflect, Uint8Array};
use tokio::sync::mpsc;
use tracklane::transport::Body;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, AbortSignal, Headers, ReadableStreamDefaultReader, RequestInit, RequestRedirect};

use crate::body::FetchBody;
use crate::error::FetchError;
use crate::timeout::global;

/// Sends the request. Ends when the head of the response is there.
pub(crate) async fn send(request: Request<Body>) -> Result<Response<FetchBody>, FetchError> {
    let fetch = global("fetch").ok_or(FetchError::Unsupported)?;
    let controller = AbortController::new().map_err(|thrown| FetchError::thrown(&thrown))?;
    let abort = Abort(Some(controller));
    let (url, init) = (request.uri().to_string(), init(&request, &abort)?);
    let promise = fetch.call2(&JsValue::UNDEFINED, &url.into(), &init).map_err(|thrown| FetchError::thrown(&thrown))?;
    let response: web_sys::Response = settled(promise).await?.unchecked_into();
    let mut answer = Response::builder().status(status(&response));
    if let Some(headers) = answer.headers_mut() {
        *headers = headers_of(&response.headers());
    }
    let body = read(&response, abort);
    answer.body(body).map_err(|error| FetchError::Failed { message: error.to_string() })
}

/// Aborts what is under way when it is dropped.
struct Abort(Option<AbortController>);

impl Abort {
    fn signal(&self) -> Option<AbortSignal> {
        self.0.as_ref().map(AbortController::signal)
    }

    /// Nothing is under way any more. To abort that would cost the host an exception, which nobody sees.
    fn end(&mut self) {
        self.0 = None;
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// Waits for a promise.
async fn settled(promise: JsValue) -> Result<JsValue, FetchError> {
    JsFuture::from(promise.unchecked_into::<Promise>()).await.map_err(|thrown| FetchError::thrown(&thrown))
}

fn init(request: &Request<Body>, abort: &Abort) -> Result<RequestInit, FetchError> {
    // Pairs, not `Headers`: the host makes and checks its own from either.
    let headers = Array::new();
    for (name, value) in request.headers() {
        let text = value.to_str().map_err(|_| FetchError::Header { name: name.to_string() })?;
        headers.push(&Array::of2(&name.as_str().into(), &text.into()));
    }
    let init = RequestInit::new();
    init.set_method(request.method().as_str());
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(abort.signal().as_ref());
    let body = request.body().as_bytes();
    if !body.is_empty() {
        init.set_body(&Uint8Array::from(&**body));
    }
    Ok(init)
}

/// The status; a browser shows a redirect that it does not follow as 0.
fn status(response: &web_sys::Response) -> StatusCode {
    StatusCode::from_u16(response.status()).unwrap_or(StatusCode::FOUND)
}

fn headers_of(headers: &Headers) -> HeaderMap {
    let entries = Array::from(headers);
    let pairs = entries.iter().filter_map(|entry| {
        let entry: Array = entry.dyn_into().ok()?;
        let name = HeaderName::try_from(entry.get(0).as_string()?).ok()?;
        Some((name, HeaderValue::try_from(entry.get(1).as_string()?).ok()?))
    });
    pairs.collect()
}

/// Reads the body piece by piece, as it is asked for.
fn read(response: &web_sys::Response, mut abort: Abort) -> FetchBody {
    let (pieces, body) = mpsc::channel(1);
    let Some(stream) = response.body() else {
        abort.end();
        return FetchBody(body);
    };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    spawn_local(async move {
        let is_whole = tokio::select! {
            biased;
            () = pieces.closed() => false,
            is_whole = pass_on(&reader, &pieces) => is_whole,
        };
        if is_whole {
            abort.end();
        }
    });
    FetchBody(body)
}

/// Passes on what comes, as long as somebody wants it. Returns whether that was the whole.
async fn pass_on(reader: &ReadableStreamDefaultReader, pieces: &mpsc::Sender<Result<Bytes, FetchError>>) -> bool {
    loop {
        let piece = match settled(reader.read().into()).await {
            Ok(result) => match piece(&result) {
                Some(piece) => Ok(piece),
                None => return true,
            },
            Err(error) => Err(error),
        };
        let last = piece.is_err();
        if pieces.send(piece).await.is_err() || last {
            return false;
        }
    }
}

/// The bytes of one read; `None` at the end.
fn piece(result: &JsValue) -> Option<Bytes> {
    let done = Reflect::get(result, &"done".into()).ok()?;
    if done.is_truthy() {
        return None;
    }
    let value: Uint8Array = Reflect::get(result, &"value".into()).ok()?.dyn_into().ok()?;
    Some(value.to_vec().into())
}
