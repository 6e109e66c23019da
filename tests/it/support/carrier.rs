//! Where the client of a trial works: on its own thread, or driven by a runtime of the test's.

use std::cell::Cell;
use std::future::{Future, pending};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder as RuntimeBuilder, Handle};
use tokio::sync::oneshot;
use tracklane::{Analytics, Builder, CloseReport, FlushReport};

thread_local!(static DRIVEN: Cell<bool> = const { Cell::new(false) });

/// Has the trials of `row` drive their clients.
pub(crate) fn driven(row: impl FnOnce()) {
    DRIVEN.set(true);
    row();
    DRIVEN.set(false);
}

/// Who does the client's work.
pub(crate) enum Carrier {
    OwnThread,
    Driven(Host),
}

/// Which of these, before there is a client.
pub(crate) struct Chosen {
    driven: bool,
}

impl Carrier {
    /// As the thread of the test says.
    pub(crate) fn choose(settings: Builder) -> (Builder, Chosen) {
        let driven = DRIVEN.get();
        (if driven { settings.driven(tokio::time::sleep) } else { settings }, Chosen { driven })
    }

    pub(crate) fn flush(&self, analytics: &Analytics, timeout: Duration) -> FlushReport {
        match self {
            Carrier::OwnThread => analytics.flush_blocking(timeout),
            Carrier::Driven(host) => {
                let analytics = analytics.clone();
                host.block_on(async move { analytics.flush(timeout).await })
            }
        }
    }

    pub(crate) fn close(&self, analytics: &Analytics, timeout: Duration) -> CloseReport {
        match self {
            Carrier::OwnThread => analytics.close_blocking(timeout),
            Carrier::Driven(host) => {
                let analytics = analytics.clone();
                host.block_on(async move { analytics.close(timeout).await })
            }
        }
    }
}

impl Chosen {
    pub(crate) fn start(&self, analytics: &Analytics) -> Carrier {
        if self.driven { Carrier::Driven(Host::start(analytics.clone())) } else { Carrier::OwnThread }
    }
}

/// A current-thread runtime, on a thread of the test's, that drives a client until it is dropped.
pub(crate) struct Host {
    runtime: Handle,
    _stop: oneshot::Sender<()>,
}

impl Host {
    fn start(analytics: Analytics) -> Self {
        let (started, runtime) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            let runtime = RuntimeBuilder::new_current_thread().enable_all().build().expect("a runtime");
            started.send(runtime.handle().clone()).expect("the test waits");
            runtime.block_on(async move {
                let drives = async move {
                    analytics.drive().await;
                    drop(analytics);
                    pending::<()>().await
                };
                tokio::select! {
                    _ = stopped => {}
                    () = drives => {}
                }
            });
        });
        Self { runtime: runtime.recv().expect("it starts"), _stop: stop }
    }

    fn block_on<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (done, end) = mpsc::channel();
        self.runtime.spawn(async move { done.send(work.await) });
        end.recv().expect("it ends")
    }
}
