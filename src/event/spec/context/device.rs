//! The user's device: what it is, its screen, its connection, and the browser on it.
//!
//! The values are the caller's. A user agent is not parsed.

use crate::event::sections::section;
use crate::event::spec::setters::setters;

section! {
    /// The user's device:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Device};
    ///
    /// let context = Context::new().device(Device::new().kind("ios").ad_tracking_enabled(false));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"device":{"type":"ios","adTrackingEnabled":false}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Device
}

setters! { Device, DEVICE:
    id: "id" "Id of the device" id;
    advertising_id: "advertisingId" "Id for advertising" id;
    ad_tracking_enabled: "adTrackingEnabled" "Whether the user allows advertising to track" flag;
    manufacturer: "manufacturer" "Manufacturer" text;
    model: "model" "Model" text;
    name: "name" "Name of the device" text;
    kind: "type" "Type, such as `ios` or `android`" text;
    version: "version" "Version" id;
    token: "token" "Token for push messages" text;
}

section! {
    /// How the device is connected:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Network};
    ///
    /// let context = Context::new().network(Network::new().wifi(false).carrier("T-Mobile US"));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"network":{"wifi":false,"carrier":"T-Mobile US"}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Network
}

setters! { Network, NETWORK:
    bluetooth: "bluetooth" "Whether Bluetooth is on" flag;
    carrier: "carrier" "Mobile carrier" text;
    cellular: "cellular" "Whether the connection is cellular" flag;
    wifi: "wifi" "Whether the connection is Wi-Fi" flag;
}

section! {
    /// The device's screen:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Screen};
    ///
    /// let context = Context::new().screen(Screen::new().width(320).height(568).density(1.5));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"screen":{"width":320,"height":568,"density":1.5}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Screen
}

setters! { Screen, SCREEN:
    density: "density" "Pixels of the device per pixel of the layout" number;
    height: "height" "Height in pixels" number;
    width: "width" "Width in pixels" number;
}

section! {
    /// The user agent, as its client hints have it:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::UserAgentData};
    ///
    /// let hints = UserAgentData::new().brands([("Chromium", "110")]).mobile(false);
    /// let context = Context::new().user_agent_data(hints);
    /// let json = r#"{"userAgentData":{"brands":[{"brand":"Chromium","version":"110"}],"mobile":false}}"#;
    /// assert_eq!(serde_json::to_string(&context)?, json);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    UserAgentData
}

setters! { UserAgentData, USER_AGENT_DATA:
    brands: "brands" "Brands with their major versions" pairs("brand", "version");
    mobile: "mobile" "Whether the device is mobile" flag;
    platform: "platform" "Platform, such as `macOS`" text;
    bitness: "bitness" "Bits of the processor" id;
    model: "model" "Model of the device" text;
    platform_version: "platformVersion" "Version of the platform" id;
    ua_full_version: "uaFullVersion" "Full version of the browser" id;
    full_version_list: "fullVersionList" "Brands with their full versions" pairs("brand", "version");
    wow64: "wow64" "Whether a 32-bit browser runs on 64-bit Windows" flag;
}
