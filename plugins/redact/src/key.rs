//! Keys, compared without case and separators: `creditCard` is `credit_card` is `Credit-Card`.

/// The most letters and digits that a key is compared by; a longer one names nothing on a list.
pub(crate) const LONGEST: usize = 64;

/// A list of plain keys that never changes.
pub(crate) struct List {
    keys: &'static [&'static str],
    filter: Filter,
}

impl List {
    /// Makes the list of these keys, which must be plain.
    #[allow(clippy::indexing_slicing, reason = "the compiler computes it, and stops at an index that is too large")]
    pub(crate) const fn of(keys: &'static [&'static str]) -> Self {
        let (mut filter, mut at) = (Filter::new(), 0);
        while at < keys.len() {
            filter.insert(keys[at].as_bytes());
            at += 1;
        }
        Self { keys, filter }
    }

    #[cfg(test)]
    pub(crate) fn keys(&self) -> &'static [&'static str] {
        self.keys
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.filter.may_have(key)
            && Plain::new(key).is_some_and(|plain| self.keys.iter().any(|listed| listed.as_bytes() == plain.as_bytes()))
    }
}

/// Passes over nearly all keys that are not on a list, by their length and three of their letters.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// By the second and the last letter: one bit for each first letter.
    firsts: [u64; 64],
    /// By the same: one bit for each length.
    lens: [u64; 64],
}

impl Filter {
    pub(crate) const fn new() -> Self {
        Self { firsts: [0; 64], lens: [0; 64] }
    }

    /// Adds a plain key.
    #[allow(clippy::indexing_slicing, reason = "the place is below 64")]
    pub(crate) const fn insert(&mut self, plain: &[u8]) {
        let (first, second, last) = match plain {
            [] => return,
            [only] => (*only, *only, *only),
            [first, last] => (*first, *last, *last),
            [first, second, .., last] => (*first, *second, *last),
        };
        self.firsts[place(second, last)] |= bit(first);
        self.lens[place(second, last)] |= 1 << (plain.len() & 63);
    }

    /// Returns `false` if the key is certainly not on the list.
    #[inline]
    pub(crate) fn may_have(&self, key: &str) -> bool {
        let Some([first, second, last]) = ends(key) else { return false };
        let at = place(second, last);
        let begins_so = self.firsts.get(at).is_some_and(|firsts| firsts & bit(first) != 0);
        begins_so && self.lens.get(at).is_some_and(|lens| lens & 1 << (len(key) & 63) != 0)
    }
}

/// Returns the length of a plain key, which takes less than to make it.
fn len(key: &str) -> usize {
    key.bytes().filter(|byte| plain(*byte) != 0).count()
}

/// Returns the first, the second and the last letter of a plain key; the only one three times.
fn ends(key: &str) -> Option<[u8; 3]> {
    if let [first, second, .., last] = key.as_bytes() {
        let (first, second, last) = (plain(*first), plain(*second), plain(*last));
        if first != 0 && second != 0 && last != 0 {
            return Some([first, second, last]);
        }
    }
    let mut letters = key.bytes().map(plain).filter(|letter| *letter != 0);
    let first = letters.next()?;
    let second = letters.clone().next().unwrap_or(first);
    Some([first, second, letters.next_back().unwrap_or(first)])
}

/// By byte: a letter in lower case, a digit, or zero.
#[allow(clippy::indexing_slicing, reason = "the compiler computes it, and stops at an index that is too large")]
static PLAIN: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

fn plain(byte: u8) -> u8 {
    PLAIN.get(usize::from(byte)).copied().unwrap_or_default()
}

/// One bit for each digit and lower-case letter.
const fn bit(letter: u8) -> u64 {
    1 << (letter.wrapping_sub(b'0') & 63)
}

const fn place(second: u8, last: u8) -> usize {
    (second.wrapping_add(last.wrapping_mul(7)) & 63) as usize
}

