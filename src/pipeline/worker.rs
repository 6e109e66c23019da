//! The worker: takes events out of the intake, in order, and sends each on its way.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower::ServiceExt;
use tower::util::BoxService;
use tower_service::Service;

use super::intake::Taken;
use super::plan::Absence;
use super::registry::{self, Command};
use super::rest::{LOOK_EVERY, Patience, Rest};
use super::{Pipeline, RegisterError, Shared, Stopped};
use crate::emitter::signal::{self, Emitted, Failure, Initialized};
use crate::error::BoxError;
use crate::event::Event;
use crate::ledger::DropReason;
use crate::plugin::Registration;
use crate::supervise::hops::{self, WithHops};
use crate::supervise::{self, LIFECYCLE_LIMIT, Stage, Watched, log};

/// The longest time that events wait for a look of the worker.
const MAX_PATIENCE: Duration = Duration::from_secs(1);
/// The part of a batch's interval that its events may wait for that.
const PATIENT_PART: u32 = 10;
/// What the user's layers are called.
const MIDDLEWARE: &str = "source middleware";

/// The user's layers around the pipeline; none, and the pipeline itself.
pub(crate) type SourceMiddleware = Option<BoxService<Event, (), BoxError>>;

pub(crate) struct Worker {
    shared: Arc<Shared>,
    pipeline: Pipeline,
    middleware: Option<Middleware>,
}

/// The user's layers, and how the watchdog sees them.
struct Middleware {
    service: BoxService<Event, (), BoxError>,
    watched: Arc<Watched>,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, middleware: SourceMiddleware) -> Self {
        let pipeline = Pipeline::new(shared.clone());
        let middleware = middleware.map(|service| {
            let watched = shared.watchdog.watch(MIDDLEWARE, Stage::Middleware);
            Middleware { service, watched }
        });
        Self { shared, pipeline, middleware }
    }

    /// Loads the first plugins, then works until it is told to end.
    pub(crate) async fn run(mut self, first: Vec<Registration>) {
        for registration in first {
            let (name, absence) = (registration.name.clone(), Absence::of(&registration));
            if let Err(error) = registry::register(&self.shared, registration).await {
                let consequence = if matches!(error, RegisterError::Load { .. }) { absence.consequence() } else { "" };
                let mut failure =
                    Failure::new(name, format!("{}{consequence}", supervise::text_with_causes(&error)), 0);
                failure.error = Some(Arc::new(error));
                self.shared.emitter.fail(failure);
            }
        }
        // Whoever drives the pipeline by hand waits for this.
        answer(|| self.shared.loaded.send_replace(true));
        let plugins = self.shared.plan.load().names().cloned().collect();
        self.shared.emitter.emit(Emitted::Initialize(Initialized { plugins }));
        // Should anything panic after all, it costs the event at hand, not those behind it.
        while supervise::catch_future(pin!(self.work())).await.is_err() {
            log!(ERROR, "the pipeline panicked; it goes on with the next event");
        }
        // Before it is said that the worker has ended: whoever waits for that finds nothing left of it.
        self.middleware = None;
    }

    async fn work(&mut self) {
        let (mut events, mut since) = (0, Instant::now());
        loop {
            // At first, what a panic has left.
            if self.work_off(&mut events).await.is_break() {
                return;
            }
            let mut more = self.shared.intake.take();
            if more {
                // The lanes work on this thread, too.
                tokio::task::yield_now().await;
            }
            while !more {
                // Real time, whatever the client's clock: this is how soon calls are noticed, not when anything is due.
                let now = Instant::now();
                let rest = Rest::choose(events, now - since, self.shared.patience());
                if self.shared.intake.wait(rest).await {
                    (events, since) = (0, now);
                }
                more = self.shared.intake.take();
            }
        }
    }

    /// Works off what is in hand, and counts the `events`.
    async fn work_off(&mut self, events: &mut u64) -> ControlFlow<()> {
        let shared = self.shared.clone();
        while let Some(taken) = shared.intake.next() {
            match taken {
                Taken::Event(event) => {
                    *events += 1;
                    self.send(event).await;
                }
                Taken::Command(command) => match *command {
                    Command::End => {
                        registry::unload_all(&shared).await;
                        return ControlFlow::Break(());
                    }
                    command => shared.obey(command).await,
                },
            }
        }
        ControlFlow::Continue(())
    }

    async fn send(&mut self, event: Event) {
        log!(TRACE, message_id = %event.message_id(), kind = %event.kind(), "event enters the pipeline");
        if self.shared.emitter.wants_calls() {
            let _scope = hops::after(event.depth());
            self.shared.emitter.emit(signal::of_call(event.clone()));
        }
        match &mut self.middleware {
            // An event that is stopped has been counted and reported where that happened.
            None => {
                let _: Result<(), Stopped> = self.pipeline.enter(event).await;
            }
            Some(middleware) => self.shared.through(middleware, event).await,
        }
    }
}

