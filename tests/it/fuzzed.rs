//! Runs the checks of the fuzz targets on random bytes and on the seeds, so they also run without a fuzzer.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[allow(unreachable_pub, reason = "the library of the fuzz targets")]
#[path = "../../fuzz/src/lib.rs"]
pub(crate) mod targets;

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 5] = [
    ("retry_after", targets::retry_after::check),
    ("response", targets::response::check),
    ("event_json", targets::event_json::check),
    ("object_text", targets::object_text::check),
    ("tracking_request", targets::tracking_request::check),
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    fs::read_dir(folder).unwrap().map(|seed| fs::read(seed.unwrap().path()).unwrap()).collect()
}

#[test]
fn every_seed_passes_whole_cut_and_with_one_byte_changed() {
    for (target, check) in TARGETS {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{target} has seeds");
        for seed in seeds {
            check(&seed);
            for at in (0..seed.len()).step_by(1 + seed.len() / 32) {
                check(&seed[..at]);
                for byte in [b'"', b'\\', seed[at] ^ 1] {
                    let mut changed = seed.clone();
                    changed[at] = byte;
                    check(&changed);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_pass_every_target(data in prop::collection::vec(any::<u8>(), 0..512)) {
        for (_, check) in TARGETS {
            check(&data);
        }
    }

    #[test]
    fn text_that_is_nearly_json_passes(data in r#"[\[\]{}",:\\0-9eE.truefalsn+ -]{0,200}"#) {
        targets::event_json::check(data.as_bytes());
        targets::tracking_request::check(format!(r#"{{"batch":[{data}]}}"#).as_bytes());
        targets::event_json::check(format!(r#"{{"type":"track","event":"e","userId":1,"properties":{{{data}}}}}"#).as_bytes());
    }
}
