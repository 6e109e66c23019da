//! The companions of tracklane, by the names that `docs/GATEWAY.md` lists.

use serde::Deserialize;
use tracklane::BoxError;
use tracklane::segment::Segment;
use tracklane_amplitude::{Amplitude, AmplitudeSettings};
use tracklane_clickhouse::{ClickHouse, ClickHouseSettings};
use tracklane_console::{Console, ConsoleSettings};
use tracklane_enrich::{Enrich, EnrichSettings};
use tracklane_ga4::{Ga4, Ga4Settings};
use tracklane_jsonl::{Jsonl, JsonlSettings};
use tracklane_mixpanel::{Mixpanel, MixpanelSettings};
use tracklane_plan::{PlanSettings, TrackingPlan};
use tracklane_postgres::{Postgres, PostgresSettings};
use tracklane_posthog::{PostHog, PostHogSettings};
use tracklane_presets::{CustomerIoSettings, HightouchSettings, JitsuSettings, RudderStackSettings, traits_in_context};
use tracklane_redact::{Redact, RedactSettings};
use tracklane_sampling::{Sampling, SamplingSettings};
use tracklane_webhook::{Webhook, WebhookSettings};

use crate::catalog::Catalog;
use crate::segment::SegmentSettings;

/// The settings of a plugin that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

impl Catalog {
    /// The companions of tracklane: plugins that change events, and destinations. Their names and settings are in
    /// [docs/GATEWAY.md](https://github.com/tracklane/tracklane/blob/main/docs/GATEWAY.md).
    pub fn stock() -> Self {
        Self::default().with_plugins().with_stores().with_vendors().with_segment()
    }

    fn with_plugins(self) -> Self {
        self.plugin("redact", |settings: RedactSettings| Redact::from(settings).build())
            .plugin("sampling", |settings: SamplingSettings| Sampling::from(settings).build())
            .plugin("enrich", |settings: EnrichSettings| Enrich::from(settings).build())
            .plugin("plan", |settings: PlanSettings| TrackingPlan::from(settings).build())
            .plugin("traits_in_context", |_: NoSettings| Ok::<_, BoxError>(traits_in_context()))
    }

    fn with_stores(self) -> Self {
        self.destination("console", |settings: ConsoleSettings| Ok::<_, BoxError>(Console::from(settings).build()))
            .destination("jsonl", |settings: JsonlSettings| Jsonl::from(settings).build())
            .destination("webhook", |settings: WebhookSettings| Webhook::from(settings).build())
            .destination("postgres", |settings: PostgresSettings| Postgres::from(settings).build())
            .destination("clickhouse", |settings: ClickHouseSettings| ClickHouse::from(settings).build())
    }

    fn with_vendors(self) -> Self {
        self.destination("posthog", |settings: PostHogSettings| PostHog::from(settings).build())
            .destination("mixpanel", |settings: MixpanelSettings| Mixpanel::from(settings).build())
            .destination("amplitude", |settings: AmplitudeSettings| Amplitude::from(settings).build())
            .destination("ga4", |settings: Ga4Settings| Ga4::from(settings).build())
    }

    fn with_segment(self) -> Self {
        self.destination("segment", SegmentSettings::build)
            .destination("rudderstack", |settings: RudderStackSettings| Segment::from(settings).build())
            .destination("customer_io", |settings: CustomerIoSettings| Segment::from(settings).build())
            .destination("hightouch", |settings: HightouchSettings| Segment::from(settings).build())
            .destination("jitsu", |settings: JitsuSettings| Segment::from(settings).build())
    }
}