/// Gives an answer. Whoever asked may not wait for it any more, so that it is dropped here, and the waker of whoever does
/// is called here: both are user code.
fn answer<T>(give: impl FnOnce() -> T) {
    if supervise::catch(|| drop(give())).is_err() {
        log!(ERROR, what = "waker", "panicked; the panic was caught");
    }
}

/// It ends because it was told to, or because its runtime does: then it leaves nothing for others to wait for.
impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.worker_ended();
    }
}

impl Shared {
    /// How long events may wait for a look of the worker, so that no destination gets them too late.
    fn patience(&self) -> Patience {
        let mut patience = Patience { events: usize::MAX, time: MAX_PATIENCE };
        for lane in &self.plan.load().lanes {
            let (events, interval) = lane.next_batch();
            patience.events = patience.events.min(events);
            patience.time = patience.time.min(interval / PATIENT_PART);
        }
        // Who takes single events, or listens to calls, is told of each; a test's clock moves on when nothing happens.
        if patience.events <= 1 || self.emitter.wants_calls() || self.clock.is_manual() {
            patience.time = LOOK_EVERY;
        }
        patience.time = patience.time.max(LOOK_EVERY);
        patience
    }

    async fn obey(self: &Arc<Self>, command: Command) {
        match command {
            Command::Register(registration, reply) => {
                let registered = registry::register(self, registration).await;
                answer(|| reply.send(registered));
            }
            Command::Deregister(name, reply) => match registry::deregister(self, &name) {
                Ok(ending) => self.background.spawn(async move {
                    let ended = ending.await;
                    answer(|| reply.send(ended));
                }),
                Err(error) => {
                    answer(|| reply.send(Err(error)));
                }
            },
            Command::Flush => self.plan.load().lanes.iter().for_each(|lane| lane.flush()),
            Command::Dispatch => self.plan.load().lanes.iter().for_each(|lane| lane.dispatch()),
            Command::End => {}
        }
    }

    /// Sends the event through the user's layers, which may fail, panic or keep it.
    async fn through(&self, Middleware { service, watched }: &mut Middleware, mut event: Event) {
        if let Some(ticket) = &mut event.attached.ticket {
            ticket.set_drop_reason(DropReason::Middleware);
        }
        let depth = event.depth();
        let passed = supervise::run(watched, &self.clock, LIFECYCLE_LIMIT, || {
            let passed = Box::pin(async {
                match service.ready().await?.call(event).await {
                    Err(error) if error.is::<Stopped>() => Ok(()),
                    other => other,
                }
            });
            WithHops::after(depth, passed)
        });
        if let Err(fault) = passed.await {
            let _scope = hops::after(depth);
            let mut failure = Failure::new(MIDDLEWARE, format!("{MIDDLEWARE} {fault}"), 1);
            failure.dropped = Some(DropReason::Middleware);
            failure.error = fault.into_error().map(Arc::from);
            self.emitter.fail(failure);
        }
    }
}
