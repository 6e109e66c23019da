//! The locale of a request: the language that its client prefers
//! ([RFC 9110, 12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4)).

/// The longest text that is accepted as a language tag ([RFC 5646,
/// 4.4.1](https://www.rfc-editor.org/rfc/rfc5646#section-4.4.1)).
const MAX_TAG: usize = 35;

/// Returns the tag with the highest weight in an `Accept-Language` header, the first of several; `None` if there is
/// none.
pub(crate) fn preferred(header: &str) -> Option<&str> {
    let mut best = None;
    for (tag, weight) in header.split(',').filter_map(range) {
        if best.is_none_or(|(_, highest)| weight > highest) {
            best = Some((tag, weight));
        }
    }
    best.map(|(tag, _)| tag)
}

/// Parses a tag and its weight. Returns `None` if the client does not accept it.
fn range(text: &str) -> Option<(&str, f32)> {
    let (tag, parameter) = text.split_once(';').unwrap_or((text, "q=1"));
    let (name, weight) = parameter.split_once('=')?;
    let weight: f32 = weight.trim().parse().ok()?;
    let tag = tag.trim();
    let wanted = name.trim().eq_ignore_ascii_case("q") && weight > 0.0 && weight <= 1.0;
    (wanted && is_tag(tag)).then_some((tag, weight))
}

/// Returns whether the text has the form of a language tag; `*` has not.
fn is_tag(text: &str) -> bool {
    let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= MAX_TAG
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.split('-').all(is_subtag)
}

#[cfg(test)]
mod tests {
    use super::preferred;

    #[test]
    fn the_language_with_the_highest_weight_is_the_locale() {
        let table = [
            ("de-AT,de;q=0.9,en;q=0.8", Some("de-AT")),
            ("en;q=0.8, fr-CH ; q=0.9", Some("fr-CH")),
            ("en, de", Some("en")),
            ("*, da;q=0.5", Some("da")),
            ("zh-Hant-TW", Some("zh-Hant-TW")),
            ("en;Q=0.3,nl;q=0.2", Some("en")),
            ("en;q=0,de;q=0.1", Some("de")),
            ("en;q=NaN,de;q=7,it;q=0.1", Some("it")),
            ("*", None),
            ("", None),
            (",;,=", None),
            ("en_US", None),
            ("<script>", None),
            ("a-very-long-tag-of-many-parts-which-is-no-language", None),
        ];
        for (header, locale) in table {
            assert_eq!(preferred(header), locale, "{header:?}");
        }
    }
}
