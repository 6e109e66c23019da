//! Numbers that name an account or a person, each with its own check.

use std::ops::Range;

use super::{after_word, in_word, runs};

/// The groups in which cards print their digits; the last is no grouping at all.
const CARD_GROUPS: &[&[usize]] = &[&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 1]];

/// Digits of the shortest card number.
pub(crate) const SHORTEST_CARD: usize = 13;

/// Bytes of a social security number, with its dashes.
pub(super) const SSN_LEN: usize = 11;

/// Letters of the shortest IBAN.
pub(super) const SHORTEST_IBAN: usize = 15;

/// Countries with IBANs, and how long these are (ISO 13616 registry).
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SC", 31),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
];

pub(super) fn cards(text: &str) -> Vec<Range<usize>> {
    runs(text, SHORTEST_CARD, |byte| matches!(byte, b'0'..=b'9' | b' ' | b'-'))
        .filter_map(|run| trimmed(text, run))
        .filter(|run| !after_word(text, run.start) && !in_word(text, run.end))
        .filter(|run| text.get(run.clone()).is_some_and(is_card))
        .collect()
}

/// The run without separators around it.
fn trimmed(text: &str, run: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(run.clone())?;
    let left = part.len() - part.trim_start_matches([' ', '-']).len();
    let right = part.len() - part.trim_end_matches([' ', '-']).len();
    (left + right < part.len()).then(|| run.start + left..run.end - right)
}

fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(10)).collect();
    (SHORTEST_CARD..=19).contains(&digits.len())
        && is_grouped(text)
        && is_of_issuer(&digits)
        && has_check_digit(&digits)
}

fn is_grouped(text: &str) -> bool {
    let separator = if text.contains(' ') { ' ' } else { '-' };
    let groups: Vec<usize> = text.split(separator).map(str::len).collect();
    let one_kind = text.chars().all(|letter| letter.is_ascii_digit() || letter == separator);
    one_kind && (groups.len() == 1 || CARD_GROUPS.contains(&groups.as_slice()))
}

/// Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro: by their first digits, and how many
/// digits they have.
fn is_of_issuer(digits: &[u32]) -> bool {
    let prefix = |len: usize| digits.iter().take(len).fold(0, |prefix, digit| prefix * 10 + digit);
    match digits.len() {
        13 => digits.first() == Some(&4),
        14 => matches!(prefix(2), 36 | 38 | 39) || (300..=305).contains(&prefix(3)),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            digits.first() == Some(&4)
                || (51..=55).contains(&prefix(2))
                || (2221..=2720).contains(&prefix(4))
                || (3528..=3589).contains(&prefix(4))
                || matches!(prefix(2), 50 | 56..=69)
        }
        17 | 18 => matches!(prefix(2), 50 | 56..=69),
        _ => digits.first() == Some(&4) || matches!(prefix(2), 50 | 56..=69),
    }
}

/// Luhn's check (ISO/IEC 7812-1, annex B).
fn has_check_digit(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| Some(digit) != digits.first())
}

pub(super) fn ibans(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for start in iban_starts(text) {
        let behind = found.last().is_none_or(|last| last.end <= start);
        if behind
            && !after_word(text, start)
            && let Some(end) = iban_end(text, start)
        {
            found.push(start..end);
        }
    }
    found
}

/// The places where an IBAN may begin: with a country and two check digits, which no space may be in between.
fn iban_starts(text: &str) -> impl Iterator<Item = usize> {
    let begins = |window: &[u8]| matches!(window, [b'A'..=b'Z', b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9']);
    runs(text, SHORTEST_IBAN, |byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b' ')).flat_map(move |run| {
        let windows = text.as_bytes().get(run.clone()).unwrap_or_default().windows(4).enumerate();
        windows.filter(move |(_, window)| begins(window)).map(move |(at, _)| run.start + at)
    })
}

/// Returns the end of the IBAN that begins at `start`, in one piece or in groups of four.
fn iban_end(text: &str, start: usize) -> Option<usize> {
    let country = text.get(start..start + 2)?;
    let (_, len) = IBAN_LENGTHS.iter().find(|(code, _)| *code == country)?;
    let mut letters = Vec::with_capacity(*len);
    let mut end = start;
    for (at, byte) in text.as_bytes().iter().enumerate().skip(start) {
        if letters.len() == *len {
            break;
        }
        match byte {
            b' ' if letters.len() % 4 == 0 && !letters.is_empty() => {}
            b'0'..=b'9' | b'A'..=b'Z' => letters.push(*byte),
            _ => return None,
        }
        end = at + 1;
    }
    (letters.len() == *len && !in_word(text, end) && is_iban(&letters)).then_some(end)
}

/// ISO 7064, MOD 97-10, with the first four letters at the end.
fn is_iban(letters: &[u8]) -> bool {
    let (head, tail) = letters.split_at(4.min(letters.len()));
    let checked = head.get(2..).is_some_and(|check| check.iter().all(u8::is_ascii_digit));
    let rest = tail.iter().chain(head).fold(0_u32, |rest, letter| match letter {
        b'0'..=b'9' => (rest * 10 + u32::from(letter - b'0')) % 97,
        _ => (rest * 100 + u32::from(letter.saturating_sub(b'A')) + 10) % 97,
    });
    checked && rest == 1
}

pub(super) fn phones(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices('+') {
        if after_word(text, start) || found.last().is_some_and(|last: &Range<usize>| start < last.end) {
            continue;
        }
        let rest = text.get(start + 1..).unwrap_or_default();
        let len = rest.find(|letter: char| !letter.is_ascii_digit() && !" -().".contains(letter)).unwrap_or(rest.len());
        let number = rest.get(..len).unwrap_or_default().trim_end_matches([' ', '-', '(', '.']);
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let end = start + 1 + number.len();
        let begins = number.starts_with(|digit: char| ('1'..='9').contains(&digit));
        if begins && (8..=15).contains(&digits) && !in_word(text, end) {
            found.push(start..end);
        }
    }
    found
}

pub(super) fn ssns(text: &str) -> Vec<Range<usize>> {
    runs(text, SSN_LEN, |byte| matches!(byte, b'0'..=b'9' | b'-'))
        .filter(|run| run.len() == SSN_LEN)
        .filter(|run| !after_word(text, run.start) && !in_word(text, run.end))
        .filter(|run| text.get(run.clone()).is_some_and(is_ssn))
        .collect()
}

/// Ranges that were never given out are none (Social Security Administration, since 2011).
fn is_ssn(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [area, group, serial] = parts.as_slice() else { return false };
    let given = !matches!(*area, "000" | "666") && !area.starts_with('9') && *group != "00" && *serial != "0000";
    (area.len(), group.len(), serial.len()) == (3, 2, 4) && given
}
