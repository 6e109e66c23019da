//! Divides a batch by the answer to its events: a part is the events that share a verdict. No clock and no I/O.
//!
//! Invariant: each event of the batch is in one part. Delivered events come first, events that are tried again last.

use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{DeliveryError, SharedError};
use crate::plugin::{Answer, Verdict};
use crate::supervise;

/// Events of a batch that share a verdict.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) verdict: Verdict,
    /// The indexes of its events in the batch, in order.
    pub(super) events: Vec<usize>,
    pub(super) errors: Errors,
}

/// The cause of the verdict: one error for all events of a part, or one each.
#[derive(Clone, Debug)]
pub(super) enum Errors {
    Shared(Arc<DeliveryError>),
    /// In the order of the events.
    Each(Vec<Arc<DeliveryError>>),
}

/// The order of parts. Parts that are tried again go to the front of the waiting batches one by one, so the one with
/// the earliest event comes last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum PartOrder {
    Delivered,
    Final,
    Again(std::cmp::Reverse<usize>),
}

/// Divides a batch of so many events.
pub(super) fn parts(events: usize, answer: Answer) -> Vec<Part> {
    let Answer { verdict, status, error, body, events: own, .. } = answer;
    let shared = Arc::new(DeliveryError::new(status, error).with_body(body));
    if own.is_empty() {
        return vec![Part { verdict, events: (0..events).collect(), errors: Errors::Shared(shared) }];
    }
    let mut answers: Vec<(Verdict, Arc<DeliveryError>)> = vec![(verdict, shared.clone()); events];
    let mut last: Option<(SharedError, Arc<DeliveryError>)> = None;
    for (index, answer) in own {
        let Some(place) = answers.get_mut(index) else {
            supervise::discard(answer);
            continue;
        };
        let known = |answer: &Answer| {
            let (source, known) = last.as_ref()?;
            let is_same = Arc::ptr_eq(source, answer.error.as_ref()?) && known.status() == answer.status.or(status);
            is_same.then(|| known.clone())
        };
        let error = match known(&answer) {
            Some(known) => known,
            None if answer.error.is_none() && answer.status.is_none() => shared.clone(),
            None => {
                let source = answer.error.clone();
                let error = DeliveryError::new(answer.status.or(status), answer.error).with_body(answer.body);
                let error = Arc::new(error);
                last = source.map(|source| (source, error.clone()));
                error
            }
        };
        *place = (answer.verdict, error);
    }
    let mut parts: Vec<(Part, Vec<Arc<DeliveryError>>)> = Vec::new();
    for (index, (verdict, error)) in answers.into_iter().enumerate() {
        match parts.iter_mut().find(|(part, _)| go_together(part.verdict, verdict)) {
            Some((part, errors)) => {
                part.verdict = longest(part.verdict, verdict);
                part.events.push(index);
                errors.push(error);
            }
            None => {
                let part = Part { verdict, events: vec![index], errors: Errors::Shared(shared.clone()) };
                parts.push((part, vec![error]));
            }
        }
    }
    let with_errors = |(part, errors)| Part { errors: Errors::Each(errors), ..part };
    let mut parts: Vec<Part> = parts.into_iter().map(with_errors).collect();
    parts.sort_by_key(Part::order);
    parts
}

/// Returns whether events with these verdicts are tried again as one batch: a retry and a pause are.
fn go_together(one: Verdict, other: Verdict) -> bool {
    pause(one).is_some() && pause(other).is_some() || one == other
}

/// Returns the verdict with the longer pause, of two that are tried again as one batch.
fn longest(one: Verdict, other: Verdict) -> Verdict {
    if pause(other) > pause(one) || one == Verdict::Retry { other } else { one }
}

/// Returns the shortest pause before the events are tried again, if they are.
fn pause(verdict: Verdict) -> Option<Duration> {
    match verdict {
        Verdict::Retry => Some(Duration::ZERO),
        Verdict::Pause(pause) => Some(pause),
        _ => None,
    }
}

impl Part {
    fn order(&self) -> PartOrder {
        match self.verdict {
            Verdict::Delivered => PartOrder::Delivered,
            Verdict::Reject | Verdict::Skip | Verdict::Unauthorized => PartOrder::Final,
            Verdict::Retry | Verdict::Pause(_) | Verdict::Split | Verdict::SplitIfProven => {
                PartOrder::Again(std::cmp::Reverse(self.events.first().copied().unwrap_or_default()))
            }
        }
    }
}

impl Errors {
    pub(super) fn one(error: DeliveryError) -> Self {
        Self::Shared(Arc::new(error))
    }

    /// Returns the error of the event at that place of the part.
    pub(super) fn of(&self, event: usize) -> Option<Arc<DeliveryError>> {
        match self {
            Self::Shared(error) => Some(error.clone()),
            Self::Each(errors) => errors.get(event).cloned(),
        }
    }

