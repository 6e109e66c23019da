//! The same vendors as data, for a configuration file.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tracklane::segment::{Segment, WriteKey};

use crate::vendors::{CustomerIoRegion, customer_io, hightouch, jitsu, rudderstack};

/// Settings of a vendor: its own, and those of [`Segment`] that all of them have.
macro_rules! settings {
    ($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident: $type:ty,)* } = $vendor:expr) => {
        $(#[$about])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)*
            /// See [`Segment::name`].
            #[serde(default, deserialize_with = "name")]
            pub name: Option<String>,
            /// See [`Segment::allow_plaintext`].
            #[serde(default)]
            pub allow_plaintext: bool,
            /// See [`Segment::flush_at`].
            pub flush_at: Option<usize>,
            /// See [`Segment::gzip`].
            #[serde(default)]
            pub gzip: bool,
            /// See [`Segment::proxy`].
            pub proxy: Option<String>,
        }

        impl From<$name> for Segment {
            fn from(settings: $name) -> Self {
                let vendor: fn(&$name) -> Segment = $vendor;
                let segment = vendor(&settings).allow_plaintext(settings.allow_plaintext).gzip(settings.gzip);
                let segment = set(segment, settings.name, Segment::name);
                let segment = set(segment, settings.flush_at, Segment::flush_at);
                set(segment, settings.proxy, Segment::proxy)
            }
        }
    };
}

settings! {
    /// [`rudderstack`] as a configuration file has it. An unknown member is an error.
    ///
    /// ```
    /// use tracklane::segment::Segment;
    /// use tracklane_presets::RudderStackSettings;
    ///
    /// let settings: RudderStackSettings = serde_json::from_str(
    ///     r#"{ "data_plane": "https://example.dataplane.rudderstack.com", "write_key": "key", "gzip": true }"#,
    /// )?;
    /// let destination = Segment::from(settings).build()?;
    /// assert_eq!(destination.name(), "RudderStack");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    RudderStackSettings {
        /// The URL of the data plane.
        data_plane: String,
        /// The write key of the source.
        #[serde(deserialize_with = "key")]
        write_key: WriteKey,
    } = |settings| rudderstack(&settings.data_plane, settings.write_key.clone())
}

settings! {
    /// [`customer_io`] as a configuration file has it. An unknown member is an error.
    CustomerIoSettings {
        /// The API key of the source.
        #[serde(deserialize_with = "key")]
        api_key: WriteKey,
        /// Where the workspace is: `us`, the default, or `eu`.
        #[serde(default)]
        region: CustomerIoRegion,
    } = |settings| customer_io(settings.region, settings.api_key.clone())
}

settings! {
    /// [`hightouch`] as a configuration file has it. An unknown member is an error.
    HightouchSettings {
        /// The write key of the event source.
        #[serde(deserialize_with = "key")]
        write_key: WriteKey,
        /// The URL of another region.
        host: Option<String>,
    } = |settings| set(hightouch(settings.write_key.clone()), settings.host.clone(), Segment::host)
}

settings! {
    /// [`jitsu`] as a configuration file has it. An unknown member is an error.
    JitsuSettings {
        /// The URL that the site's settings show, or that of an instance of your own.
        host: String,
        /// The write key for servers, `id:secret`.
        #[serde(deserialize_with = "key")]
        write_key: WriteKey,
    } = |settings| jitsu(&settings.host, settings.write_key.clone())
}

fn set<T>(segment: Segment, value: Option<T>, setter: impl FnOnce(Segment, T) -> Segment) -> Segment {
    match value {
        Some(value) => setter(segment, value),
        None => segment,
    }
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WriteKey, D::Error> {
    String::deserialize(deserializer).map(WriteKey::from)
}

/// Reads the name of a destination, which events must be able to write.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    if name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        let problem = "name is empty: write the name that events use in `integrations`, or leave the setting out";
        return Err(D::Error::custom(problem));
    }
    Ok(name)
}
