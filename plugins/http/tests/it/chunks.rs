//! Bodies that keep a vendor's limits.

use proptest::prelude::*;
use tracklane_http::{Chunks, Limits, Payload};

/// Lengths of items, the limits, and what comes of them.
type Row<'a> = (&'a [usize], Limits, &'a [(usize, usize)], &'a [usize]);

#[test]
fn items_are_cut_by_count_and_by_bytes() {
    let table: &[Row<'_>] = &[
        (&[], Limits::new(10, 100), &[], &[]),
        (&[1, 1, 1], Limits::new(2, 100), &[(0, 2), (2, 3)], &[]),
        // Two items and the comma between them.
        (&[4, 4], Limits::new(10, 9), &[(0, 2)], &[]),
        (&[4, 4], Limits::new(10, 8), &[(0, 1), (1, 2)], &[]),
        (&[4, 4], Limits::new(10, 11).frame(2), &[(0, 2)], &[]),
        (&[4, 4], Limits::new(10, 10).frame(2), &[(0, 1), (1, 2)], &[]),
        (&[5, 101, 5], Limits::new(10, 100), &[(0, 1), (2, 3)], &[1]),
        (&[101], Limits::new(10, 100), &[], &[0]),
        (&[99], Limits::new(10, 100).frame(2), &[], &[0]),
        (&[1], Limits::new(10, 1).frame(2), &[], &[0]),
        (&[1], Limits::new(0, 100), &[], &[0]),
        (&[0, 0], Limits::new(10, 1), &[(0, 2)], &[]),
    ];
    for (lens, limits, ranges, too_large) in table {
        let items: Vec<Vec<u8>> = lens.iter().map(|len| vec![b'1'; *len]).collect();
        let chunks = Chunks::of(&items, *limits);
        let expected: Vec<_> = ranges.iter().map(|(start, end)| *start..*end).collect();
        assert_eq!((chunks.ranges, &*chunks.too_large), (expected, *too_large), "{lens:?} in {limits:?}");
    }
}

proptest! {
    #[test]
    fn every_item_has_one_place_and_no_body_is_too_large(
        lens in prop::collection::vec(0_usize..40, 0..60),
        most in 1_usize..8,
        bytes in 2_usize..60,
    ) {
        let items: Vec<Vec<u8>> = lens.iter().map(|len| vec![b'1'; *len]).collect();
        let chunks = Chunks::of(&items, Limits::new(most, bytes).frame(2));
        let mut seen: Vec<usize> = chunks.ranges.iter().cloned().flatten().chain(chunks.too_large.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..items.len()).collect::<Vec<_>>());
        for range in chunks.ranges {
            let body = Payload::json_array(&items[range.clone()]);
            prop_assert!(body.bytes().len() <= bytes && range.len() <= most, "{:?} has {}", range, body.bytes().len());
        }
        for index in chunks.too_large {
            prop_assert!(lens[index] + 2 > bytes);
        }
    }
}
