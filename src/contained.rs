//! Around a value that user code made: a panic in its drop stays here.
//!
//! Plugins, services, their futures and listeners are dropped wherever the last use of them ends: in the middle of
//! the pipeline, at times under a lock. Nothing there may unwind because of them. What is called on the value is not
//! guarded here, but for what an error says ([`text`]).

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What the value says; an error of user code may panic even then.
pub(crate) fn text(value: &(impl fmt::Display + ?Sized)) -> String {
    catch_unwind(AssertUnwindSafe(|| value.to_string())).unwrap_or_else(|_| "it panicked when asked what it is".into())
}

/// Holds a value and contains its drop.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
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
        let value = self.0.take();
        if catch_unwind(AssertUnwindSafe(|| drop(value))).is_err() {
            let what = std::any::type_name::<T>();
            tracing::error!(target: "tracklane", what, "panicked while it was dropped; contained");
        }
    }
}
