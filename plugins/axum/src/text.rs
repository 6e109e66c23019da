//! Cuts texts to a length, and takes credentials and queries out of URLs.

use std::borrow::Cow;

/// The number of bytes that are kept of any text of a request. All texts together stay far below the limit of an event,
/// even if JSON escapes double them.
pub(crate) const MAX_TEXT: usize = 1024;

/// Returns at most [`MAX_TEXT`] bytes of `text`, in whole characters.
pub(crate) fn clip(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Returns the URL without user and password before its host, in every spelling in which a browser would find them:
/// with one slash, with backslashes, or without a scheme. If the port is not a number, the text up to the last `@` is a
/// password with a slash in it, and is removed, too.
pub(crate) fn without_userinfo(url: &str) -> Cow<'_, str> {
    let Some((prefix, rest)) = split_before_authority(url) else { return Cow::Borrowed(url) };
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let in_password = || has_impossible_port(authority).then(|| rest.rfind('@')).flatten();
    match authority.rfind('@').or_else(in_password) {
        Some(at) => Cow::Owned(format!("{prefix}{}", rest.get(at + 1..).unwrap_or_default())),
        None => Cow::Borrowed(url),
    }
}

/// Splits a URL before its user or host. Returns `None` for a path. A text before a colon that is neither a web scheme
/// nor followed by slashes is a user, and is not shown.
fn split_before_authority(url: &str) -> Option<(&str, &str)> {
    let is_slash = |character: char| matches!(character, '/' | '\\' | '\t' | ' ');
    let in_scheme = |character: char| character.is_ascii_alphanumeric() || "+-.\t".contains(character);
    let scheme = url.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| scheme.chars().all(in_scheme));
    let after_scheme = url.get(scheme.map_or(0, |scheme| scheme.len() + 1)..).unwrap_or_default();
    let rest = after_scheme.trim_start_matches(is_slash);
    let slashes = after_scheme.len() - rest.len();
    match scheme {
        None if slashes < 2 => None,
        Some(scheme) if slashes == 0 && !["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) => {
            Some(("", rest))
        }
        _ => url.split_at_checked(url.len() - rest.len()),
    }
}

fn has_impossible_port(authority: &str) -> bool {
    let port = authority.rsplit_once(':').map(|(_, port)| port).unwrap_or_default();
    !authority.ends_with(']') && !port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the URL without its query and fragment.
pub(crate) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{MAX_TEXT, clip, without_query, without_userinfo};

    #[test]
    fn text_is_cut_between_characters() {
        let long = "ä".repeat(MAX_TEXT);
        assert_eq!(clip(&long).len(), MAX_TEXT);
        assert_eq!(clip(&format!("x{long}")).len(), MAX_TEXT - 1);
        assert_eq!(clip("short"), "short");
        assert_eq!(clip(""), "");
    }

    #[test]
    fn credentials_are_taken_out_of_urls() {
        let table = [
            ("https://user:secret@shop.example/a?b#c", "https://shop.example/a?b#c"),
            ("https://a@b@shop.example", "https://shop.example"),
            ("https://shop.example/@me?x=a@b", "https://shop.example/@me?x=a@b"),
            ("https://shop.example?x=a@b", "https://shop.example?x=a@b"),
            ("android-app://com.example", "android-app://com.example"),
            ("/relative@path", "/relative@path"),
            ("relative@path", "relative@path"),
            ("//user:secret@shop.example/a", "//shop.example/a"),
            ("https:/user:secret@shop.example", "https:/shop.example"),
            ("https:user:secret@shop.example/a@b", "https:shop.example/a@b"),
            ("https:\\\\user:secret@shop.example", "https:\\\\shop.example"),
            ("https:/\\/user:secret@shop.example\\a@b", "https:/\\/shop.example\\a@b"),
            ("\\\\user:secret@shop.example", "\\\\shop.example"),
            ("https:\t//user:secret@shop.example", "https:\t//shop.example"),
            ("ht\ttps://user:secret@shop.example", "ht\ttps://shop.example"),
            ("https://user:sec/ret@shop.example/a", "https://shop.example/a"),
            ("https://user:sec?ret@shop.example/a", "https://shop.example/a"),
            ("https://user:sec#ret@shop.example/a", "https://shop.example/a"),
            ("user:secret@shop.example/a", "shop.example/a"),
            ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
            ("https://[::1]/a@b", "https://[::1]/a@b"),
            ("https://shop.example:8080/@me", "https://shop.example:8080/@me"),
            ("about:blank", "about:blank"),
        ];
        for (url, clean) in table {
            assert_eq!(without_userinfo(url), clean, "of {url:?}");
        }
    }

    #[test]
    fn a_url_loses_its_query_and_fragment() {
        for url in ["https://a.example/p", "https://a.example/p?t=1#f", "https://a.example/p#f?t=1"] {
            assert_eq!(without_query(url), "https://a.example/p");
        }
    }
}
