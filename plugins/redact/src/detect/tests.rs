//! What each detector finds, and above all what it leaves alone.

use proptest::prelude::*;

use super::*;

fn found(detector: Detector, text: &str) -> Vec<&str> {
    let (signs, found) = (Signs::new(text), detector.find(text));
    let looks = detector.needs().iter().any(|needs| signs.meet(needs));
    assert!(looks || found.is_empty(), "{detector:?} does not look at {text:?}");
    found.into_iter().map(|range| &text[range]).collect()
}

#[test]
fn each_detector_finds_its_own() {
    use Detector::*;
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----";
    let rows: &[(Detector, &str, &[&str])] = &[
        (CreditCard, "4111111111111111", &["4111111111111111"]),
        (CreditCard, "paid with 4111 1111 1111 1111.", &["4111 1111 1111 1111"]),
        (CreditCard, "4111-1111-1111-1111", &["4111-1111-1111-1111"]),
        (CreditCard, "amex 3782 822463 10005", &["3782 822463 10005"]),
        (CreditCard, "5555555555554444,378282246310005", &["5555555555554444", "378282246310005"]),
        (Iban, "DE89370400440532013000", &["DE89370400440532013000"]),
        (Iban, "to GB82 WEST 1234 5698 7654 32 today", &["GB82 WEST 1234 5698 7654 32"]),
        (Jwt, jwt, &[jwt]),
        (ApiKey, "sk_live_4eC39HqLyjWDarjtT1zdp7dc", &["sk_live_4eC39HqLyjWDarjtT1zdp7dc"]),
        (ApiKey, "key AKIAIOSFODNN7EXAMPLE!", &["AKIAIOSFODNN7EXAMPLE"]),
        (ApiKey, "Authorization: Bearer abcdef0123456789", &["abcdef0123456789"]),
        (ApiKey, "Basic dXNlcjpwYXNz", &["dXNlcjpwYXNz"]),
        (ApiKey, "authorization: basic YTpi, and more", &["YTpi"]),
        (ApiKey, "Basic w7x6ZXI6cGFzcw==", &["w7x6ZXI6cGFzcw=="]),
        (ApiKey, "Bearer abcDEF01", &["abcDEF01"]),
        (ApiKey, " bearer abcdefghijklmnop\n", &["abcdefghijklmnop"]),
        (PrivateKey, key, &[key]),
        (UrlSecret, "https://user:pass@example.com/a", &["user:pass"]),
        (UrlSecret, "https://example.com/a?token=abc&page=2", &["abc"]),
        (UrlSecret, "/login?next=%2F&Access-Token=a.b#id_token=c", &["a.b", "c"]),
        (UrlSecret, "https://example.com/reset/8f14e45fceea167a", &["8f14e45fceea167a"]),
        (UrlSecret, "see https://example.com/verify-email/abc12345/ and /x", &["abc12345"]),
        (UrlSecret, "https://x.example/?user_token=a1&new_password=b2&x=1", &["a1", "b2"]),
        (UrlSecret, "/x?api%5Fkey=a1&user[password]=b2&user%5Bpassword%5D=c3&password[]=d4", &["a1", "b2", "c3", "d4"]),
        (UrlSecret, "?next=https%3A%2F%2Fx%3Ftoken%3Dabc&page=2", &["https%3A%2F%2Fx%3Ftoken%3Dabc"]),
        (UrlSecret, "/login?to=%2Fa%3Fto%3D%252Fb%253Fotp%253D7", &["%2Fa%3Fto%3D%252Fb%253Fotp%253D7"]),
        (UrlSecret, "/x?next=https%3A%2F%2Fu%3Ap%40h%2F", &["https%3A%2F%2Fu%3Ap%40h%2F"]),
        (UrlSecret, "password=hunter2&a=b", &["hunter2"]),
        (UrlSecret, "a=b&user%5Bpassword%5D=hünter2", &["hünter2"]),
        (Email, "mail to ann.b+c@example.co.uk, please", &["ann.b+c@example.co.uk"]),
        (Email, "jürgen@müller.de", &["jürgen@müller.de"]),
        (Phone, "+49 (30) 901820 or +14155552671", &["+49 (30) 901820", "+14155552671"]),
        (IpAddress, "203.0.113.7", &["203.0.113.7"]),
        (IpAddress, "from 2001:db8::7 today", &["2001:db8::7"]),
        (IpAddress, "http://10.1.2.3/x and ://10.1.2.4", &["10.1.2.3", "10.1.2.4"]),
        (
            IpAddress,
            "a:10.1.2.3, addr:10.1.2.4,10.1.2.5 ip=10.1.2.6",
            &["10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6"],
        ),
        (
            IpAddress,
            "(10.1.2.3) [10.1.2.4] [2001:db8::7]:80 {10.1.2.5}",
            &["10.1.2.3", "10.1.2.4", "2001:db8::7", "10.1.2.5"],
        ),
        (IpAddress, "10.1.2.3:8080 addr:2001:db8::7", &["10.1.2.3", "2001:db8::7"]),
        (
            IpAddress,
            "/10.1.2.3 https://x.example/hosts/10.1.2.4 /hosts/10.1.2.5",
            &["10.1.2.3", "10.1.2.4", "10.1.2.5"],
        ),
        (MacAddress, "00:1b:44:11:3a:b7", &["00:1b:44:11:3a:b7"]),
        (Ssn, "078-05-1120", &["078-05-1120"]),
    ];
    let wrong = rows.iter().map(|(detector, text, expected)| (detector, text, found(*detector, text), expected));
    assert_eq!(wrong.filter(|(_, _, found, expected)| found != *expected).collect::<Vec<_>>(), []);
}

