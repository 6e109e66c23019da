//! A request at a gateway.

#![no_main]

#[path = "../src/gateway_route.rs"]
mod gateway_route;

libfuzzer_sys::fuzz_target!(|data: &[u8]| gateway_route::check(data));
