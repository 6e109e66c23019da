//! The integration tests: one binary, a module per subject.

// What the tests stand on.
mod local;

// From the call to the wire.
mod call_context;
mod calls;
mod depth;
mod fixtures;
mod settings;
mod sizes;
mod wire;

// The way through.
mod middleware;
mod registry;
mod selection;
mod stages;
mod stages_observers;
mod transforms;

// What leaves, and what is told of it.
//M mod batching;
//M mod conservation;
//M mod emitter;
mod layers;
#[cfg(feature = "oauth")]
mod oauth;
//M mod lifecycle;
//M mod receipts;
//M mod runtimes;

// The whole.
mod defaults;
mod examples;
mod modes;
//M mod architecture;
//M mod e2e_cli;
mod tracking_api;
