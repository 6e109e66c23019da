//! The checks after a round: they look up every id.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use tracklane::{Analytics, CloseReport, DropReason, Outcome};

use super::round::{End, Ended, Round, SOON, Seen, Speed};

impl Round {
    pub(super) fn check(
        &self,
        seen: &Seen,
        accepted: &[String],
        reports: Vec<CloseReport>,
        client: Option<Analytics>,
    ) -> Result<Ended, String> {
        let is = |holds: bool, what: String| if holds { Ok(()) } else { Err(what) };
        let give_up = Instant::now() + SOON;
        let called = || seen.calls.lock().unwrap().len();
        let pending = || client.as_ref().map_or(0, |client| client.stats().pending);
        while (called() < accepted.len() || pending() > 0) && Instant::now() < give_up {
            thread::sleep(Duration::from_millis(1));
        }
        is(pending() == 0, format!("{} of {} are pending for ever", pending(), accepted.len()))?;
        let calls = seen.calls.lock().unwrap();
        let uncalled = accepted.iter().filter(|id| !calls.contains_key(*id)).count();
        is(uncalled == 0, format!("{uncalled} of {} callbacks never ran", accepted.len()))?;
        is(calls.len() == accepted.len(), "a callback for what was not accepted".to_owned())?;
        if let Some(client) = &client {
            let stats = client.stats();
            is(stats.accepted == accepted.len() as u64, format!("{} of {} counted", stats.accepted, accepted.len()))?;
            is(stats.delivered + stats.dropped.total() == stats.accepted, format!("{stats:?}"))?;
        }
        let mut handed_back = HashSet::new();
        let mut promised = 0;
        for report in reports {
            let sum = report.delivered + report.dropped + report.failed + report.pending;
            is(sum == accepted.len() as u64 || client.is_none(), format!("{} of {sum} reported", accepted.len()))?;
            is(report.unsent.len() as u64 <= report.pending, format!("more handed back than pending: {report:?}"))?;
            promised = promised.max(report.pending);
            for event in report.unsent {
                let id = event.message_id().into_owned();
                is(calls.contains_key(&id), format!("{id:?} is handed back, and was never accepted"))?;
                is(handed_back.insert(id.clone()), format!("{id} is handed back twice"))?;
            }
        }
        let arrived = seen.arrived.lock().unwrap();
        let mut ended = Ended { accepted: accepted.len(), handed_back: handed_back.len(), ..Ended::default() };
        let mut unaccounted = 0;
        for id in accepted {
            let ends = &calls[id];
            is(ends.len() == 1, format!("the callback of {id} ran {} times", ends.len()))?;
            let (told, outcome) = &ends[0];
            is(told == id, format!("the callback of {id} was told of {told:?}"))?;
            match outcome {
                Outcome::Delivered => {
                    ended.delivered += 1;
                    let there = arrived.contains(id) || self.changes;
                    is(there, format!("{id} is called delivered, and arrived nowhere"))?;
                    let partly = self.destinations.len() > 1 || self.changes;
                    is(partly || !handed_back.contains(id), format!("{id} is delivered and handed back"))?;
                }
                Outcome::Dropped(DropReason::Closed) => {
                    ended.dropped += 1;
                    unaccounted += u64::from(!handed_back.contains(id));
                }
                Outcome::Dropped(reason) => {
                    ended.dropped += 1;
                    let expected = match reason {
                        DropReason::Rejected => self.destinations.contains(&Speed::Refusing),
                        DropReason::RetriesExhausted => self.destinations.contains(&Speed::Failing),
                        DropReason::NoDestination | DropReason::Unavailable => self.changes,
                        DropReason::QueueFull => self.destinations.len() > 1 || self.changes,
                        _ => false,
                    };
                    is(expected, format!("{id} was dropped as {reason}"))?;
                    // The last destination makes the outcome, and another may not have had the event.
                    let partly = self.destinations.len() > 1 || self.changes;
                    is(
                        partly || !handed_back.contains(id),
                        format!("{id} was dropped as {reason}, and is handed back"),
                    )?;
                }
            }
        }
        // Except the events that a plugin held.
        let handed_over = !self.is_dropped() && self.end != End::CloseAndDrop;
        is(
            !handed_over || unaccounted <= self.hands() as u64,
            format!("{unaccounted} of {} were not handed back", accepted.len()),
        )?;
        Ok(ended)
    }
}
