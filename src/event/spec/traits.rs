//! Traits of users and groups.
//!
//! They are one type, because the Spec shares most of the keys. Each setter says whether it is for users or groups.
//! None of them checks that.

use super::setters::setters;
use super::{Address, Company};
use crate::event::Traits;

setters! { Traits, TRAITS:
    address: "address" "Address of a user or group" Address;
    age: "age" "Age of a user in years" number;
    avatar: "avatar" "URL of a picture of a user or group" text;
    birthday: "birthday" "Birthday of a user" time;
    company: "company" "Company that a user works for" Company;
    created_at: "createdAt" "When the account of a user or group was made" time;
    description: "description" "Description of a user or group" text;
    email: "email" "Email address of a user or group" text;
    first_name: "firstName" "First name of a user" text;
    gender: "gender" "Gender of a user" text;
    id: "id" "Id of a user or group in your database" id;
    last_name: "lastName" "Last name of a user" text;
    name: "name" "Full name of a user, or name of a group" text;
    phone: "phone" "Phone number of a user or group" text;
    title: "title" "Title of a user, as the position in a company" text;
    username: "username" "User name, unique in your database, of a user" text;
    website: "website" "Website of a user or group" text;
}

setters! { Traits, GROUP_TRAITS:
    employees: "employees" "How many people a group employs" number;
    industry: "industry" "Industry of a group" text;
    plan: "plan" "Plan that a group is on" text;
}
