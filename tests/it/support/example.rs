//! Runs the programs in `examples/`.

use std::process::{Command, Stdio};

/// Returns the program of an example, without the user's write key. Cargo builds it together with the tests, except
/// when it builds a single test. Then this function builds it.
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
