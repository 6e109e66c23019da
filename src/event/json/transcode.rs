//! Writes JSON text of this crate in any format of serde: the same values in the same order.

use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::members::{elements, members};
use super::number::{self, Number};
use super::string::read_string;

/// One value as trusted text (see [`raw_members`](super::raw_members)).
pub(in crate::event) struct Transcode<'t>(pub(in crate::event) &'t [u8]);

impl Serialize for Transcode<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [b'{', members @ .., b'}'] => TranscodeMembers(members).serialize(serializer),
            [b'[', elements @ .., b']'] => items(elements, serializer),
            [b'"', ..] => serializer.serialize_str(&read_string(self.0).ok_or_else(unreadable)?),
            b"true" => serializer.serialize_bool(true),
            b"false" => serializer.serialize_bool(false),
            b"null" => serializer.serialize_unit(),
            number => {
                let text = std::str::from_utf8(number).map_err(S::Error::custom)?;
                match number::read(text).map_err(S::Error::custom)? {
                    Number::Positive(number) => serializer.serialize_u64(number),
                    Number::Negative(number) => serializer.serialize_i64(number),
                    Number::Float(number) => serializer.serialize_f64(number),
                }
            }
        }
    }
}

/// The members of an object, without its braces.
pub(super) struct TranscodeMembers<'t>(pub(super) &'t [u8]);

impl Serialize for TranscodeMembers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let part = |range| self.0.get(range).unwrap_or_default();
        let mut map = serializer.serialize_map(Some(members(self.0).count()))?;
        for member in members(self.0) {
            let key = read_string(part(member.key)).ok_or_else(unreadable)?;
            map.serialize_entry(&*key, &Transcode(part(member.value)))?;
        }
        map.end()
    }
}

fn items<S: Serializer>(text: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(elements(text).count()))?;
    for element in elements(text) {
        seq.serialize_element(&Transcode(text.get(element).unwrap_or_default()))?;
    }
    seq.end()
}

fn unreadable<E: Error>() -> E {
    E::custom("JSON text that cannot be read again")
}
