//! Times single calls.
//!
//! Each figure includes two readings of the clock.

use std::hint::spin_loop;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::pace::Pace;
use super::report::ClientReport;
use super::scenario::Scenario;
use super::stats::quantile;

/// The inputs of the calls, each with its time.
pub(crate) struct Inputs<T, P> {
    made: std::vec::IntoIter<T>,
    prepare: P,
    numbers: std::ops::Range<u64>,
    pause: Duration,
    last: Instant,
}

impl<T, P: Fn(u64) -> T> Inputs<T, P> {
    pub(crate) fn new(pace: Pace, numbers: std::ops::Range<u64>, prepare: P) -> Self {
        let made: Vec<T> = if pace.ahead { numbers.clone().map(&prepare).collect() } else { Vec::new() };
        let (pause, last) = (Duration::from_micros(pace.pause), Instant::now());
        Self { made: made.into_iter(), prepare, numbers, pause, last }
    }
}

impl<T, P: Fn(u64) -> T> Iterator for Inputs<T, P> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let number = self.numbers.next()?;
        let input = self.made.next().unwrap_or_else(|| (self.prepare)(number));
        if !self.pause.is_zero() {
            while self.last.elapsed() < self.pause {
                spin_loop();
            }
            self.last = Instant::now();
        }
        Some(input)
    }
}

/// Times each call of `work`, on the scenario's number of threads. Returns nanoseconds.
pub(crate) fn time<W, T: Send>(
    scenario: &Scenario<W>,
    prepare: impl Fn(u64) -> T + Sync,
    work: impl Fn(T) + Sync,
) -> Vec<u64> {
    let pace = scenario.calls.unwrap_or_default();
    let (each, start) = (scenario.events / pace.threads, Barrier::new(pace.threads as usize));
    thread::scope(|scope| {
        let start_thread = |thread: u64| {
            let (start, prepare, work) = (&start, &prepare, &work);
            scope.spawn(move || {
                let inputs = Inputs::new(pace, thread * each..(thread + 1) * each, prepare);
                let mut times = Vec::with_capacity(each as usize);
                start.wait();
                times.extend(inputs.map(|input| time_one(|| work(input))));
                times
            })
        };
        let threads: Vec<_> = (0..pace.threads).map(start_thread).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}

pub(crate) fn time_one(work: impl FnOnce()) -> u64 {
    let before = Instant::now();
    work();
    before.elapsed().as_nanos() as u64
}

/// Returns a report with only the calls.
pub(crate) fn report(mut calls: Vec<u64>) -> ClientReport {
    calls.sort_unstable();
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| quantile(&calls, share));
    ClientReport { p50, p99, p999, ..ClientReport::default() }
}
