//! Nothing: Cargo wants a library beside an example, which is `examples/quickstart.rs`.
