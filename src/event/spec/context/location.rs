//! The user's location.
//!
//! The values are the caller's. Nothing is derived from an IP address.

use crate::event::sections::section;
use crate::event::spec::setters::setters;

section! {
    /// The user's location:
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context::Location};
    ///
    /// let context = Context::new().location(Location::new().city("Libreville").latitude(0.0));
    /// assert_eq!(serde_json::to_string(&context)?, r#"{"location":{"city":"Libreville","latitude":0.0}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Location
}

setters! { Location, LOCATION:
    city: "city" "City" text;
    country: "country" "Country" text;
    latitude: "latitude" "Latitude in degrees" number;
    longitude: "longitude" "Longitude in degrees" number;
    region: "region" "Region" text;
    speed: "speed" "Speed" number;
}
