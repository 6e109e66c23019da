//! The keys that the setters of traits write.

use super::check;
use crate::event::spec::{address::ADDRESS, company::COMPANY, traits::GROUP_TRAITS, traits::TRAITS};
use crate::event::{Address, Company, Timestamp, Traits};

fn birth() -> Timestamp {
    "1971-02-19T01:00:00+01:00".parse().unwrap()
}

#[test]
fn traits_are_the_specs() {
    check::<Traits>(
        &[
            (|t| t.address(Address::new().city("Austin")), r#"{"address":{"city":"Austin"}}"#),
            (|t| t.age(0), r#"{"age":0}"#),
            (|t| t.avatar("https://a.example/1.png"), r#"{"avatar":"https://a.example/1.png"}"#),
            (|t| t.birthday(birth()), r#"{"birthday":"1971-02-19T00:00:00.000Z"}"#),
            (|t| t.company(Company::new().name("Initech")), r#"{"company":{"name":"Initech"}}"#),
            (|t| t.created_at(std::time::UNIX_EPOCH), r#"{"createdAt":"1970-01-01T00:00:00.000Z"}"#),
            (|t| t.description("d"), r#"{"description":"d"}"#),
            (|t| t.email("peter@initech.example"), r#"{"email":"peter@initech.example"}"#),
            (|t| t.first_name("Peter"), r#"{"firstName":"Peter"}"#),
            (|t| t.gender("male"), r#"{"gender":"male"}"#),
            (|t| t.id(u64::MAX), r#"{"id":"18446744073709551615"}"#),
            (|t| t.last_name(String::from("Gibbons")), r#"{"lastName":"Gibbons"}"#),
            (|t| t.name("Peter \"G\" Gibbons"), r#"{"name":"Peter \"G\" Gibbons"}"#),
            (|t| t.phone("410-555-9412"), r#"{"phone":"410-555-9412"}"#),
            (|t| t.title("VP"), r#"{"title":"VP"}"#),
            (|t| t.username("pgibbons"), r#"{"username":"pgibbons"}"#),
            (|t| t.website("https://initech.example"), r#"{"website":"https://initech.example"}"#),
            (|t| t.employees(0), r#"{"employees":0}"#),
            (|t| t.industry("Technology"), r#"{"industry":"Technology"}"#),
            (|t| t.plan("enterprise"), r#"{"plan":"enterprise"}"#),
        ],
        &[TRAITS, GROUP_TRAITS],
        // Of users, then those that only groups have.
        "address age avatar birthday company createdAt description email firstName gender id lastName name phone title \
         username website
         employees industry plan",
    );
}

#[test]
fn addresses_are_the_specs() {
    check::<Address>(
        &[
            (|a| a.city("Austin"), r#"{"city":"Austin"}"#),
            (|a| a.country("USA"), r#"{"country":"USA"}"#),
            (|a| a.postal_code("78701"), r#"{"postalCode":"78701"}"#),
            (|a| a.state("TX"), r#"{"state":"TX"}"#),
            (|a| a.street("6th St"), r#"{"street":"6th St"}"#),
        ],
        &[ADDRESS],
        "city country postalCode state street",
    );
}

#[test]
fn companies_are_the_specs() {
    check::<Company>(
        &[
            (|c| c.name("Initech"), r#"{"name":"Initech"}"#),
            (|c| c.id("0e8c78ea"), r#"{"id":"0e8c78ea"}"#),
            (|c| c.industry("Software"), r#"{"industry":"Software"}"#),
            (|c| c.employee_count(0), r#"{"employee_count":0}"#),
            (|c| c.plan("Team"), r#"{"plan":"Team"}"#),
        ],
        &[COMPANY],
        "name id industry employee_count plan",
    );
}
