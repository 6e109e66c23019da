//! Looks for text in the JSON of an event, whatever its capitals and however it is escaped there.

use memchr::memchr2_iter;

/// Text to look for. ASCII letters are the same large and small.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    text: Vec<u8>,
    first: (u8, u8),
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.as_bytes().to_ascii_lowercase();
        let first = text.first().copied().unwrap_or_default();
        Self { text, first: (first, first.to_ascii_uppercase()) }
    }

    /// Returns whether the event's JSON, or the text that it stands for, has it.
    pub(crate) fn is_in(&self, raw: &[u8]) -> bool {
        self.is_in_text(raw) || unescaped(raw).is_some_and(|text| self.is_in_text(&text))
    }

    fn is_in_text(&self, text: &[u8]) -> bool {
        let length = self.text.len();
        if length == 0 {
            return true;
        }
        let (small, large) = self.first;
        memchr2_iter(small, large, text)
            .filter_map(|at| text.get(at..at + length))
            .any(|part| part.eq_ignore_ascii_case(&self.text))
    }
}

/// The text with its escapes resolved; `None` if it has none.
fn unescaped(raw: &[u8]) -> Option<Vec<u8>> {
    let first = memchr::memchr(b'\\', raw)?;
    let mut out = raw.get(..first)?.to_vec();
    let mut rest = raw.get(first..)?;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(rest.get(..at)?);
        let escape = rest.get(at + 1..)?;
        let used = match escape.first()? {
            b'u' => unicode(escape, &mut out)?,
            b'n' => push(&mut out, b'\n'),
            b't' => push(&mut out, b'\t'),
            b'r' => push(&mut out, b'\r'),
            other => push(&mut out, *other),
        };
        rest = escape.get(used..)?;
    }
    out.extend_from_slice(rest);
    Some(out)
}

fn push(out: &mut Vec<u8>, byte: u8) -> usize {
    out.push(byte);
    1
}

/// Appends the character of `uXXXX` or `uXXXX\uXXXX`; how many bytes that was.
fn unicode(escape: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let unit = |at: usize| u16::from_str_radix(std::str::from_utf8(escape.get(at..at + 4)?).ok()?, 16).ok();
    let first = unit(1)?;
    let second = if escape.get(5..7) == Some(b"\\u") { unit(7) } else { None };
    let (char, used) = match second.filter(|_| (0xD800..0xDC00).contains(&first)) {
        Some(second) => (char::decode_utf16([first, second]).next()?, 11),
        None => (char::decode_utf16([first]).next()?, 5),
    };
    let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    Some(used)
}
