//! Compares the pipeline with a model: after every random sequence of operations, the counts equal those of the model.
//!
//! `TRACKLANE_MODEL_CASES` is the number of random sequences, 48 by default.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use tokio::sync::watch;
use tracklane::plugin::{Batch, Destination, Verdict};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, BoxError, RegisterError, Track};

use crate::support::SOON;

const DESTINATIONS: usize = 3;
/// The time that a deregistered destination has to drain.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
enum Action {
    Track,
    Register(usize),
    Deregister(usize),
    Behave(usize, Mode),
    Flush,
    Close,
}

/// The behaviour of a destination from now on. `Works` also releases hanging batches.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Works,
    Fails,
    Panics,
    Hangs,
}

fn action() -> impl Strategy<Value = Action> {
    let mode = prop_oneof![
        2 => Just(Mode::Works),
        1 => Just(Mode::Fails),
        1 => Just(Mode::Panics),
        1 => Just(Mode::Hangs),
    ];
    prop_oneof![
        8 => Just(Action::Track),
        3 => (0..DESTINATIONS).prop_map(Action::Register),
        1 => (0..DESTINATIONS).prop_map(Action::Deregister),
        4 => (0..DESTINATIONS, mode).prop_map(|(destination, mode)| Action::Behave(destination, mode)),
        2 => Just(Action::Flush),
        1 => Just(Action::Close),
    ]
}

/// The model's state of one event at one destination.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Delivered,
    Dropped,
    /// At the destination with that number.
    Hangs(usize),
}

#[derive(Debug, Default)]
struct Model {
    modes: [Option<Mode>; DESTINATIONS],
    events: Vec<Vec<State>>,
    refused: u64,
    begun: [u64; DESTINATIONS],
    closed: bool,
}

/// Accepted, refused, delivered, dropped, pending; and how many attempts each destination has begun.
type Counts = ([u64; 5], [u64; DESTINATIONS]);

impl Model {
    fn apply(&mut self, action: Action, kept: &[Mode; DESTINATIONS]) {
        match action {
            Action::Track if self.closed => self.refused += 1,
            Action::Track => {
                let registered = self.modes.iter().enumerate().filter_map(|(at, mode)| Some((at, (*mode)?)));
                let states: Vec<(usize, State)> = registered.map(|(at, mode)| (at, mode.state(at))).collect();
                states.iter().for_each(|(at, _)| self.begun[*at] += 1);
                self.events.push(states.into_iter().map(|(_, state)| state).collect());
            }
            Action::Register(at) if !self.closed => self.modes[at] = Some(kept[at]),
            Action::Deregister(at) if !self.closed => {
                self.let_go(|hangs| hangs == at, State::Dropped);
                self.modes[at] = None;
            }
            Action::Behave(at, mode) => {
                self.modes[at] = self.modes[at].map(|_| mode);
                if mode == Mode::Works {
                    self.let_go(|hangs| hangs == at, State::Delivered);
                }
            }
            Action::Close => {
                self.let_go(|_| true, State::Dropped);
                self.closed = true;
            }
            Action::Register(_) | Action::Deregister(_) | Action::Flush => {}
        }
    }

    fn let_go(&mut self, who: impl Fn(usize) -> bool, outcome: State) {
        let states = self.events.iter_mut().flatten();
        states.filter(|state| matches!(state, State::Hangs(at) if who(*at))).for_each(|state| *state = outcome);
    }

    fn counts(&self) -> Counts {
        let (mut delivered, mut dropped, mut pending) = (0, 0, 0);
        for states in &self.events {
            match states {
                states if states.iter().any(|state| matches!(state, State::Hangs(_))) => pending += 1,
                states if states.contains(&State::Delivered) => delivered += 1,
                _ => dropped += 1,
            }
        }
        ([self.events.len() as u64, self.refused, delivered, dropped, pending], self.begun)
    }
}

impl Mode {
    fn state(self, at: usize) -> State {
        match self {
            Mode::Works => State::Delivered,
            Mode::Fails | Mode::Panics => State::Dropped,
            Mode::Hangs => State::Hangs(at),
        }
    }
}

/// The real thing.
struct Real {
    analytics: Analytics,
    clock: ManualClock,
    modes: [Arc<Mutex<Mode>>; DESTINATIONS],
    gates: [watch::Sender<()>; DESTINATIONS],
    begun: [Arc<AtomicU64>; DESTINATIONS],
}

impl Real {
    fn new() -> Self {
        let clock = ManualClock::new();
        let analytics = Analytics::builder().clock(clock.clone()).build().expect("nothing to be wrong");
        let modes = std::array::from_fn(|_| Arc::new(Mutex::new(Mode::Works)));
        Self {
            analytics,
            clock,
            modes,
            gates: std::array::from_fn(|_| watch::channel(()).0),
            begun: Default::default(),
        }
    }