    /// Returns whether the events have different errors.
    pub(super) fn differ(&self) -> bool {
        let Self::Each(errors) = self else { return false };
        errors.windows(2).any(|pair| matches!(pair, [one, other] if !Arc::ptr_eq(one, other)))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use http::StatusCode;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn shown(parts: &[Part]) -> Vec<(Verdict, Vec<usize>)> {
        parts.iter().map(|part| (part.verdict, part.events.clone())).collect()
    }

    /// Events, verdict on the batch, verdicts on events → parts.
    type Row<'r> = (usize, Verdict, &'r [(usize, Verdict)], &'r [(Verdict, &'r [usize])]);

    #[test]
    fn events_of_one_verdict_go_together_and_what_comes_again_is_last() {
        use Verdict::{Delivered, Pause, Reject, Retry, Skip, Split, SplitIfProven, Unauthorized};
        let table: &[Row<'_>] = &[
            (3, Delivered, &[], &[(Delivered, &[0, 1, 2])]),
            (3, Delivered, &[(1, Reject)], &[(Delivered, &[0, 2]), (Reject, &[1])]),
            (3, Retry, &[(1, Reject)], &[(Reject, &[1]), (Retry, &[0, 2])]),
            (3, Delivered, &[(0, Retry), (2, Retry)], &[(Delivered, &[1]), (Retry, &[0, 2])]),
            // All events have the same answer after all.
            (2, Delivered, &[(0, Skip), (1, Skip)], &[(Skip, &[0, 1])]),
            // The last answer for an event counts. An index that does not exist is ignored.
            (2, Delivered, &[(0, Retry), (0, Reject), (2, Reject)], &[(Delivered, &[1]), (Reject, &[0])]),
            // Retries and pauses are tried again together, after the longest pause.
            (3, Retry, &[(1, Pause(SECOND)), (2, Pause(SECOND * 2))], &[(Pause(SECOND * 2), &[0, 1, 2])]),
            (2, Pause(SECOND * 3), &[(1, Retry)], &[(Pause(SECOND * 3), &[0, 1])]),
            (2, Retry, &[(1, Pause(Duration::ZERO))], &[(Pause(Duration::ZERO), &[0, 1])]),
            // The part with the earliest event is put in front last.
            (4, Retry, &[(2, Split), (3, Split)], &[(Split, &[2, 3]), (Retry, &[0, 1])]),
            (4, Split, &[(2, Retry), (3, Delivered)], &[(Delivered, &[3]), (Retry, &[2]), (Split, &[0, 1])]),
            (3, SplitIfProven, &[(0, Unauthorized)], &[(Unauthorized, &[0]), (SplitIfProven, &[1, 2])]),
        ];
        for (row, &(events, batch, own, expected)) in table.iter().enumerate() {
            let divided = parts(events, Answer::each(batch, own.iter().copied()));
            let expected: Vec<_> = expected.iter().map(|(verdict, events)| (*verdict, events.to_vec())).collect();
            assert_eq!(shown(&divided), expected, "row {row}");
        }
    }

    #[test]
    fn an_event_has_its_own_error_or_that_of_the_batch() {
        let batch = Answer::new(Verdict::Reject).with_status(StatusCode::BAD_REQUEST).with_error("of the batch");
        let own = Answer::new(Verdict::Reject).with_error("its own");
        let [part] = &*parts(3, Answer::each(batch, [(1, own), (2, Verdict::Reject.into())])) else {
            panic!("one part")
        };
        let said: Vec<String> = (0..3).map(|event| format!("{:#}", part.errors.of(event).unwrap())).collect();
        let [of_batch, its_own] =
            ["HTTP status 400 Bad Request: of the batch", "HTTP status 400 Bad Request: its own"].map(str::to_owned);
        assert_eq!(said, [of_batch.clone(), its_own, of_batch]);
        assert!(part.errors.differ() && part.errors.of(1).unwrap().source().is_some());
        assert!(!Errors::one(DeliveryError::new(None, None)).differ());
        let same = Answer::new(Verdict::Reject).with_error("the same");
        let [part] = &*parts(2, Answer::each(Verdict::Delivered, [(0, same.clone()), (1, same)])) else {
            panic!("one")
        };
        assert!(!part.errors.differ(), "clones of an answer have one error");
    }

    #[test]
    fn a_batch_of_any_mix_ends_with_each_event_in_one_part() {
        use proptest::prelude::*;

        let verdict = prop_oneof![
            Just(Verdict::Delivered),
            Just(Verdict::Retry),
            (0..9_u64).prop_map(|seconds| Verdict::Pause(Duration::from_secs(seconds))),
            Just(Verdict::Split),
            Just(Verdict::SplitIfProven),
            Just(Verdict::Reject),
            Just(Verdict::Skip),
            Just(Verdict::Unauthorized),
        ];
        proptest!(|(
            events in 1..50_usize,
            batch in verdict.clone(),
            own in proptest::collection::vec((0..60_usize, verdict), 0..80),
        )| {
            let answer = Answer::each(batch, own);
            let verdicts: Vec<Verdict> = (0..events).map(|index| answer.verdict_of(index)).collect();
            let divided = parts(events, answer);
            let mut seen: Vec<usize> = divided.iter().flat_map(|part| part.events.clone()).collect();
            for part in &divided {
                prop_assert!(part.events.is_sorted());
                for &event in &part.events {
                    prop_assert!(go_together(part.verdict, verdicts[event]), "{part:?}: {:?}", verdicts[event]);
                }
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..events).collect::<Vec<_>>());
        });
    }
}
