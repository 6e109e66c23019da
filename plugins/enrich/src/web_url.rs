//! The parts of a URL that are looked at, found without a copy.

/// The host, without port and without `www.`; none if the URL has none. Letters keep their case.
pub(crate) fn host(url: &str) -> Option<&str> {
    // A scheme has no colon, so the first one ends it.
    let (scheme, rest) = split_at(url, url.bytes().position(|byte| byte == b':')?)?;
    let rest = rest.strip_prefix("//")?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')) {
        return None;
    }
    let authority = until(rest, |byte| matches!(byte, b'/' | b'?' | b'#' | b'\\'));
    let user = authority.bytes().rposition(|byte| byte == b'@');
    let host = user.map_or(Some(authority), |at| Some(split_at(authority, at)?.1))?;
    let host = match host.strip_prefix('[') {
        Some(_) => host.split_inclusive(']').next()?,
        None => until(host, |byte| byte == b':'),
    };
    let bare = host.get(..4).filter(|start| start.eq_ignore_ascii_case("www.")).and_then(|_| host.get(4..));
    Some(bare.unwrap_or(host).trim_end_matches('.')).filter(|host| !host.is_empty())
}

/// Returns the text between `?` and `#`.
pub(crate) fn query(url: &str) -> Option<&str> {
    let query = url.bytes().position(|byte| matches!(byte, b'?' | b'#'))?;
    let query = url.get(query..)?.strip_prefix('?')?;
    Some(until(query, |byte| byte == b'#'))
}

/// Returns what is in front of the byte at `at`, and what is behind it.
fn split_at(text: &str, at: usize) -> Option<(&str, &str)> {
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Returns what is in front of the first byte that is an end. URLs are short, so that a search for a character, which is
/// made for long texts, takes longer.
fn until(text: &str, is_end: impl Fn(u8) -> bool) -> &str {
    text.bytes().position(is_end).and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_wherever_it_stands() {
        for (url, expected) in [
            ("https://www.example.com/a?b#c", Some("example.com")),
            ("http://Shop.Example.com:8080", Some("Shop.Example.com")),
            ("https://user:p%40ss@example.com?x=@evil", Some("example.com")),
            ("https://[2001:db8::1]:80/", Some("[2001:db8::1]")),
            ("android-app://com.google.android.gm/", Some("com.google.android.gm")),
            ("https://example.com./", Some("example.com")),
            ("https:///path", None),
            ("/path?x=https://evil", None),
            ("example.com", None),
            ("", None),
            ("://", None),
            ("https://é", Some("é")),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }

    #[test]
    fn the_query_is_found() {
        for (url, expected) in [
            ("https://a/?b=c#d?e", Some("b=c")),
            ("https://a/#?b", None),
            ("https://a", None),
            ("?a", Some("a")),
            ("a?", Some("")),
        ] {
            assert_eq!(query(url), expected, "{url}");
        }
    }
}
