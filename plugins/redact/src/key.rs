//! Keys, compared without case and separators: `creditCard` is `credit_card` is `Credit-Card`.

/// The most letters and digits that a key is compared by; a longer one names nothing on a list.
pub(crate) const LONGEST: usize = 64;

/// Returns the length of a plain key, which takes less than to make it.
pub(crate) fn len(key: &str) -> usize {
    key.bytes().filter(u8::is_ascii_alphanumeric).count()
}

/// Returns the first and the last letter of a plain key, which takes less still.
pub(crate) fn ends(key: &str) -> Option<(u8, u8)> {
    let mut letters = key.bytes();
    let first = letters.find(u8::is_ascii_alphanumeric)?;
    let last = letters.rfind(u8::is_ascii_alphanumeric).unwrap_or(first);
    Some((first.to_ascii_lowercase(), last.to_ascii_lowercase()))
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
