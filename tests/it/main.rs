//! The integration tests: one binary, a module per subject.

// Shared parts.
mod support;

// Faults.
mod faults;
mod model;
mod security;

// From the call to the wire.
mod call_context;
mod calls;
mod calls_page;
mod depth;
mod disabled;
mod dispatch;
mod fixtures;
mod settings;
mod sizes;
mod snippets;
mod wire;

// Plugins and signals.
mod absent;
mod between;
mod concurrency;
mod host;
mod middleware;
mod quarantine;
mod registry;
mod replaced;
mod run_plugin;
mod selection;
mod stages;
mod stages_observers;
mod transforms;

// Delivery and reports.
mod answers;
mod batching;
mod closes;
mod complete;
mod conservation;
mod driven;
mod emitter;
mod ends;
mod errors;
mod failures;
mod inspector;
mod json_wall;
mod layers;
mod lifecycle;
mod logs;
mod max_age;
#[cfg(feature = "oauth")]
mod oauth;
mod receipts;
mod reentrant;
mod reports;
mod runtimes;

// The client as a whole, and the project.
mod architecture;
mod charts;
mod defaults;
mod e2e_cli;
mod environment;
mod exact;
mod examples;
mod formats;
mod fuzzed;
mod guide;
mod habits;
mod modes;
mod object;
mod order;
mod outages;
mod pages;
mod ports;
mod public_traits;
mod quoted;
mod tracking_api;
mod waiting;
