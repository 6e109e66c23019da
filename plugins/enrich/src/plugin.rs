//! The plugin: reads an event's context, and adds to it.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use tracklane::emitter::signal::{self, Failure};
use tracklane::plugin::{Host, Plugin};
use tracklane::{BoxError, Context, Event, Kind};

use crate::address;
use crate::campaign::campaign;
use crate::geoip::GeoIp;
use crate::order;
use crate::referrer::referrer;
use crate::user_agent::{UserAgent, client_hints, user_agent};
use crate::web_url;

/// The name of the plugin.
pub(crate) const NAME: &str = "Enrich";

/// What is added.
pub(crate) struct Additions {
    pub(crate) campaign: bool,
    pub(crate) referrer: bool,
    pub(crate) user_agent: bool,
    pub(crate) geoip: Option<GeoIp>,
    /// Where the process runs; empty if it is not added.
    pub(crate) metadata: Context,
}

/// Looks at the order of the plugins when the client begins.
pub(crate) struct OrderCheck;

impl Plugin for OrderCheck {
    fn name(&self) -> &str {
        NAME
    }

    async fn load(&self, host: &Host) -> Result<(), BoxError> {
        let emitter = host.emitter().clone();
        host.emitter().once(signal::Initialize, move |initialized| {
            if let Some(problem) = order::problem(&initialized.plugins, NAME) {
                emitter.fail(Failure::new(NAME, problem, 0));
            }
        });
        Ok(())
    }
}

impl Additions {
    pub(crate) fn add_to(&self, event: &mut Event) {
        if self.campaign || self.referrer {
            self.read_page(event);
        }
        let mut found = Context::new();
        if self.user_agent {
            read_user_agent(event.context(), &mut found);
        }
        if let Some(geoip) = &self.geoip {
            read_address(event.context(), geoip, &mut found);
        }
        if !found.is_empty() {
            event.add_context(&found);
        }
        if !self.metadata.is_empty() {
            event.add_context(&self.metadata);
        }
    }

    fn read_page(&self, event: &mut Event) {
        let text = |event: &Event, name: &str| {
            let text = event.context().get_str_at(&["page", name]).or_else(|| of_page_call(event, name));
            // A copy, because what it tells goes into the text that it is in.
            text.map(Cow::into_owned)
        };
        let url = text(event, "url");
        if self.campaign {
            let search = url.as_deref().and_then(web_url::query).map(Cow::Borrowed);
            let search = search.or_else(|| text(event, "search").map(Cow::Owned));
            let campaign = search.as_deref().map(|search| campaign(search.trim_start_matches('?'))).unwrap_or_default();
            // One that is there is of another visit, perhaps: no mixture of two is made.
            if !campaign.is_empty() {
                event.context_mut().insert_missing_at(&["campaign"], &campaign);
            }
        }
        if self.referrer
            && let Some(text) = text(event, "referrer")
        {
            let told = referrer(&text, url.as_deref());
            if let Some(domain) = told.domain {
                event.context_mut().insert_missing_at(&["page", "referring_domain"], &domain);
            }
            if let Some(site) = told.site {
                event.context_mut().insert_missing_at(&["referrer"], &site);
            }
        }
    }
}

/// Sets a member, without a look at what was there.
fn set(found: &mut Context, member: &str, value: impl Serialize) {
    found.extend([(member, value)]);
}

/// What is added to `context.device`.
#[derive(Serialize)]
struct Device {
    r#type: &'static str,
}

/// Returns a member of the page from the properties of a page call, which browsers write.
fn of_page_call<'e>(event: &'e Event, name: &str) -> Option<Cow<'e, str>> {
    event.properties().filter(|_| event.kind() == Kind::Page)?.get_str(name)
}

fn read_user_agent(context: &Context, found: &mut Context) {
    let by_hints = match context.get("userAgentData") {
        Some(Value::Object(hints)) => client_hints(&hints),
        _ => UserAgent::default(),
    };
    let by_text = context.get_str("userAgent").map(|text| user_agent(&text)).unwrap_or_default();
    for (member, hints, text) in [("browser", by_hints.browser, by_text.browser), ("os", by_hints.os, by_text.os)] {
        let told = if hints.is_empty() { text } else { hints };
        // A name of one source and a version of the other would be wrong.
        if !told.is_empty() && !context.contains_key(member) {
            set(found, member, told);
        }
    }
    if let Some(device_type) = by_hints.device_type.or(by_text.device_type) {
        set(found, "device", Device { r#type: device_type });
    }
    if by_text.is_bot {
        set(found, "bot", true);
    }
}

fn read_address(context: &Context, geoip: &GeoIp, found: &mut Context) {
    if context.contains_key("location") {
        return;
    }
    let address = context.get_str("ip").and_then(|text| address::public(&text));
    if let Some(address) = address {
        geoip.with_location(address, |location| set(found, "location", location));
    }
}
