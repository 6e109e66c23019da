//! What the fuzz target `gateway_route` checks, on its seeds and on those of `tracking_request`, whole, cut and changed:
//! so it is checked without a fuzzer, too.

use std::path::Path;

#[allow(unreachable_pub, reason = "the file of the fuzz target")]
#[path = "../../../fuzz/src/gateway_route.rs"]
mod gateway_route;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    std::fs::read_dir(folder).unwrap().map(|seed| std::fs::read(seed.unwrap().path()).unwrap()).collect()
}

#[test]
fn every_body_is_answered_in_the_words_of_sdks_and_only_events_arrive() {
    let bodies = seeds("tracking_request");
    assert!(!bodies.is_empty());
    let with_path = |path: u8, body: &[u8]| [&[path], body].concat();
    let mut inputs = seeds("gateway_route");
    for body in &bodies {
        inputs.extend((0..8).map(|path| with_path(path, body)));
        inputs.push(with_path(0xf0, body));
    }
    for input in inputs {
        gateway_route::check(&input);
        for at in (1..input.len()).step_by(1 + input.len() / 8) {
            gateway_route::check(&input[..at]);
            for byte in [b'"', b'\\', input[at] ^ 1] {
                let mut changed = input.clone();
                changed[at] = byte;
                gateway_route::check(&changed);
            }
        }
    }
}