    fn modes(&self) -> [Mode; DESTINATIONS] {
        std::array::from_fn(|at| *self.modes[at].lock().expect("nobody panics with it"))
    }

    fn destination(&self, at: usize) -> Destination {
        let (mode, gate, begun) = (self.modes[at].clone(), self.gates[at].clone(), self.begun[at].clone());
        let destination = Destination::from_fn(&format!("destination {at}"), move |_: Batch| {
            let (mode, mut gate) = (*mode.lock().expect("nobody panics with it"), gate.subscribe());
            begun.fetch_add(1, Ordering::SeqCst);
            async move {
                match mode {
                    Mode::Works => {}
                    Mode::Fails => return Ok::<Verdict, BoxError>(Verdict::Reject),
                    Mode::Panics => panic!("on purpose"),
                    Mode::Hangs => gate.changed().await?,
                }
                Ok(Verdict::Delivered)
            }
        });
        // Every event is at the destination at once, and no attempt ends by itself.
        destination.max_in_flight(1000).attempt_timeout(Duration::from_secs(1 << 30))
    }

    fn apply(&self, action: Action, model: &Model) {
        match action {
            Action::Track => {
                let sent = self.analytics.track(Track::new("Modelled").user_id("u1"));
                assert_eq!(sent.is_err(), model.closed);
            }
            Action::Register(at) => {
                let registered = pollster::block_on(self.analytics.register(self.destination(at)));
                match registered {
                    Ok(()) => assert!(!model.closed && model.modes[at].is_none()),
                    Err(RegisterError::Duplicate { .. }) => assert!(model.modes[at].is_some()),
                    Err(error) => assert!(model.closed, "{error}"),
                }
            }
            Action::Deregister(at) => self.deregister(at, model),
            Action::Behave(at, mode) => {
                *self.modes[at].lock().expect("nobody panics with it") = mode;
                if mode == Mode::Works {
                    self.gates[at].send_replace(());
                }
            }
            Action::Flush => {
                let pending = model.counts().0[4];
                let limit = if pending == 0 { SOON } else { Duration::from_millis(2) };
                assert_eq!(self.analytics.flush_blocking(limit).pending, pending);
            }
            Action::Close => {
                let pending = model.counts().0[4];
                let limit = if pending == 0 { SOON } else { Duration::from_millis(2) };
                let report = self.analytics.close_blocking(limit);
                assert_eq!((report.pending, report.unsent.len() as u64), (pending, pending));
            }
        }
    }

    /// Batches that hang there are given up when the time to drain is over.
    fn deregister(&self, at: usize, model: &Model) {
        let hanging = model.events.iter().flatten().any(|state| *state == State::Hangs(at)) && !model.closed;
        let (analytics, clock) = (self.analytics.clone(), self.clock.clone());
        let ends = thread::spawn(move || {
            if hanging {
                assert!(clock.wait_for_sleeper(DRAIN..=DRAIN), "it drains");
                clock.advance(DRAIN);
            }
        });
        let deregistered = pollster::block_on(analytics.deregister(&format!("destination {at}")));
        ends.join().expect("it drains");
        assert_eq!(deregistered.is_ok(), model.modes[at].is_some() && !model.closed, "{deregistered:?}");
    }

    /// Returns the counts once they are `expected`, or after a bound. Wrong counts stay wrong, and shrinking waits
    /// often.
    fn counts_that_settle_at(&self, expected: Counts) -> Counts {
        let give_up = Instant::now() + Duration::from_secs(2);
        while self.counts() != expected && Instant::now() < give_up {
            thread::sleep(Duration::from_millis(1));
        }
        self.counts()
    }

    fn counts(&self) -> Counts {
        let stats = self.analytics.stats();
        crate::support::assert_balanced(&stats);
        let counts = [stats.accepted, stats.refused, stats.delivered, stats.dropped.total(), stats.pending];
        (counts, std::array::from_fn(|at| self.begun[at].load(Ordering::SeqCst)))
    }
}

fn cases() -> u32 {
    std::env::var("TRACKLANE_MODEL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_counts_as_the_model_says(actions in prop::collection::vec(action(), 1..40)) {
        let (mut model, real) = (Model::default(), Real::new());
        for (step, action) in actions.iter().enumerate() {
            let kept = real.modes();
            let registers = matches!(action, Action::Register(at) if model.modes[*at].is_some());
            real.apply(*action, &model);
            if !registers {
                model.apply(*action, &kept);
            }
            let expected = model.counts();
            prop_assert_eq!(real.counts_that_settle_at(expected), expected, "after step {}: {:?}", step, action);
        }
        // Otherwise the drop would wait two seconds for hanging batches.
        real.analytics.close_blocking(Duration::from_millis(2));
    }
}
