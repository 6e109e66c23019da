//! The current request: the one that the code which runs now is handling.
//!
//! Invariant: it is set while a request's future is polled or dropped, and unset in between, so requests that share a
//! thread do not see each other. A spawned task is in no request, unless it is put into one by [`in_request`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;
use tracklane::Context;

use crate::request::RequestContext;

tokio::task_local! {
    static CURRENT: Option<RequestContext>;
}

/// Returns the context of the current request, for [`Builder::call_context`](tracklane::Builder::call_context); `None`
/// outside of requests.
///
/// ```
/// use tracklane::Analytics;
///
/// let analytics = Analytics::builder_for("WRITE_KEY").call_context(tracklane_axum::current_context).build()?;
/// # Ok::<(), tracklane::SettingsError>(())
/// ```
#[must_use]
pub fn current_context() -> Option<Context> {
    RequestContext::current().map(|request| request.context().clone())
}

/// Makes `future` part of the current request, wherever it runs later. For
/// [`tokio::spawn`](https://docs.rs/tokio/1/tokio/task/fn.spawn.html), which takes a future out of its request:
///
/// ```
/// # async fn send_receipt() {}
/// # async fn handler() {
/// tokio::spawn(tracklane_axum::in_request(async {
///     send_receipt().await; // makes calls with the request's context
/// }));
/// # }
/// ```
///
/// Outside of requests it changes nothing. A task that never ends keeps its request's context in memory.
pub fn in_request<F: Future>(future: F) -> InRequest<F> {
    InRequest::new(RequestContext::current(), future)
}

impl RequestContext {
    /// Returns the request that the calling code is handling; `None` outside of requests.
    #[must_use]
    pub fn current() -> Option<Self> {
        // An error: no layer is around, or the thread is ending.
        CURRENT.try_with(Clone::clone).ok().flatten()
    }

    /// Makes `future` part of this request. For a task or a response body that is spawned or made elsewhere.
    /// [`in_request`] does the same for the current request.
    pub fn scope<F: Future>(self, future: F) -> InRequest<F> {
        InRequest::new(Some(self), future)
    }

    /// Calls `work` as part of this request. For blocking work, and for bodies that are made piece by piece:
    ///
    /// ```
    /// use tracklane_axum::RequestContext;
    ///
    /// # async fn handler() {
    /// let request = RequestContext::current();
    /// tokio::task::spawn_blocking(move || match request {
    ///     Some(request) => request.sync_scope(render),
    ///     None => render(),
    /// });
    /// # }
    /// # fn render() {}
    /// ```
    pub fn sync_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(Some(self.clone()), work)
    }
}

pin_project! {
    /// A future that is part of a request. Made by [`in_request`] and [`RequestContext::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct InRequest<F> {
        #[pin]
        inner: TaskLocalFuture<Option<RequestContext>, F>,
    }
}

impl<F: Future> InRequest<F> {
    fn new(request: Option<RequestContext>, future: F) -> Self {
        Self { inner: CURRENT.scope(request, future) }
    }
}

impl<F: Future> Future for InRequest<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}

impl<F> fmt::Debug for InRequest<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InRequest").finish_non_exhaustive()
    }
}
