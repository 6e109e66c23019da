//! The keys that the setters of the context write.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::check;
use crate::event::context::*;
use crate::event::spec::context::keys::*;
use crate::event::{Context, Traits};

#[test]
fn context_is_the_specs() {
    check::<Context>(
        &[
            (|c| c.active(false), r#"{"active":false}"#),
            (|c| c.app(App::new().name("Shop")), r#"{"app":{"name":"Shop"}}"#),
            (|c| c.campaign(Campaign::new().term("tps")), r#"{"campaign":{"term":"tps"}}"#),
            (|c| c.channel("server"), r#"{"channel":"server"}"#),
            (|c| c.device(Device::new().id("B5372DB0")), r#"{"device":{"id":"B5372DB0"}}"#),
            (|c| c.direct(false), r#"{"direct":false}"#),
            (|c| c.group_id(12345), r#"{"groupId":"12345"}"#),
            (|c| c.ip(Ipv4Addr::new(8, 8, 8, 8)), r#"{"ip":"8.8.8.8"}"#),
            (|c| c.library(Library::new().name("gateway")), r#"{"library":{"name":"gateway"}}"#),
            (|c| c.locale("en-US"), r#"{"locale":"en-US"}"#),
            (|c| c.location(Location::new().speed(0.0)), r#"{"location":{"speed":0.0}}"#),
            (|c| c.network(Network::new().wifi(false)), r#"{"network":{"wifi":false}}"#),
            (|c| c.os(Os::new().name("iPhone OS")), r#"{"os":{"name":"iPhone OS"}}"#),
            (|c| c.page(Page::new().path("/academy/")), r#"{"page":{"path":"/academy/"}}"#),
            (|c| c.referrer(Referrer::new().kind("dataxu")), r#"{"referrer":{"type":"dataxu"}}"#),
            (|c| c.screen(Screen::new().width(320)), r#"{"screen":{"width":320}}"#),
            (|c| c.timezone("Europe/Amsterdam"), r#"{"timezone":"Europe/Amsterdam"}"#),
            (|c| c.traits(Traits::new().plan("Team")), r#"{"traits":{"plan":"Team"}}"#),
            (|c| c.user_agent("Mozilla/5.0"), r#"{"userAgent":"Mozilla/5.0"}"#),
            (|c| c.user_agent_data(UserAgentData::new().mobile(false)), r#"{"userAgentData":{"mobile":false}}"#),
        ],
        &[CONTEXT],
        "active app campaign channel device direct groupId ip library locale location network os page referrer screen
         timezone traits userAgent userAgentData",
    );
}

#[test]
fn addresses_of_either_family_and_strings_are_an_ip() {
    let loopback = IpAddr::from(Ipv6Addr::LOCALHOST);
    assert_eq!(serde_json::to_string(&Context::new().ip(loopback)).unwrap(), r#"{"ip":"::1"}"#);
    assert_eq!(serde_json::to_string(&Context::new().with("ip", "8.8.8.0")).unwrap(), r#"{"ip":"8.8.8.0"}"#);
}

#[test]
fn software_is_the_specs() {
    check::<App>(
        &[
            (|a| a.name("Shop"), r#"{"name":"Shop"}"#),
            (|a| a.version(545), r#"{"version":"545"}"#),
            (|a| a.build(545), r#"{"build":545}"#),
            (|a| a.namespace("com.example.shop"), r#"{"namespace":"com.example.shop"}"#),
        ],
        &[APP],
        "name version build namespace",
    );
    assert_eq!(serde_json::to_string(&App::new().build("3.0.1.545")).unwrap(), r#"{"build":"3.0.1.545"}"#);
    check::<Library>(
        &[(|l| l.name("gateway"), r#"{"name":"gateway"}"#), (|l| l.version("2.11.1"), r#"{"version":"2.11.1"}"#)],
        &[LIBRARY],
        "name version",
    );
    check::<Os>(
        &[(|o| o.name("iPhone OS"), r#"{"name":"iPhone OS"}"#), (|o| o.version("8.1.3"), r#"{"version":"8.1.3"}"#)],
        &[OS],
        "name version",
    );
}

#[test]
fn devices_are_the_specs() {
    check::<Device>(
        &[
            (|d| d.id("B5372DB0"), r#"{"id":"B5372DB0"}"#),
            (|d| d.advertising_id("7A3CBEA0"), r#"{"advertisingId":"7A3CBEA0"}"#),
            (|d| d.ad_tracking_enabled(false), r#"{"adTrackingEnabled":false}"#),
            (|d| d.manufacturer("Apple"), r#"{"manufacturer":"Apple"}"#),
            (|d| d.model("iPhone7,2"), r#"{"model":"iPhone7,2"}"#),
            (|d| d.name("maguro"), r#"{"name":"maguro"}"#),
            (|d| d.kind("ios"), r#"{"type":"ios"}"#),
            (|d| d.version(7), r#"{"version":"7"}"#),
            (|d| d.token("ff15bc0c"), r#"{"token":"ff15bc0c"}"#),
        ],
        &[DEVICE],
        "id advertisingId adTrackingEnabled manufacturer model name type version token",
    );
    check::<Network>(
        &[
            (|n| n.bluetooth(false), r#"{"bluetooth":false}"#),
            (|n| n.carrier("T-Mobile US"), r#"{"carrier":"T-Mobile US"}"#),
            (|n| n.cellular(true), r#"{"cellular":true}"#),
            (|n| n.wifi(false), r#"{"wifi":false}"#),
        ],
        &[NETWORK],
        "bluetooth carrier cellular wifi",
    );
    check::<Screen>(
        &[
            (|s| s.density(1.5), r#"{"density":1.5}"#),
            (|s| s.height(568), r#"{"height":568}"#),
            (|s| s.width(0), r#"{"width":0}"#),
        ],
        &[SCREEN],
        "density height width",
    );
    check::<UserAgentData>(
        &[
            (|u| u.brands([("Chromium", "110")]), r#"{"brands":[{"brand":"Chromium","version":"110"}]}"#),
            (|u| u.mobile(false), r#"{"mobile":false}"#),
            (|u| u.platform("macOS"), r#"{"platform":"macOS"}"#),
            (|u| u.bitness(64), r#"{"bitness":"64"}"#),
            (|u| u.model(""), r#"{"model":""}"#),
            (|u| u.platform_version("13.2.1"), r#"{"platformVersion":"13.2.1"}"#),
            (|u| u.ua_full_version("110.0.5481.104"), r#"{"uaFullVersion":"110.0.5481.104"}"#),
            (
                |u| u.full_version_list([("Chromium", "110")]),
                r#"{"fullVersionList":[{"brand":"Chromium","version":"110"}]}"#,
            ),
            (|u| u.wow64(false), r#"{"wow64":false}"#),
        ],
        &[USER_AGENT_DATA],
        "brands mobile platform bitness model platformVersion uaFullVersion fullVersionList wow64",
    );
}

#[test]
fn locations_are_the_specs() {
    check::<Location>(
        &[
            (|l| l.city("San Francisco"), r#"{"city":"San Francisco"}"#),
            (|l| l.country("United States"), r#"{"country":"United States"}"#),
            (|l| l.latitude(0.0), r#"{"latitude":0.0}"#),
            (|l| l.longitude(-76.9411617), r#"{"longitude":-76.9411617}"#),
            (|l| l.region("CA"), r#"{"region":"CA"}"#),
            (|l| l.speed(0.0), r#"{"speed":0.0}"#),
        ],
        &[LOCATION],
        "city country latitude longitude region speed",
    );
}

#[test]
fn sources_are_the_specs() {
    check::<Campaign>(
        &[
            (|c| c.name("TPS Innovation Newsletter"), r#"{"name":"TPS Innovation Newsletter"}"#),
            (|c| c.source("Newsletter"), r#"{"source":"Newsletter"}"#),
            (|c| c.medium("email"), r#"{"medium":"email"}"#),
            (|c| c.term("tps reports"), r#"{"term":"tps reports"}"#),
            (|c| c.content("image link"), r#"{"content":"image link"}"#),
        ],
        &[CAMPAIGN],
        "name source medium term content",
    );
    check::<Page>(
        &[
            (|p| p.path("/academy/"), r#"{"path":"/academy/"}"#),
            (|p| p.referrer(""), r#"{"referrer":""}"#),
            (|p| p.search("?a=b"), r#"{"search":"?a=b"}"#),
            (|p| p.title("Academy"), r#"{"title":"Academy"}"#),
            (|p| p.url("https://a.example/academy/"), r#"{"url":"https://a.example/academy/"}"#),
        ],
        &[PAGE],
        "path referrer search title url",
    );
    check::<Referrer>(
        &[
            (|r| r.id("ABCD582"), r#"{"id":"ABCD582"}"#),
            (|r| r.kind("dataxu"), r#"{"type":"dataxu"}"#),
            (|r| r.name("Dataxu"), r#"{"name":"Dataxu"}"#),
            (|r| r.url("https://a.example"), r#"{"url":"https://a.example"}"#),
            (|r| r.link("https://a.example/1"), r#"{"link":"https://a.example/1"}"#),
        ],
        &[REFERRER],
        "id type name url link",
    );
}

#[test]
fn free_keys_may_have_any_name() {
    let context = Context::new().with_all(serde_json::json!({"Google Analytics": {"clientId": "1033.144"}}));
    let json = r#"{"Google Analytics":{"clientId":"1033.144"}}"#;
    assert_eq!(serde_json::to_string(&context).unwrap(), json);
}