#[test]
fn the_shortest_text_of_each_detector_is_looked_at() {
    use Detector::*;
    let rows: &[(Detector, &str)] = &[
        (CreditCard, "4222222222222"),
        (Iban, "NO9386011117947"),
        (Jwt, "eyJhbGci.eyJzdWIi.ab"),
        (ApiKey, "xoxb-1234567890"),
        (ApiKey, "AKIAIOSFODNN7EXAMPLE"),
        (ApiKey, "token abcdefghijk1"),
        (ApiKey, "Basic YTpi"),
        (ApiKey, "Bearer abcdefg1"),
        (PrivateKey, "-----BEGIN PRIVATE KEY"),
        (UrlSecret, "://x@"),
        (UrlSecret, "?sid=x"),
        (UrlSecret, "sid=x"),
        (UrlSecret, "/magic/12345678"),
        (Email, "a@b.cc"),
        (Phone, "+12345678"),
        (IpAddress, "1.1.1.1"),
        (IpAddress, "::1"),
        (MacAddress, "00:1b:44:11:3a:b7"),
        (MacAddress, "00-1b-44-11-3a-b7"),
        (Ssn, "078-05-1120"),
    ];
    let wrong = rows.iter().filter(|(detector, text)| found(*detector, text).is_empty());
    assert_eq!(wrong.collect::<Vec<_>>(), [&(Jwt, ""); 0]);
}

#[test]
fn what_only_looks_like_one_is_left_alone() {
    use Detector::*;
    let rows: &[(Detector, &str)] = &[
        (CreditCard, "4111111111111112"),
        (CreditCard, "1700000000000"),
        (CreditCard, "order A4111111111111111"),
        (CreditCard, "4111 11111111 1111"),
        (CreditCard, "0000000000000000"),
        (Iban, "DE89370400440532013001"),
        (Iban, "DESCRIPTION OF A LONG TEXT WITH 1234"),
        (Jwt, "eyJ.is.short"),
        (ApiKey, "bearer of bad news 2024"),
        (ApiKey, "basic instinct"),
        (ApiKey, "Bearer of bad news"),
        (ApiKey, "Bearer certificate"),
        (ApiKey, "Basic membership"),
        (ApiKey, "Basic subscription"),
        (ApiKey, "Basic plan"),
        (ApiKey, "the bearer abcDEF01"),
        (ApiKey, "Bearer abcDEF01 and more"),
        (UrlSecret, "https://example.com/reset/password"),
        (UrlSecret, "https://example.com/?page=2&sort=name"),
        (UrlSecret, "https://@example.com/"),
        (UrlSecret, "://@"),
        (UrlSecret, "what is the code=1 for"),
        (UrlSecret, "https://x.example/?total_tokens=5&secretary=Ann&monkey=1&utm%5Fsource=spring%20sale"),
        (UrlSecret, "/x?next=https%3A%2F%2Fx.example%2F%3Fpage%3D2&color=%23fff"),
        (UrlSecret, "/x?q=100%&b=%zz%4"),
        (UrlSecret, "dG9rZW4="),
        (UrlSecret, "password= and"),
        (UrlSecret, "=a&b=c"),
        (Email, "@mention and a@b"),
        (Email, "user@localhost"),
        (Phone, "+1 and 2"),
        (Phone, "1+14155552671"),
        (IpAddress, "12:30:00"),
        (IpAddress, "version 1.2.3"),
        (IpAddress, "Chrome/125.0.0.0 Safari/537.36"),
        (IpAddress, "(Edg/120.0.0.0; My-App/1.2.3.4)"),
        (IpAddress, "1.2.3.4.5"),
        (MacAddress, "00:1b:44:11:3a"),
        (Ssn, "000-12-3456"),
        (Ssn, "2024-05-1120"),
    ];
    let found = rows.iter().map(|(detector, text)| (detector, text, found(*detector, text)));
    assert_eq!(found.filter(|(_, _, found)| !found.is_empty()).collect::<Vec<_>>(), []);
}

