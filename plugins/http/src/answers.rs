//! The answers to the events of one batch, collected from several requests.

use tracklane::plugin::{Answer, Verdict};

/// Collects what is said of each event. An event that several requests are about ends as the one says that asks for the
/// most: what must come again comes before what was refused, that before what was taken, and that before what was
/// skipped. An event of which nothing is said was delivered.
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
    /// Of a batch with so many events.
    pub fn new(events: usize) -> Self {
        Self { of: vec![None; events] }
    }

    /// Adds an answer to these events, by their index in the batch. What it says of single events is not looked at: see
    /// [`add_each`](Self::add_each).
    pub fn add(&mut self, events: impl IntoIterator<Item = usize>, answer: &Answer) {
        for event in events {
            let Some(known) = self.of.get_mut(event) else { continue };
            if known.as_ref().is_none_or(|known| rank(known.verdict()) < rank(answer.verdict())) {
                *known = Some(answer.clone());
            }
        }
    }

    /// Adds an answer to a request: to its first item, which is of the event `events[0]` of the batch, and so on.
    pub fn add_each(&mut self, events: &[usize], answer: &Answer) {
        for (item, event) in events.iter().enumerate() {
            self.add([*event], answer.event(item).unwrap_or(answer));
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
        // Retry, and what is not known here.
        _ => 6,
    }
}
