//! The pages of `docs/` as documentation tests: every Rust snippet in them compiles.
//!
//! Only `cargo test --doc` sees this. The library and its documentation do without the files, so the package builds
//! where they are missing.

macro_rules! pages {
    ($($name:ident: $path:literal;)*) => {
        $(
            #[doc = include_str!(concat!("../", $path))]
            struct $name;
        )*
    };
}

pages! {
    Readme: "README.md";
    Contributing: "CONTRIBUTING.md";
    Architecture: "docs/ARCHITECTURE.md";
    Guarantees: "docs/GUARANTEES.md";
    Oauth: "docs/OAUTH.md";
    Plugins: "docs/PLUGINS.md";
    Settings: "docs/SETTINGS.md";
    Troubleshooting: "docs/TROUBLESHOOTING.md";
    FromAnalyticsNode: "docs/migrating/analytics-node.md";
    FromAnalyticsNodeClassic: "docs/migrating/analytics-node-classic.md";
    FromAnalyticsGo: "docs/migrating/analytics-go.md";
    FromAnalyticsNet: "docs/migrating/analytics-net.md";
    FromSegmentCrate: "docs/migrating/segment-crate.md";
    FromRudderanalytics: "docs/migrating/rudderanalytics.md";
    FromPosthogRs: "docs/migrating/posthog-rs.md";
}
