#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tracklane_fuzz::tracking_request::check(data));
