//! The elements of a JSON array, no more than a bound.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// There are more.
#[derive(Debug, PartialEq)]
pub(crate) struct TooMany;

/// The elements of `array`, which is valid JSON; an error as soon as there is one more than `most`.
pub(crate) fn elements(array: &str, most: usize) -> Result<Vec<&RawValue>, TooMany> {
    let mut deserializer = serde_json::Deserializer::from_str(array);
    deserializer.deserialize_seq(AtMost(most)).map_err(|_| TooMany)
}

/// Visits an array of at most so many elements.
pub(crate) struct AtMost(pub(crate) usize);

impl<'de> Visitor<'de> for AtMost {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut left: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = left.next_element()? {
            if elements.len() == self.0 {
                return Err(A::Error::custom("too many"));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_are_allowed_are_found_and_not_one_more() {
        let found = |array| elements(array, 3).map(|found| found.iter().map(|raw| raw.get()).collect::<Vec<_>>());
        assert_eq!(found("[]"), Ok(vec![]));
        assert_eq!(found(r#"[1, {"a":[2]} ,"x"]"#), Ok(vec!["1", r#"{"a":[2]}"#, "\"x\""]));
        assert_eq!(found("[1,2,3,4]"), Err(TooMany));
    }
}
