//! The example is a whole program that runs offline, ends with success, and shows what its page says.

use std::process::{Command, Stdio};

#[test]
fn the_example_runs_offline_and_shows_what_arrived() {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    folder.pop();
    let program = folder.join("examples").join("service");
    assert!(program.exists(), "{} is not built: run the whole `cargo test`", program.display());

    let output = Command::new(program).stdin(Stdio::null()).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    for words in
        ["page \"/items/{item}\"", "track \"Receipt Sent\"", "\"ip\": \"198.51.100.1\"", "https://shop.example/items/8"]
    {
        assert!(text.contains(words), "no {words:?} in\n{text}\n{errors}");
    }
}
