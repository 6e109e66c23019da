//! Looks for text in the JSON of an event, whatever its capitals and however it is escaped there.

use memchr::memchr2_iter;

/// Text to look for. ASCII letters are the same large and small.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    text: Vec<u8>,
    /// The byte of the text that is the rarest in JSON, small and large, and where it stands.
    rare: (u8, u8),
    at: usize,
}

/// Bytes of JSON, those that are there most often last. Any other is rare.
const OFTEN: &[u8] = b"zqjxkvwbgf786549ypmhuldc3210rsinoate_-.:,{}\" ";

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.as_bytes().to_ascii_lowercase();
        let often = |byte: u8| OFTEN.iter().position(|known| *known == byte).map_or(0, |place| place + 1);
        let rarest = text.iter().copied().enumerate().min_by_key(|(_, byte)| often(*byte));
        let (at, rare) = rarest.unwrap_or_default();
        Self { rare: (rare, rare.to_ascii_uppercase()), at, text }
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
        let (small, large) = self.rare;
        memchr2_iter(small, large, text)
            .filter_map(|found| text.get(found.checked_sub(self.at)?..)?.get(..length))
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
