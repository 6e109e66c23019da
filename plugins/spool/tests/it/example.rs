//! The example is a whole program that runs offline and says what its page says.

use std::process::Command;

#[test]
fn the_example_runs_offline_and_says_what_it_should() {
    let mut program = std::env::current_exe().unwrap();
    program.pop();
    program.pop();
    program.extend(["examples", "spool"]);
    assert!(program.exists(), "{} is not built: run the whole `cargo test`", program.display());
    let output = Command::new(program).env_remove("HTTP_PROXY").env_remove("http_proxy").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for words in ["5 events are on the disk, 0 arrived", "1 file(s) wait", "the spool keeps them", "sent 5 of them"] {
        assert!(text.contains(words), "it does not say {words:?}:\n{text}");
    }
}
