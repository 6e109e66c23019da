//! The pages of `docs/` at this version: how to write plugins, what delivery promises, every setting, what to do when
//! something does not arrive, and how to migrate from another library.
//!
//! - [`calls`]: the six calls, with the JSON that arrives.
//! - [`plugins`]: plugins and destinations, and what happens when they fail.
//! - [`guarantees`], [`faults`], [`security`]: what is promised, and the test of each promise.
//! - [`edge`]: Workers, Lambda and browsers, and a client without a thread.
//! - [`settings`], [`oauth`]: every setting with its default.
//! - [`testing`]: testing your code, outages included.
//! - [`troubleshooting`]: when something does not arrive.
//! - [`migrating`], [`ports`]: migrating from another library, with every example of its document.
//! - [`architecture`]: the event's way through the code.
//!
//! This module is in the documentation only. In code it does not exist.

/// The links of a page, for the documentation. They are written before the page. If a link is defined twice, the first
/// definition counts. So these replace the links at the page's end, which are for GitHub.
macro_rules! links {
    () => {
        concat!(
            "[docs/ARCHITECTURE.md]: crate::guide::architecture\n",
            "[docs/EDGE.md]: crate::guide::edge\n",
            "[docs/GUARANTEES.md]: crate::guide::guarantees\n",
            "[docs/OAUTH.md]: crate::guide::oauth\n",
            "[docs/PLUGINS.md]: crate::guide::plugins\n",
            "[docs/SETTINGS.md]: crate::guide::settings\n",
            "[docs/TESTING.md]: crate::guide::testing\n",
            "[docs/TROUBLESHOOTING.md]: crate::guide::troubleshooting\n",
            "[docs/migrating/analytics-node.md]: crate::guide::migrating::analytics_node\n",
            "[`Event`]: crate::Event\n",
            forge!("docs/adr/0003-destinations.md"),
            forge!("docs/GATEWAY.md"),
            forge!("docs/PERFORMANCE.md"),
            forge!("examples"),
            forge!("examples/blocking_cli.rs"),
            forge!("examples/custom_http_client.rs"),
            forge!("examples/destination_plugin.rs"),
            forge!("examples/global_client.rs"),
            forge!("examples/graceful_shutdown.rs"),
            forge!("examples/historical_import.rs"),
            forge!("examples/lambda.rs"),
            forge!("examples/lowercase_plugin.rs"),
            forge!("examples/several_clients.rs"),
            forge!("examples/tower_layers.rs"),
            forge!("examples/worker"),
            forge!("plugins/README.md"),
            forge!("plugins/enrich"),
            forge!("plugins/plan"),
            forge!("plugins/redact"),
            forge!("plugins/sampling"),
            forge!("SECURITY.md"),
            forge!("src/plugin/transform.rs"),
            "\n",
        )
    };
}

/// The link to a file that is not in the documentation: the file at this version's tag.
macro_rules! forge {
    ($path:literal) => {
        concat!("[", $path, "]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/", $path, "\n")
    };
}

macro_rules! pages {
    ($($name:ident: $path:literal;)*) => {
        $(
            #[doc = links!()]
            #[doc = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path))]
            pub mod $name {}
        )*
    };
}

pages! {
    architecture: "docs/ARCHITECTURE.md";
    calls: "docs/CALLS.md";
    edge: "docs/EDGE.md";
    faults: "docs/FAULTS.md";
    guarantees: "docs/GUARANTEES.md";
    oauth: "docs/OAUTH.md";
    plugins: "docs/PLUGINS.md";
    ports: "docs/PORTS.md";
    security: "docs/SECURITY.md";
    settings: "docs/SETTINGS.md";
    testing: "docs/TESTING.md";
    troubleshooting: "docs/TROUBLESHOOTING.md";
}

/// Coming from another library: what its names are here, and what differs.
pub mod migrating {
    pages! {
        analytics_go: "docs/migrating/analytics-go.md";
        analytics_net: "docs/migrating/analytics-net.md";
        analytics_node: "docs/migrating/analytics-node.md";
        analytics_node_classic: "docs/migrating/analytics-node-classic.md";
        posthog_rs: "docs/migrating/posthog-rs.md";
        rudderanalytics: "docs/migrating/rudderanalytics.md";
        segment_crate: "docs/migrating/segment-crate.md";
    }
}
