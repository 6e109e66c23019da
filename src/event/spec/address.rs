//! A postal address, of a user or a group.
//!
//! It is always an object on the wire. Set an address that is one string with `Traits::with`. Nothing is checked.

use super::setters::setters;
use crate::event::sections::section;

section! {
    /// The address of a user or a group:
    /// [Spec: Identify, traits](https://segment.com/docs/connections/spec/identify/#traits).
    ///
    /// ```
    /// use tracklane::event::{Address, Traits};
    ///
    /// let traits = Traits::new().address(Address::new().city("San Francisco").postal_code("94103"));
    /// assert_eq!(serde_json::to_string(&traits)?, r#"{"address":{"city":"San Francisco","postalCode":"94103"}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Address
}

setters! { Address, ADDRESS:
    city: "city" "City" text;
    country: "country" "Country" text;
    postal_code: "postalCode" "Postal code" text;
    state: "state" "State or region" text;
    street: "street" "Street and number" text;
}
