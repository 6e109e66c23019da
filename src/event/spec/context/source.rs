//! The way of the user to this page: campaign, referrer, page.
//!
//! The values are the caller's. A URL is not parsed.

use crate::event::sections::section;
use crate::event::spec::setters::setters;

section! {
    /// The campaign that led to the event. A UTM parameter that has no setter goes in using `with`, without its
    /// `utm_`:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Campaign};
    ///
    /// let context = Context::new().campaign(Campaign::new().source("Newsletter").with("id", "tps-7"));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"campaign":{"source":"Newsletter","id":"tps-7"}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Campaign
}

setters! { Campaign, CAMPAIGN:
    name: "name" "Name of the campaign, from `utm_campaign`" text;
    source: "source" "Source, from `utm_source`" text;
    medium: "medium" "Medium, from `utm_medium`" text;
    term: "term" "Term, from `utm_term`" text;
    content: "content" "Content, from `utm_content`" text;
}

section! {
    /// The web page:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Page};
    ///
    /// let context = Context::new().page(Page::new().path("/academy/").referrer(""));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"page":{"path":"/academy/","referrer":""}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Page
}

setters! { Page, PAGE:
    path: "path" "Path of the URL" text;
    referrer: "referrer" "URL of the page before" text;
    search: "search" "Query of the URL, with `?`" text;
    title: "title" "Title of the page" text;
    url: "url" "URL of the page" text;
}

section! {
    /// Who led the user here:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Referrer};
    ///
    /// let context = Context::new().referrer(Referrer::new().id("ABCD582").kind("dataxu"));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"referrer":{"id":"ABCD582","type":"dataxu"}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Referrer
}

setters! { Referrer, REFERRER:
    id: "id" "Id of the referrer" id;
    kind: "type" "Type of the referrer" text;
    name: "name" "Name of the referrer" text;
    url: "url" "URL of the referrer" text;
    link: "link" "Link that was followed" text;
}