/// Ends of plain keys: `token` is the end of `X-Auth-Token` and of `token`.
#[derive(Debug)]
pub(crate) struct Ends {
    ends: &'static [&'static str],
    /// Words at the end of a key that are no such end: `per_token`, but not `developer_token`.
    except: &'static [&'static str],
    /// By the last letter of an end: one bit for each letter before it.
    pairs: [u64; 64],
}

impl Ends {
    /// Makes the list of these ends, which must be plain and have two letters at least.
    #[allow(clippy::indexing_slicing, reason = "the compiler computes it, and stops at an index that is too large")]
    pub(crate) const fn of(ends: &'static [&'static str], except: &'static [&'static str]) -> Self {
        let (mut pairs, mut at) = ([0; 64], 0);
        while at < ends.len() {
            let end = ends[at].as_bytes();
            pairs[(end[end.len() - 1] & 63) as usize] |= bit(end[end.len() - 2]);
            at += 1;
        }
        Self { ends, except, pairs }
    }

    #[cfg(test)]
    pub(crate) fn ends(&self) -> &'static [&'static str] {
        self.ends
    }

    /// Returns whether the key has one of these ends.
    #[inline]
    pub(crate) fn has(&self, key: &str) -> bool {
        self.may_have(key)
            && self.ends.iter().any(|end| ends_with(key, end))
            && !self.except.iter().any(|words| ends_with_words(key, words))
    }

    /// Returns `false` if the key certainly has none of these ends, by its last two letters.
    #[inline]
    fn may_have(&self, key: &str) -> bool {
        let [.., before, last] = key.as_bytes() else { return false };
        let (before, last) = (plain(*before), plain(*last));
        let is_separated = before == 0 || last == 0;
        is_separated || self.pairs.get(usize::from(last & 63)).is_some_and(|pairs| pairs & bit(before) != 0)
    }
}

/// Returns whether a key ends with this plain text, without regard to case and separators.
fn ends_with(key: &str, end: &str) -> bool {
    let mut letters = key.bytes().rev().map(plain).filter(|letter| *letter != 0);
    end.bytes().rev().all(|letter| letters.next() == Some(letter))
}

/// Returns whether a key ends with this plain text, and a word begins where that does: at the start of the key, behind a
/// separator, or with a capital behind a small letter.
fn ends_with_words(key: &str, words: &str) -> bool {
    if !ends_with(key, words) {
        return false;
    }
    let mut letters = key.bytes().rev().skip_while(|byte| plain(*byte) == 0);
    let mut left = words.len();
    let first = letters.by_ref().find(|byte| {
        left -= usize::from(plain(*byte) != 0);
        left == 0
    });
    let is_capital = first.is_some_and(|byte| byte.is_ascii_uppercase());
    letters.next().is_none_or(|before| plain(before) == 0 || (is_capital && !before.is_ascii_uppercase()))
}

/// A key without case and separators, on the stack.
pub(crate) struct Plain {
    letters: [u8; LONGEST],
    len: usize,
}

impl Plain {
    /// Returns `None` for a key that is longer than any on a list, or has none of their letters.
    pub(crate) fn new(key: &str) -> Option<Self> {
        let mut plain = Self { letters: [0; LONGEST], len: 0 };
        for byte in key.bytes().filter(u8::is_ascii_alphanumeric) {
            *plain.letters.get_mut(plain.len)? = byte.to_ascii_lowercase();
            plain.len += 1;
        }
        (plain.len > 0).then_some(plain)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.letters.get(..self.len).unwrap_or_default()
    }
}

