//! The parts of a URL that are looked at, found without a copy.

/// The host, without port and without `www.`; none if the URL has none. Letters keep their case.
pub(crate) fn host(url: &str) -> Option<&str> {
    // A scheme has no colon, so the first one ends it.
    let (scheme, rest) = url.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(_) => host.split_inclusive(']').next()?,
        None => host.split(':').next()?,
    };
    let bare = host.get(..4).filter(|start| start.eq_ignore_ascii_case("www.")).and_then(|_| host.get(4..));
    Some(bare.unwrap_or(host).trim_end_matches('.')).filter(|host| !host.is_empty())
}

/// Returns the text between `?` and `#`.
pub(crate) fn query(url: &str) -> Option<&str> {
    let (_, query) = url.split('#').next()?.split_once('?')?;
    Some(query)
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
