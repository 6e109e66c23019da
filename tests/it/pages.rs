//! The pages: every link inside the project has a target, and the snippets of every page are compiled.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every page at the top, below `docs`, and beside programs and companions, by its path from the top.
pub(crate) fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    for folder in ["", ".github", "docs", "docs/adr", "docs/migrating", "examples", "plugins/axum", "plugins/spool"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                pages.push(Path::new(folder).join(name).to_str().unwrap().to_owned());
            }
        }
    }
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

pub(crate) fn text(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// The text without its fenced code.
pub(crate) fn prose(page: &str) -> String {
    let text = text(page);
    text.split("```").step_by(2).collect()
}

/// The targets of `](target)` and `]: target` in the prose of a page.
pub(crate) fn links(prose: &str) -> Vec<&str> {
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let defined = prose.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).map(|(_, target)| target);
    inline.chain(defined).collect()
}

/// The anchors that a page's headings have, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let prose = prose(page);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn the_front_page_of_the_api_names_every_feature_and_the_version_of_rust() {
    let manifest = text("Cargo.toml");
    let front = text("src/lib.rs");
    let features = manifest.split("[features]\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let features: Vec<_> = features.lines().filter_map(|line| line.split_once(" = ")).collect();
    assert_eq!(features.len(), 11, "default and ten more: {features:?}");
    let (_, default) = features[0];
    for (name, _) in &features[1..] {
        let is_default = if default.contains(name) { "yes" } else { "no" };
        assert!(front.contains(&format!("//! | `{name}` | {is_default} |")), "{name}");
    }
    let version = manifest.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(front.contains(&format!("version of Rust is {version}.")), "{version}");
}

#[test]
fn every_link_inside_the_project_leads_somewhere() {
    let mut dead = Vec::new();
    for page in pages() {
        for link in links(&prose(&page)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let folder = Path::new(&page).parent().unwrap();
            let target = if path.is_empty() { PathBuf::from(&page) } else { folder.join(path) };
            let leads = root().join(&target).exists()
                && anchor.is_none_or(|anchor| anchors(target.to_str().unwrap()).iter().any(|known| known == anchor));
            if !leads {
                dead.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn every_page_with_a_rust_snippet_is_compiled() {
    let list = text("src/docs.rs") + &text("src/guide.rs");
    let forgotten: Vec<String> = pages()
        .into_iter()
        .filter(|page| {
            // A companion has its own page in its own documentation.
            !page.starts_with("plugins/") && text(page).contains("```rust") && !list.contains(&format!("\"{page}\""))
        })
        .collect();
    assert!(forgotten.is_empty(), "neither in src/guide.rs nor in src/docs.rs: {forgotten:?}");
}

#[test]
fn the_tests_that_the_guarantees_name_are_in_their_modules() {
    let page = text("docs/GUARANTEES.md");
    let (_, table) = page.split_once("| promise | test |").unwrap();
    let (mut named, mut found, mut missing) = (0, 0, Vec::new());
    for row in table.lines().filter(|line| line.starts_with('|')) {
        // Tests of a crate of its own have its name in front.
        let folder = if row.contains("| gateway: `") { "gateway/tests/it" } else { "tests/it" };
        for (module, test) in row.split('`').filter_map(|name| name.split_once("::")) {
            named += 1;
            let Ok(source) = fs::read_to_string(root().join(format!("{folder}/{module}.rs"))) else { continue };
            if source.contains(&format!("fn {test}(")) {
                found += 1;
            } else {
                missing.push(format!("{folder}/{module}.rs: {test}"));
            }
        }
    }
    assert!(named > 20, "{named}");
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(found >= 5, "{found}");
}
