//! The setters of [`Context`] and its sections.
//!
//! Invariant: a section replaces the one that the same context had. Two contexts are merged deeply, the call's over the
//! default one. Nothing is detected here; a server can read some of it from the request.

mod app;
mod device;
mod location;
mod source;

pub use app::{App, Library, Os};
pub use device::{Device, Network, Screen, UserAgentData};
pub use location::Location;
pub use source::{Campaign, Page, Referrer};

#[cfg(test)]
pub(super) mod keys {
    pub(in crate::event::spec) use super::app::{APP, LIBRARY, OS};
    pub(in crate::event::spec) use super::device::{DEVICE, NETWORK, SCREEN, USER_AGENT_DATA};
    pub(in crate::event::spec) use super::location::LOCATION;
    pub(in crate::event::spec) use super::source::{CAMPAIGN, PAGE, REFERRER};
}

use super::setters::setters;
use crate::event::{Context, Traits};

setters! { Context, CONTEXT:
    active: "active" "Whether the user is active; `false` updates traits without \"last seen\"" flag;
    app: "app" "The application" App;
    campaign: "campaign" "The campaign that led to the event" Campaign;
    channel: "channel" "Where it was sent from: `browser`, `mobile` or `server`" text;
    device: "device" "The user's device" Device;
    direct: "direct" "Whether Segment may take the sender's address for the user's" flag;
    group_id: "groupId" "Id of the group or account" id;
    ip: "ip" "The user's IP address" ip;
    library: "library" "The library that makes the request" Library;
    locale: "locale" "The user's locale, such as `en-US`" text;
    location: "location" "Where the user is" Location;
    network: "network" "How the device is connected" Network;
    os: "os" "The operating system" Os;
    page: "page" "The web page" Page;
    referrer: "referrer" "Who led the user here" Referrer;
    screen: "screen" "The device's screen" Screen;
    timezone: "timezone" "The user's time zone, as a name of tzdata such as `America/New_York`" text;
    traits: "traits" "Traits of the user, without an identify call" Traits;
    user_agent: "userAgent" "The user agent, as the browser names itself" text;
    user_agent_data: "userAgentData" "The user agent, as its client hints have it" UserAgentData;
}
