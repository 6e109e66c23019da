//! The answers to the events of one batch, collected from several requests.

use tracklane::plugin::{Answer, Verdict};

/// Collects the answers to each event. If several requests are about one event, the answer that asks for the most
/// counts: a retry before a refusal, a refusal before a delivery, a delivery before a skip. An event without an answer
/// was delivered.
///
/// ```
/// use tracklane::plugin::{Answer, Verdict};
/// use tracklane_http::Answers;
///
/// let mut answers = Answers::new(3);
/// answers.add([0, 1], &Verdict::Delivered.into());
/// answers.add([1, 2], &Answer::new(Verdict::Retry).with_error("connection reset"));
/// let answer = answers.finish();
/// assert_eq!([0, 1, 2].map(|event| answer.verdict_of(event)), [Verdict::Delivered, Verdict::Retry, Verdict::Retry]);
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is answered until it is finished"]
pub struct Answers {
    of: Vec<Option<Answer>>,
}

impl Answers {
    /// Makes the answers to a batch of so many events.
    pub fn new(events: usize) -> Self {
        Self { of: vec![None; events] }
    }

    /// Adds an answer to these events, by their index in the batch. Its answers to single events are ignored: see
    /// [`add_each`](Self::add_each).
    pub fn add(&mut self, events: impl IntoIterator<Item = usize>, answer: &Answer) {
        for event in events {
            let Some(known) = self.of.get_mut(event) else { continue };
            if known.as_ref().is_none_or(|known| rank(known.verdict()) < rank(answer.verdict())) {
                *known = Some(answer.clone());
            }
        }
    }

    /// Adds an answer to a request. Its first item is of the first of these events, by their index in the batch, and so
    /// on.
    pub fn add_each(&mut self, events: impl IntoIterator<Item = usize>, answer: &Answer) {
        for (item, event) in events.into_iter().enumerate() {
            self.add([event], answer.event(item).unwrap_or(answer));
        }
    }

    /// The answer to the batch.
    #[must_use]
    pub fn finish(self) -> Answer {
        let answers: Vec<Answer> = self.of.into_iter().map(|known| known.unwrap_or_else(delivered)).collect();
        // Most batches have one answer for all.
        let (first, mut rest) = (answers.first().cloned().unwrap_or_else(delivered), answers.iter().skip(1));
        if rest.all(|answer| is_same(answer, &first)) {
            return first;
        }
        Answer::each(Verdict::Delivered, answers.into_iter().enumerate())
    }
}

fn delivered() -> Answer {
    Verdict::Delivered.into()
}

fn is_same(one: &Answer, other: &Answer) -> bool {
    let is_same_error = match (one.error(), other.error()) {
        (Some(one), Some(other)) => std::ptr::addr_eq(one, other),
        (None, None) => true,
        _ => false,
    };
    one.verdict() == other.verdict() && one.status() == other.status() && is_same_error
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Skip => 0,
        Verdict::Delivered => 1,
        Verdict::Reject => 2,
        Verdict::Unauthorized => 3,
        Verdict::SplitIfProven => 4,
        Verdict::Split => 5,
        Verdict::Pause(_) => 7,
        // Retry, and verdicts that are not known here.
        _ => 6,
    }
}
