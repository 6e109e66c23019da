//! Where user code is called or dropped: its panics stay here.
//!
//! Plugins, services, their futures, errors and listeners are dropped wherever the last use of them ends: in the middle
//! of the pipeline, at times on the caller's thread. Nothing there may unwind because of them, nor because of a
//! [log line](log) or a waker. Always: whatever is thrown is dropped here, too, and may panic in that.

mod log;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

pub(crate) use log::log;

/// A panic that was caught, as text.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

impl Panicked {
    /// Takes over what was thrown.
    pub(crate) fn new(thrown: Box<dyn Any + Send>) -> Self {
        let text = thrown.downcast_ref::<&str>().copied();
        let text = text.or_else(|| thrown.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        let panicked = Self(text.to_owned());
        // What is thrown by its drop cannot be dropped either.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(thrown))) {
            std::mem::forget(again);
        }
        panicked
    }
}

/// Calls what may panic.
pub(crate) fn call<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(Panicked::new)
}

/// Drops a value that user code made.
pub(crate) fn discard<T>(value: T) {
    if call(|| drop(value)).is_err() {
        let what = std::any::type_name::<T>();
        log!(ERROR, what, "panicked while it was dropped; contained");
    }
}

/// What the value says; an error of user code may panic even then.
pub(crate) fn text(value: &(impl fmt::Display + ?Sized)) -> String {
    call(|| value.to_string()).unwrap_or_else(|_| "it panicked when asked what it is".into())
}

/// Holds a value and contains its drop.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value, which is no longer contained.
    pub(crate) fn into_inner(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Deref for Contained<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("it is taken out in drop only"),
        }
    }
}

impl<T> DerefMut for Contained<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some(value) => value,
            None => unreachable!("it is taken out in drop only"),
        }
    }
}

impl<F: Future + Unpin> Future for Contained<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(&mut **self).poll(cx)
    }
}

impl<T: fmt::Debug> fmt::Debug for Contained<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            discard(value);
        }
    }
}
