//! The pages that are not in [`guide`](crate::guide) as documentation tests: every Rust snippet in them compiles.
//!
//! Only `cargo test --doc` sees this.

macro_rules! pages {
    ($($name:ident: $path:literal;)*) => {
        $(
            #[doc = include_str!(concat!("../", $path))]
            struct $name;
        )*
    };
}

pages! {
    Readme: "README.md";
    Contributing: "CONTRIBUTING.md";
}
