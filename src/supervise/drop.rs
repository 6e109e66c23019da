//! Drops and displays values of foreign code.
//!
//! Plugins, services, their futures and errors are dropped wherever their last use ends: in the middle of the pipeline,
//! at times on the caller's thread. Invariant: nothing unwinds there.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{catch, log};

/// Drops a value of foreign code.
pub(crate) fn discard<T>(value: T) {
    if catch(|| drop(value)).is_err() {
        let what = std::any::type_name::<T>();
        log!(ERROR, what, "panicked while it was dropped; the panic was caught");
    }
}

/// Displays a value. An error of foreign code may panic in that.
pub(crate) fn text(value: &(impl fmt::Display + ?Sized)) -> String {
    catch(|| value.to_string()).unwrap_or_else(|_| "its text is unknown: it panicked while it was displayed".into())
}

/// Returns an error and its causes in one line, the outermost first: `cannot connect: connection refused`. If an error
/// panics while it is displayed, another text replaces its own. A cause that an error has named itself is not repeated.
///
/// ```
/// #[derive(Debug)]
/// struct NotSent(std::fmt::Error);
///
/// impl std::fmt::Display for NotSent {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         // Many errors end with their cause.
///         write!(f, "not sent: {}", self.0)
///     }
/// }
///
/// impl std::error::Error for NotSent {
///     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
///         Some(&self.0)
///     }
/// }
///
/// let text = tracklane::text_with_causes(&NotSent(std::fmt::Error));
/// assert_eq!(text, "not sent: an error occurred when formatting an argument");
/// ```
#[must_use]
pub fn text_with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = text(error);
    let mut cause = cause_of(error);
    while let Some(error) = cause {
        let text = text(error);
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = cause_of(error);
    }
    line
}

/// Returns the cause of an error. An error of foreign code may panic in that.
fn cause_of<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e (dyn std::error::Error + 'static)> {
    catch(|| error.source()).ok().flatten()
}

/// Holds a value and catches the panic of its drop.
pub(crate) struct CatchDrop<T>(Option<T>);

impl<T> CatchDrop<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// Returns the value. Its drop is not caught any more.
    pub(crate) fn into_inner(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Deref for CatchDrop<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("it is taken out in drop only"),
        }
    }
}

impl<T> DerefMut for CatchDrop<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some(value) => value,
            None => unreachable!("it is taken out in drop only"),
        }
    }
}

impl<F: Future + Unpin> Future for CatchDrop<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(&mut **self).poll(cx)
    }
}

impl<T: fmt::Debug> fmt::Debug for CatchDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T> Drop for CatchDrop<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            discard(value);
        }
    }
}
