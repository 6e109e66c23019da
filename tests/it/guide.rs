//! The guide in the documentation: it has every page of `docs/` for users, and its links lead to the same places as on
//! the forge.

use std::path::{Component, Path, PathBuf};

use super::pages::{links, pages, prose, root, text};

/// Pages on the programs, and for people who work on the crate. The page on performance has tables and pictures that are
/// made anew.
const FORGE_ONLY: &[&str] = &["docs/GATEWAY.md", "docs/LONG_RUNS.md", "docs/PERFORMANCE.md", "docs/TOOL.md"];

/// The modules of the guide with their pages.
fn guide() -> Vec<(String, String)> {
    let source = text("src/guide.rs");
    let mut within = "";
    let mut guide = Vec::new();
    for line in source.lines() {
        if line.starts_with("pub mod migrating") {
            within = "migrating::";
        }
        let entry = line.trim().strip_suffix("\";").and_then(|line| line.split_once(": \""));
        guide.extend(entry.map(|(name, page)| (format!("crate::guide::{within}{name}"), page.to_owned())));
    }
    guide
}

/// `folder/../path` without the way up.
fn from_the_top(page: &str, target: &str) -> String {
    let mut path = PathBuf::new();
    for part in Path::new(page).parent().unwrap().join(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.to_str().unwrap().replace('\\', "/")
}

/// The definitions `[label]: target` at the end of a page.
fn definitions(page: &str) -> Vec<(String, String)> {
    let prose = prose(page);
    let lines = prose.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    lines.map(|(label, target)| (label.to_owned(), target.to_owned())).filter(|(_, to)| !to.contains("://")).collect()
}

#[test]
fn every_page_for_users_is_in_the_guide() {
    let guide = guide();
    let is_guide = |page: &String| page.starts_with("docs/") && !page.starts_with("docs/adr/");
    for page in pages().into_iter().filter(is_guide) {
        let in_guide = guide.iter().any(|(_, known)| *known == page);
        let for_users = !FORGE_ONLY.contains(&page.as_str());
        assert_eq!(in_guide, for_users, "{page}: is it in src/guide.rs, or one of FORGE_ONLY?");
    }
    assert!(guide.iter().all(|(_, page)| root().join(page).exists()), "{guide:?}");
}

#[test]
fn links_between_pages_work_on_the_forge_and_in_the_documentation() {
    let (guide, source) = (guide(), text("src/guide.rs"));
    let mut wrong = Vec::new();
    for (_, page) in &guide {
        let inline = prose(page);
        for link in links(&inline).into_iter().filter(|link| !link.contains("://") && !link.starts_with('#')) {
            if inline.contains(&format!("]({link})")) {
                wrong.push(format!(
                    "{page}: write ]({link}) as ][path from the top], and define that at the page's end"
                ));
            }
        }
        for (label, target) in definitions(page) {
            let path = from_the_top(page, &target);
            if !label.starts_with('`') && label != path {
                wrong.push(format!("{page}: [{label}]: {target} leads to {path}"));
            }
            let item = guide.iter().find(|(_, page)| *page == path).map(|(item, _)| format!("[{label}]: {item}\\n"));
            let known = item.unwrap_or_else(|| match label.starts_with('`') {
                true => format!("[{label}]: crate::"),
                false => format!("forge!(\"{path}\")"),
            });
            if !source.contains(&known) {
                wrong.push(format!("src/guide.rs lacks {known}, for [{label}] in {page}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_named_link_is_defined_on_its_page() {
    let mut wrong = Vec::new();
    for page in pages() {
        let (prose, defined) = (prose(&page), definitions(&page));
        let uses = prose.split("][").skip(1).filter_map(|rest| rest.split(']').next());
        // A label that is a path can also stand alone, and is then its own text.
        let alone = prose.split('[').skip(1).filter_map(|rest| rest.split_once(']')).map(|(label, _)| label);
        let alone = alone.filter(|label| label.starts_with("docs/") || label.starts_with("examples/"));
        let bare = |label: &&str| !prose.contains(&format!("[{label}]("));
        for label in uses.filter(|label| label.contains('/')).chain(alone.filter(bare)) {
            if !defined.iter().any(|(known, _)| known == label) {
                wrong.push(format!("{page}: [{label}]"));
            }
        }
    }
    assert!(wrong.is_empty(), "without a definition: {wrong:#?}");
}
