//! Writes `pkg/`, the WebAssembly of the Worker and its JavaScript: `bindgen WASM FOLDER`.
//!
//! It does what `wasm-bindgen --target web` does. That must have the version of the library, and here both are in one
//! `Cargo.lock`.

use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [wasm, folder] = arguments.as_slice() else { return Err("usage: bindgen WASM FOLDER".into()) };
    Ok(Bindgen::new().input_path(wasm).web(true)?.typescript(false).generate(folder)?)
}
