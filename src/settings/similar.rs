//! Finds the name that a misspelt one means.

/// Returns the known name that is most like `name`, if one is like it: another spelling (`flushAt` for `flush_at`), or
/// at most one wrong letter in three. For errors that ask "did you mean …?".
///
/// ```
/// use tracklane::similar_name;
///
/// let known = ["flush_at", "flush_interval", "gzip"];
/// assert_eq!(similar_name("flushAtt", known), Some("flush_at"));
/// assert_eq!(similar_name("verbosity", known), None);
/// ```
#[must_use]
pub fn similar_name<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = letters(name);
    let wrong = |known: &str| strsim::osa_distance(&name, &letters(known));
    let (wrong, nearest) = known.into_iter().map(|known| (wrong(known), known)).min_by_key(|(wrong, _)| *wrong)?;
    // A short name has one letter that may be wrong.
    let allowed = name.chars().count().max(3) / 3;
    (wrong <= allowed).then_some(nearest)
}

/// Returns the name without what a spelling adds: capitals, dashes, underscores.
fn letters(name: &str) -> String {
    name.replace(['_', '-'], "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::table::NAMES;

    #[test]
    fn a_misspelt_name_has_a_neighbour_and_another_word_has_none() {
        for (name, expected) in [
            ("flushAt", Some("flush_at")),
            ("flush-at", Some("flush_at")),
            ("flush_att", Some("flush_at")),
            ("flsuh_at", Some("flush_at")),
            ("writekey", Some("write_key")),
            ("wirte_key", Some("write_key")),
            ("max_retrys", Some("max_retries")),
            ("request_timeout", Some("http_request_timeout")),
            ("oauth_clientid", Some("oauth_client_id")),
            ("port", None),
            ("service_host", None),
            ("service_port_http", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(similar_name(name, NAMES.iter().copied()), expected, "{name}");
        }
        assert_eq!(similar_name("a", []), None);
    }
}
