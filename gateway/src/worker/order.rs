//! The order of the stream, whatever the order in which messages come.
//!
//! JetStream delivers the unacknowledged messages of a lost worker again, after their successors. Invariant: items are
//! passed on in the order of their sequence, without a gap, from the acknowledged floor on, each once.

use std::collections::BTreeMap;

/// Items of one stream, by their sequence.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    /// The sequence that is handed on next.
    next: u64,
    held: BTreeMap<u64, T>,
}

impl<T> InOrder<T> {
    /// Everything up to `floor` is done with.
    pub(super) fn behind(floor: u64) -> Self {
        Self { next: floor.saturating_add(1), held: BTreeMap::new() }
    }

    /// Takes an item in; gives it back if it was handed on before.
    pub(super) fn arrive(&mut self, sequence: u64, item: T) -> Option<T> {
        if sequence < self.next {
            return Some(item);
        }
        self.held.insert(sequence, item);
        None
    }

    /// The item whose turn it is, if it is there.
    pub(super) fn next(&self) -> Option<&T> {
        self.held.get(&self.next)
    }

    /// The item whose turn it is, with its sequence.
    pub(super) fn take_next(&mut self) -> Option<(u64, T)> {
        let item = self.held.remove(&self.next)?;
        let sequence = self.next;
        self.next = sequence.saturating_add(1);
        Some((sequence, item))
    }

    /// The sequence that others wait for.
    pub(super) fn missing(&self) -> Option<u64> {
        let (first, _) = self.held.first_key_value()?;
        (*first > self.next).then_some(self.next)
    }

    /// Everything up to `floor` is finished, by another worker or because it was deleted.
    pub(super) fn skip_to(&mut self, floor: u64) {
        self.next = self.next.max(floor.saturating_add(1));
        self.held = self.held.split_off(&self.next);
    }

    /// Returns the items that wait for others.
    pub(super) fn held(&self) -> impl Iterator<Item = &T> {
        self.held.values()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drain(order: &mut InOrder<u64>) -> Vec<u64> {
        std::iter::from_fn(|| order.take_next())
            .map(|(sequence, item)| (item == sequence).then_some(item).unwrap())
            .collect()
    }

    #[test]
    fn what_is_ahead_of_a_gap_waits_until_the_gap_is_filled() {
        let mut order = InOrder::behind(9);
        for ahead in [12, 13, 11] {
            assert_eq!(order.arrive(ahead, ahead), None);
        }
        assert_eq!((drain(&mut order), order.missing()), (vec![], Some(10)));
        assert_eq!(order.arrive(10, 10), None);
        assert_eq!((drain(&mut order), order.missing()), (vec![10, 11, 12, 13], None));
        assert_eq!(order.arrive(11, 11), Some(11), "it was handed on before");
    }

    #[test]
    fn what_somebody_else_has_done_is_skipped() {
        let mut order = InOrder::behind(0);
        for sequence in [3, 5, 6] {
            order.arrive(sequence, sequence);
        }
        order.skip_to(4);
        assert_eq!((drain(&mut order), order.missing()), (vec![5, 6], None));
        order.skip_to(2);
        assert_eq!(order.arrive(4, 4), Some(4), "a floor never goes back");
    }

    proptest! {
        /// Deliveries in any order, with repeats, hand each sequence on once and in order.
        #[test]
        fn any_order_of_deliveries_becomes_the_order_of_the_stream(deliveries in prop::collection::vec(1_u64..40, 0..200)) {
            let (mut order, mut handed) = (InOrder::behind(0), Vec::new());
            for sequence in deliveries {
                order.arrive(sequence, sequence);
                handed.extend(drain(&mut order));
            }
            for sequence in 1..40 {
                order.arrive(sequence, sequence);
            }
            handed.extend(drain(&mut order));
            prop_assert_eq!(handed, (1..40).collect::<Vec<_>>());
        }
    }
}
