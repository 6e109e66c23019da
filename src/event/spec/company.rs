//! The company of a user, as a trait of that user.
//!
//! It is always an object on the wire. A company with an account of its own is a group and has `Traits`.

use super::setters::setters;
use crate::event::sections::section;

section! {
    /// The company that a user works for:
    /// [Spec: Identify, traits](https://segment.com/docs/connections/spec/identify/#traits).
    ///
    /// ```
    /// use tracklane::event::{Company, Traits};
    ///
    /// let traits = Traits::new().company(Company::new().name("Initech").id(42).employee_count(0));
    /// let json = r#"{"company":{"name":"Initech","id":"42","employee_count":0}}"#;
    /// assert_eq!(serde_json::to_string(&traits)?, json);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Company
}

setters! { Company, COMPANY:
    name: "name" "Name of the company" text;
    id: "id" "Id of the company in your database" id;
    industry: "industry" "Industry that it works in" text;
    employee_count: "employee_count" "How many people it employs" number;
    plan: "plan" "Plan that it is on" text;
}
