#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tracklane_fuzz::event_json::check(data));
