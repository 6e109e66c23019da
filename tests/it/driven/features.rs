//! What a driven client needs of tokio: no sockets, and no runtime with threads.

use std::process::Command;

/// The features of tokio that `tracklane` takes with those features of its own, by `cargo tree`.
fn features_of_tokio(flags: &[&str]) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--package", "tracklane", "--edges", "normal", "--prefix", "none"]);
    let out =
        cargo.args(["--format", "{p} [{f}]"]).args(flags).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let tree = String::from_utf8(out.stdout).unwrap();
    let tokio = tree.lines().find(|line| line.starts_with("tokio v")).expect("it is there");
    let (_, features) = tokio.split_once('[').unwrap();
    features.trim_end_matches([']', ')', '*', ' ']).split(',').map(str::to_owned).collect()
}

#[test]
fn without_default_features_tokio_has_neither_sockets_nor_threads() {
    let without = features_of_tokio(&["--no-default-features"]);
    for feature in ["net", "rt-multi-thread", "io-std", "process", "signal", "fs"] {
        assert!(!without.iter().any(|there| there == feature), "{feature}: {without:?}");
    }
    assert!(without.iter().any(|there| there == "sync"), "it was looked at: {without:?}");
    let with = features_of_tokio(&[]);
    assert!(with.iter().any(|there| there == "net"), "the default HTTP client has sockets: {with:?}");
}
