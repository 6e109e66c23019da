//! Reads the campaign of a URL: `utm_…` and the click ids of advertisers.

use serde_json::{Map, Value};

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

/// Returns the campaign of a query. If a parameter is there twice, the first counts. An empty one is ignored.
pub(crate) fn campaign(query: &str) -> Map<String, Value> {
    let mut campaign = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(member) = member(&name) else { continue };
        let value = value.trim();
        if !value.is_empty() && value.chars().count() <= LONGEST && !campaign.contains_key(member) {
            campaign.insert(member.to_owned(), value.into());
        }
    }
    campaign
}

fn member(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, member)| *member)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            assert_eq!(Value::Object(campaign(query)), expected, "{query}");
        }
        let long = format!("utm_source={}&utm_medium=m", "x".repeat(LONGEST + 1));
        assert_eq!(Value::Object(campaign(&long)), json!({ "medium": "m" }));
    }
}
