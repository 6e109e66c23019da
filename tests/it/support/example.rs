//! Runs the programs in `examples/`.

use std::process::{Command, Stdio};

/// Returns the program of an example, without a write key of whoever runs the tests. Cargo builds it with the tests,
/// unless it was told to build a single test; then it is built here.
pub(crate) fn example(name: &str) -> Command {
    let deps = std::env::current_exe().unwrap();
    let profile = deps.parent().unwrap().parent().unwrap();
    let program = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if !program.exists() {
        let release = profile.file_name().is_some_and(|profile| profile == "release");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--example", name]).args(release.then_some("--release"));
        assert!(cargo.status().unwrap().success(), "cargo could not build the example {name}");
    }
    let mut command = Command::new(program);
    command.env_remove("TRACKLANE_WRITE_KEY").stdin(Stdio::null());
    command
}
