//! Reads the campaign of a URL: `utm_…` and the click ids of advertisers.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// The known parameters, and their names in `context.campaign`. Others are ignored, because typos in links would become
/// columns of a warehouse.
const KNOWN: &[(&str, &str)] = &[
    ("utm_campaign", "name"),
    ("utm_source", "source"),
    ("utm_medium", "medium"),
    ("utm_term", "term"),
    ("utm_content", "content"),
    ("utm_id", "id"),
    ("utm_source_platform", "source_platform"),
    ("utm_creative_format", "creative_format"),
    ("utm_marketing_tactic", "marketing_tactic"),
    // Google, with its forms for iOS; Meta; Microsoft; TikTok; LinkedIn; X; Pinterest; Snapchat; Reddit.
    ("gclid", "gclid"),
    ("gbraid", "gbraid"),
    ("wbraid", "wbraid"),
    ("dclid", "dclid"),
    ("fbclid", "fbclid"),
    ("msclkid", "msclkid"),
    ("ttclid", "ttclid"),
    ("li_fat_id", "li_fat_id"),
    ("twclid", "twclid"),
    ("epik", "epik"),
    ("ScCid", "sccid"),
    ("rdt_cid", "rdt_cid"),
];

/// Letters of a value at most. What is longer is no campaign, and left out.
const LONGEST: usize = 500;

/// The members of `context.campaign`, in the order of [`KNOWN`].
#[derive(Debug, Default)]
pub(crate) struct Campaign<'q>([Option<Cow<'q, str>>; KNOWN.len()]);

/// Returns the campaign of a query. If a parameter is there twice, the first counts. An empty one is ignored.
pub(crate) fn campaign(query: &str) -> Campaign<'_> {
    let mut campaign = Campaign::default();
    for (name, value) in pairs(query) {
        let known = KNOWN.iter().zip(&mut campaign.0).find(|((known, _), _)| known.eq_ignore_ascii_case(&name));
        let Some((_, member @ None)) = known else { continue };
        let value = trimmed(value);
        if !value.is_empty() && !is_too_long(&value) {
            *member = Some(value);
        }
    }
    campaign
}

/// Returns the parameters of a query. Most have nothing to decode.
fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let mut rest = Some(query);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut equals, mut is_encoded, mut end) = (None, false, text.len());
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'&' => {
                    end = at;
                    break;
                }
                b'=' if equals.is_none() => equals = Some(at),
                b'%' | b'+' => is_encoded = true,
                _ => {}
            }
        }
        rest = text.get(end + 1..);
        let pair = text.get(..end)?;
        if is_encoded {
            return form_urlencoded::parse(pair.as_bytes()).next();
        }
        let (name, value) = equals.and_then(|at| pair.split_at_checked(at)).unwrap_or((pair, ""));
        Some((name.into(), value.get(1..).unwrap_or_default().into()))
    })
}

impl Campaign<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

impl Serialize for Campaign<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = KNOWN.iter().zip(&self.0).filter_map(|((_, member), value)| Some((member, value.as_deref()?)));
        serializer.collect_map(members)
    }
}

fn trimmed(value: Cow<'_, str>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(value) => Cow::Borrowed(value.trim()),
        Cow::Owned(value) => Cow::Owned(value.trim().to_owned()),
    }
}

fn is_too_long(value: &str) -> bool {
    // Bytes are at least as many as letters.
    value.len() > LONGEST && value.chars().count() > LONGEST
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn campaign_of(query: &str) -> Value {
        serde_json::to_value(campaign(query)).unwrap()
    }

    #[test]
    fn known_parameters_become_members_and_others_do_not() {
        for (query, expected) in [
            (
                "utm_campaign=spring&utm_source=news&utm_medium=email",
                json!({ "name": "spring", "source": "news", "medium": "email" }),
            ),
            ("UTM_Source=News", json!({ "source": "News" })),
            ("utm_term=red+shoes&utm_content=%C3%BCber%20uns", json!({ "term": "red shoes", "content": "über uns" })),
            ("utm_source=a&utm_source=b", json!({ "source": "a" })),
            ("utm_source=&utm_medium=%20", json!({})),
            ("utm_source=a=b&utm_medium=c%3D=d&utm_term", json!({ "source": "a=b", "medium": "c==d" })),
            ("utm%5Fsource=a", json!({ "source": "a" })),
            ("utm_src=a&utm_mediumutm_source=b&medium=c", json!({})),
            ("gclid=abc&gbraid=d&wbraid=e", json!({ "gclid": "abc", "gbraid": "d", "wbraid": "e" })),
            (
                "fbclid=x&msclkid=y&ttclid=z&li_fat_id=l&twclid=t",
                json!({ "fbclid": "x", "msclkid": "y", "ttclid": "z", "li_fat_id": "l", "twclid": "t" }),
            ),
            ("epik=p&ScCid=s", json!({ "epik": "p", "sccid": "s" })),
            ("id=7&token=secret&page=2", json!({})),
            ("utm_source=%FF%00", json!({ "source": "\u{fffd}\0" })),
            ("", json!({})),
            ("&&=&utm_source", json!({})),
        ] {
            assert_eq!(campaign_of(query), expected, "{query}");
        }
        let long = format!("utm_source={}&utm_medium=m", "x".repeat(LONGEST + 1));
        assert_eq!(campaign_of(&long), json!({ "medium": "m" }));
    }
}
