//! What may be said of a URL, and how much of any text.

use std::borrow::Cow;

/// Bytes that are kept of any text of a request. All of them together stay far below what an event may have, even
/// where JSON doubles them.
pub(crate) const MAX_TEXT: usize = 1024;

/// At most [`MAX_TEXT`] bytes of `text`, in whole characters.
pub(crate) fn clip(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// The URL without the user and password that may stand before its host.
pub(crate) fn without_userinfo(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}://{host}{path}")),
        None => Cow::Borrowed(url),
    }
}

/// The URL without its query and what follows.
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
        ];
        for (url, clean) in table {
            assert_eq!(without_userinfo(url), clean);
        }
    }

    #[test]
    fn a_url_loses_its_query_and_fragment() {
        for url in ["https://a.example/p", "https://a.example/p?t=1#f", "https://a.example/p#f?t=1"] {
            assert_eq!(without_query(url), "https://a.example/p");
        }
    }
}
