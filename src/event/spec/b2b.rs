//! The events of a B2B product: accounts, their users, and trials.
//!
//! They follow [Spec: B2B SaaS](https://segment.com/docs/connections/spec/b2b-saas/). A function makes a [`Track`] in
//! the context of a group, which all of these events need (`context.groupId`; an empty id stands for none). The
//! properties are [`Properties`], a struct of yours, or `Properties::new()` for none.
//!
//! ```
//! use tracklane::event::{Properties, b2b};
//!
//! let event = b2b::account_added_user("acct_123", Properties::new().role("Owner")).user_id("u1");
//! ```

use serde::Serialize;

use super::setters::setters;
use crate::event::{Context, IntoId, Properties, Track};

macro_rules! events {
    ($($event:ident: $name:literal $doc:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $doc, ".")]
            pub fn $event<Form>(group_id: impl IntoId<Form>, properties: impl Serialize) -> Track {
                in_group(Track::new($name), group_id).properties(properties)
            }
        )+

        #[cfg(test)]
        pub(super) const EVENTS: &[&str] = &[$($name),+];
    };
}

events! {
    account_created: "Account Created" "an account was made";
    account_deleted: "Account Deleted" "an account was deleted";
    signed_up: "Signed Up" "a user signed up for the account";
    signed_in: "Signed In" "a user signed in";
    signed_out: "Signed Out" "a user signed out";
    invite_sent: "Invite Sent" "a user invited somebody to the account";
    account_added_user: "Account Added User" "a user was added to the account";
    account_removed_user: "Account Removed User" "a user was removed from the account";
    trial_started: "Trial Started" "the account began a trial";
    trial_ended: "Trial Ended" "the trial of the account ended";
}

fn in_group<Form>(track: Track, group_id: impl IntoId<Form>) -> Track {
    match group_id.into_id().map(|id| id.to_string()).filter(|id| !id.is_empty()) {
        Some(id) => track.context(Context::new().group_id(id)),
        None => track,
    }
}

setters! { Properties, B2B_PROPERTIES:
    account_name: "account_name" "Name of the account" text;
    kind: "type" "Kind of sign-up, such as `organic`" text;
    first_name: "first_name" "First name of the user" text;
    last_name: "last_name" "Last name of the user" text;
    email: "email" "Email address of the user" text;
    phone: "phone" "Phone number of the user" text;
    username: "username" "User name of the user" text;
    invitee_email: "invitee_email" "Email address of who is invited" text;
    invitee_first_name: "invitee_first_name" "First name of who is invited" text;
    invitee_last_name: "invitee_last_name" "Last name of who is invited" text;
    invitee_role: "invitee_role" "Role of who is invited" text;
    role: "role" "Role of the user in the account" text;
    trial_start_date: "trial_start_date" "When the trial starts" time;
    trial_end_date: "trial_end_date" "When the trial ends" time;
    trial_plan_name: "trial_plan_name" "Plan that is tried" text;
}
