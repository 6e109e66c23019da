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

/// Keys whose value is a secret, whatever it looks like: by common use, and by the lists of Segment's privacy portal.
pub(crate) const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "client_secret",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "session_token",
    "csrf_token",
    "api_key",
    "apikey",
    "api_secret",
    "private_key",
    "secret_key",
    "authorization",
    "proxy_authorization",
    "cookie",
    "set_cookie",
    "session_cookie",
    "credentials",
    "otp",
    "one_time_password",
    "credit_card",
    "credit_card_number",
    "card_number",
    "cc_number",
    "cvv",
    "cvv2",
    "cvc",
    "cvc2",
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

/// Keys of personal data, for the preset that goes further.
pub(crate) const PERSONAL: &[&str] = &[
    "email",
    "email_address",
    "phone",
    "phone_number",
    "mobile",
    "mobile_number",
    "first_name",
    "last_name",
    "full_name",
    "surname",
    "family_name",
    "given_name",
    "maiden_name",
    "street",
    "street_address",
    "address_line1",
    "address_line2",
    "birthday",
    "birth_date",
    "date_of_birth",
    "dob",
    "gender",
];