/// Keys whose value is a secret, whatever it looks like: by common use, and by the lists of Segment's privacy portal. More
/// are known by their [end](SECRET_ENDS).
pub(crate) const SECRETS: &[&str] = &[
    "password_confirmation",
    "api_keys",
    "authorization",
    "proxy_authorization",
    "cookie",
    "cookies",
    "set_cookie",
    "session_cookie",
    "otp",
    "credit_card",
    "credit_card_number",
    "card_number",
    "cc_number",
    "cvv",
    "cvv2",
    "cvc",
    "cvc2",
    "card_cvv",
    "card_cvc",
    "security_code",
    "pin",
    "pin_code",
    "iban",
    "account_number",
    "bank_account",
    "bank_account_number",
    "routing_number",
    "sort_code",
    "ssn",
    "social_security",
    "social_security_number",
    "passport",
    "passport_number",
    "driver_license",
    "drivers_license",
    "driver_license_number",
    "tax_id",
    "tax_number",
    "national_id",
];

/// Ends of keys whose value is a secret. `tokens` is none of them: language models count those.
pub(crate) static SECRET_ENDS: Ends = Ends::of(
    &[
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "passcode",
        "token",
        "jwt",
        "secret",
        "credentials",
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "authkey",
        "signingkey",
        "encryptionkey",
    ],
    &["pertoken", "firsttoken", "lasttoken"],
);

/// Keys of personal data, for the preset that goes further. More are known by their [end](PERSONAL_ENDS).
pub(crate) const PERSONAL: &[&str] = &[
    "email",
    "phone",
    "telephone",
    "tel",
    "mobile",
    "mobile_phone",
    "mobile_number",
    "cell_phone",
    "home_phone",
    "work_phone",
    "fax",
    "fax_number",
    "display_name",
    "nickname",
    "family_name",
    "given_name",
    "maiden_name",
    "cardholder",
    "cardholder_name",
    "name_on_card",
    "address1",
    "address2",
    "address_line1",
    "address_line2",
    "line1",
    "line2",
    "street",
    "street1",
    "street2",
    "postcode",
    "zip",
    "birthday",
    "birth_date",
    "date_of_birth",
    "dob",
    "gender",
];

/// Keys of personal data that have another meaning elsewhere: products, browsers and campaigns have names as well.
pub(crate) const PERSONAL_IN_TRAITS: &[&str] = &["name"];

/// Keys of personal data but for `context.location`, where they describe the place of an IP address.
pub(crate) const PERSONAL_BUT_IN_LOCATION: &[&str] = &["city"];

/// Ends of keys of personal data. The addresses of machines are no keys, for they have detectors.
pub(crate) static PERSONAL_ENDS: Ends = Ends::of(
    &[
        "address",
        "firstname",
        "middlename",
        "lastname",
        "fullname",
        "surname",
        "username",
        "phonenumber",
        "postalcode",
        "zipcode",
    ],
    &["ipaddress", "macaddress"],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_names_each_key_and_each_end() {
        let lists =
            [SECRETS, SECRET_ENDS.ends(), PERSONAL, PERSONAL_ENDS.ends(), PERSONAL_IN_TRAITS, PERSONAL_BUT_IN_LOCATION];
        let readme = include_str!("../README.md");
        let missing = lists.concat().into_iter().filter(|key| !readme.contains(&format!("`{key}`")));
        assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn no_key_is_listed_that_its_end_says_already() {
        for (keys, ends) in [(SECRETS, &SECRET_ENDS), (PERSONAL, &SECRET_ENDS), (PERSONAL, &PERSONAL_ENDS)] {
            assert_eq!(keys.iter().filter(|key| ends.has(key)).collect::<Vec<_>>(), [&""; 0]);
        }
    }

    #[test]
    fn a_key_has_an_end_in_each_spelling() {
        static ENDS: Ends = Ends::of(&["token", "key2"], &["no_token"]);
        for (key, expected) in [
            ("token", true),
            ("X-Auth-TOKEN", true),
            ("to_ken__", true),
            ("tok\u{e9}en", true),
            ("token\u{e9}", true),
            ("api.Key-2", true),
            ("k2", false),
            ("n", false),
            ("", false),
            ("__", false),
            ("tokens", false),
            ("oken", false),
            ("key", false),
        ] {
            assert_eq!(ENDS.has(key), expected, "{key}");
        }
    }
}