/// A number that passes for a card's: most are none, and which it is is known by its check digit alone.
fn is_card_number(digits: &str) -> bool {
    !found(Detector::CreditCard, digits).is_empty()
}

proptest! {
    #[test]
    fn ids_and_times_are_never_sensitive(bytes in any::<[u8; 16]>(), millis in 946_684_800_000_u64..4_000_000_000_000) {
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
        for text in [id.clone(), millis.to_string(), format!("order-{id}"), format!("{millis}-{id}")] {
            for detector in Detector::ALL {
                prop_assert!(found(*detector, &text).is_empty(), "{detector:?} in {text}: {:?}", found(*detector, &text));
            }
        }
    }

    #[test]
    fn an_order_number_with_a_wrong_check_digit_is_no_card(number in 1_000_000_000_000_000_u64..9_999_999_999_999_999) {
        let last = number % 10;
        let cards = (0..10).filter(|digit| is_card_number(&(number - last + digit).to_string())).count();
        prop_assert!(cards <= 1, "{cards} of ten numbers that differ in the check digit are cards");
    }

    #[test]
    fn no_text_makes_a_detector_panic_or_overlap(text in any::<String>(), sensitive in "[@:/?=+. -]{0,8}[0-9]{0,20}\\PC{0,8}") {
        for text in [&text, &sensitive, &format!("{sensitive}{text}{sensitive}")] {
            for detector in Detector::ALL {
                let mut end = 0;
                for range in detector.find(text) {
                    prop_assert!(range.start >= end && range.end > range.start && text.get(range.clone()).is_some());
                    end = range.end;
                }
            }
        }
    }

    /// Counts of bytes and looks for the begin of something are only there to be quick.
    #[test]
    fn no_short_cut_hides_what_a_detector_finds(text in pieces()) {
        let signs = Signs::new(&text);
        for detector in Detector::ALL {
            let looks = detector.needs().iter().any(|needs| signs.meet(needs));
            prop_assert!(looks || detector.find(&text).is_empty(), "{:?} in {:?}", detector, text);
        }
        prop_assert_eq!(super::url::secrets(&text), super::url::in_words(&text), "{:?}", text);
        prop_assert_eq!(super::token::api_keys(&text), super::token::api_keys_anywhere(&text), "{:?}", text);
    }

    #[test]
    fn a_run_is_as_long_as_it_can_be_and_none_is_passed_over(text in "[a-c0-2é]{0,40}", least in 1_usize..9) {
        let is = |letter: char| letter.is_ascii_digit();
        let mut expected = Vec::new();
        let mut at = 0;
        for piece in text.split_inclusive(|letter| !is(letter)) {
            let run = piece.trim_end_matches(|letter| !is(letter)).len();
            expected.extend((run >= least).then_some(at..at + run));
            at += piece.len();
        }
        let found: Vec<_> = runs(&text, least, |byte| byte.is_ascii_digit()).collect();
        prop_assert_eq!(found, expected, "{} or more in {:?}", least, text);
    }
}

/// Sensitive text, whole and cut off, between letters and signs.
fn pieces() -> impl Strategy<Value = String> {
    let sensitive = prop::sample::select(vec![
        "4111 1111 1111 1111",
        "5500000000000004",
        "DE89 3704 0044 0532 0130 00",
        "GB29NWBK60161331926819",
        "eyJhbGciOiJI.eyJzdWIiOiI.abc_-",
        "sk_live_abcdefghij",
        "Bearer abc123def456ghi",
        "whsec_abcdefghijklmnop",
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-1234567890",
        "SG.abcdefghijklmnopqrst",
        "::1",
        "://x@",
        "?sid=x",
        "a@b.cc",
        "+12345678",
        "1.1.1.1",
        "NO9386011117947",
        "-----BEGIN PRIVATE KEY-----x-----END PRIVATE KEY-----",
        "https://u:p@h/?token=abc",
        "://@",
        "/reset/abc12345",
        "?code=1",
        "password=hunter2&a=b",
        "?to=%2Fa%3Ftoken%3Db",
        "Basic dXNlcjpwYXNz",
        "Bearer abcdefghijklmnop",
        "ann@example.com",
        "+14155552671",
        "203.0.113.7",
        "2001:db8::7",
        "00:1b:44:11:3a:b7",
        "078-05-1120",
    ]);
    let cut = (sensitive, any::<prop::sample::Index>()).prop_map(|(text, end)| {
        let len = text.len();
        text.get(..if end.index(3) == 0 { end.index(len) } else { len }).unwrap_or_default().to_owned()
    });
    prop::collection::vec((cut, "[ \t\u{a0}\u{2003}x\"é:/?@.-]{0,2}"), 0..5)
        .prop_map(|parts| parts.into_iter().map(|(text, between)| between + &text).collect())
}
