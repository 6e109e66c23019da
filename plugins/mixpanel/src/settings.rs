//! The same settings as data, for a configuration file.

use std::time::Duration;

use serde::Deserialize;
use tracklane_http::Secret;

use crate::mapping::{IdMerge, Products};
use crate::mixpanel::{Mixpanel, Region};
use crate::service_account::ServiceAccount;

/// [`Mixpanel`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use tracklane_mixpanel::{Mixpanel, MixpanelSettings};
///
/// let settings: MixpanelSettings = serde_json::from_str(
///     r#"{ "project_token": "MIXPANEL_PROJECT_TOKEN", "region": "eu", "id_merge": "original" }"#,
/// )?;
/// let event = tracklane::Identify::new().user_id("u1").with_trait("plan", "Pro");
/// let shown = Mixpanel::from(settings).explain(event)?.to_string();
/// assert!(shown.contains(r#""$token":"…""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MixpanelSettings {
    /// See [`Mixpanel::new`].
    pub project_token: Secret,
    /// See [`Mixpanel::service_account`].
    pub service_account: Option<ServiceAccount>,
    /// See [`Mixpanel::name`].
    pub name: Option<String>,
    /// See [`Mixpanel::region`]. A `host` comes before it.
    pub region: Option<Region>,
    /// See [`Mixpanel::host`].
    pub host: Option<String>,
    /// See [`Mixpanel::allow_plaintext`].
    pub allow_plaintext: Option<bool>,
    /// See [`Mixpanel::id_merge`].
    pub id_merge: Option<IdMerge>,
    /// See [`Mixpanel::group_key`].
    pub group_key: Option<String>,
    /// See [`Mixpanel::groups_from_context`].
    pub groups_from_context: Option<bool>,
    /// See [`Mixpanel::products`].
    pub products: Option<Products>,
    /// See [`Mixpanel::track_charges`].
    pub track_charges: Option<bool>,
    /// See [`Mixpanel::gzip`].
    pub gzip: Option<bool>,
    /// See [`Mixpanel::timeout`], in seconds.
    pub timeout_seconds: Option<u64>,
    /// See [`Mixpanel::dry_run`].
    pub dry_run: Option<bool>,
}

impl From<MixpanelSettings> for Mixpanel {
    fn from(settings: MixpanelSettings) -> Self {
        let mixpanel = Mixpanel::new(settings.project_token);
        let mixpanel = set(mixpanel, settings.service_account, Mixpanel::service_account);
        let mixpanel = set(mixpanel, settings.name.as_deref(), Mixpanel::name);
        let mixpanel = set(mixpanel, settings.region, Mixpanel::region);
        let mixpanel = set(mixpanel, settings.host.as_deref(), Mixpanel::host);
        let mixpanel = set(mixpanel, settings.allow_plaintext, Mixpanel::allow_plaintext);
        let mixpanel = set(mixpanel, settings.id_merge, Mixpanel::id_merge);
        let mixpanel = set(mixpanel, settings.group_key.as_deref(), Mixpanel::group_key);
        let mixpanel = set(mixpanel, settings.groups_from_context, Mixpanel::groups_from_context);
        let mixpanel = set(mixpanel, settings.products, Mixpanel::products);
        let mixpanel = set(mixpanel, settings.track_charges, Mixpanel::track_charges);
        let mixpanel = set(mixpanel, settings.gzip, Mixpanel::gzip);
        let mixpanel = set(mixpanel, settings.timeout_seconds.map(Duration::from_secs), Mixpanel::timeout);
        set(mixpanel, settings.dry_run, Mixpanel::dry_run)
    }
}

fn set<T>(mixpanel: Mixpanel, value: Option<T>, setter: impl FnOnce(Mixpanel, T) -> Mixpanel) -> Mixpanel {
    match value {
        Some(value) => setter(mixpanel, value),
        None => mixpanel,
    }
}
