//! Reads from the source text which file of a crate uses which.
//!
//! It follows a path through re-exports to the file that defines the item, so `super::Ticket` is a use of `ticket.rs`.
//! A declaration of a module is no use. A re-export is a use only if the file itself names the item as well. Comments
//! and modules under `#[cfg(test)]` do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module of a crate, as its path from the root: `["ledger", "ticket"]`.
type Module = Vec<String>;

struct File {
    path: PathBuf,
    children: Vec<String>,
    /// A name that a `use` brings in, and the path that it stands for.
    names: BTreeMap<String, Vec<String>>,
    /// Paths in code and in private `use` declarations.
    paths: Vec<Vec<String>>,
}

/// Reads the crate whose root is `root`. Returns each file, relative to the root's folder, with the files that it uses.
pub(super) fn files(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = BTreeMap::new();
    read(root, root.parent().unwrap(), Vec::new(), &mut modules);
    let name = |file: &File| {
        let path = file.path.strip_prefix(root.parent().unwrap()).unwrap();
        path.to_str().unwrap().replace('\\', "/")
    };
    let mut graph = BTreeMap::new();
    for (module, file) in &modules {
        let used = file.paths.iter().filter_map(|path| resolve(&modules, module, path, 0));
        let used: BTreeSet<String> = used.filter(|other| other != module).map(|other| name(&modules[&other])).collect();
        graph.insert(name(file), used);
    }
    graph
}

/// Reads a file and those that it declares. `folder` is where these are.
fn read(path: &Path, folder: &Path, module: Module, modules: &mut BTreeMap<Module, File>) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (file, declared) = parse(path, &text);
    modules.insert(module.clone(), file);
    for (name, given) in declared {
        let inner = folder.join(&name);
        let beside = given.map(|given| path.parent().unwrap().join(given));
        let places = [folder.join(format!("{name}.rs")), inner.join("mod.rs")];
        let child = beside.unwrap_or_else(|| places.iter().find(|place| place.exists()).cloned().unwrap());
        // A file that another crate shares by `#[path]` has its own folder.
        let inner = if child.ends_with("mod.rs") { child.parent().unwrap().to_owned() } else { inner };
        read(&child, &inner, [module.clone(), vec![name]].concat(), modules);
    }
}

/// Follows a path to the module that defines its item. Returns `None` if the path leads out of the crate.
fn resolve(modules: &BTreeMap<Module, File>, from: &Module, path: &[String], depth: u8) -> Option<Module> {
    let (first, mut rest) = path.split_first()?;
    let mut at = match first.as_str() {
        "crate" => Vec::new(),
        "self" => from.clone(),
        "super" => from[..from.len().checked_sub(1)?].to_vec(),
        child if modules[from].children.iter().any(|known| known == child) => {
            [from.clone(), vec![first.clone()]].concat()
        }
        name => {
            let known = modules[from].names.get(name).filter(|known| known.as_slice() != path && depth < 9)?;
            return resolve(modules, from, &[known.as_slice(), rest].concat(), depth + 1);
        }
    };
    while let Some((next, behind)) = rest.split_first() {
        if next == "super" {
            at.pop()?;
        } else if modules.get(&at)?.children.contains(next) {
            at.push(next.clone());
        } else if let Some(known) = modules[&at].names.get(next).filter(|_| depth < 9) {
            let found = resolve(modules, &at, &[known.as_slice(), behind].concat(), depth + 1);
            return found.or(Some(at));
        } else {
            break;
        }
        rest = behind;
    }
    modules.contains_key(&at).then_some(at)
}

/// The modules that a file declares, each with its `#[path]`.
type Declared = Vec<(String, Option<String>)>;

fn parse(path: &Path, text: &str) -> (File, Declared) {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut declared = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let words = line.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ").trim_start_matches("pub ");
        let Some(name) = words.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) else { continue };
        let before: Vec<&&str> = lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).collect();
        if before.iter().any(|line| line.contains("cfg(test)")) {
            continue;
        }
        let given = before.iter().find_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"));
        declared.push((name.to_owned(), given.map(str::to_owned)));
    }
    let children: Vec<String> = declared.iter().map(|(name, _)| name.clone()).collect();
    let (mut names, mut paths) = (BTreeMap::new(), Vec::new());
    let (mut body, mut exported) = (String::new(), Vec::new());
    for statement in lines.join("\n").split_inclusive(';') {
        let Some((head, tree)) = use_of(statement) else {
            body += statement;
            continue;
        };
        body += head;
        for (name, path) in expand(tree) {
            names.insert(name.clone(), path.clone());
            match head.rsplit('\n').next().unwrap_or_default().trim() {
                "" => paths.push(path),
                _ => exported.push((name, path)),
            }
        }
    }
    paths.extend(paths_in(&body, &children));
    let words: BTreeSet<&str> = body.split(|character| !is_word(character)).collect();
    paths.extend(exported.into_iter().filter(|(name, _)| words.contains(name.as_str())).map(|(_, path)| path));
    (File { path: path.to_owned(), children, names, paths }, declared)
}

/// Splits a statement at `use` at the beginning of a line: the text before it, and its tree.
fn use_of(statement: &str) -> Option<(&str, &str)> {
    let at = statement.rfind("use ")?;
    let line = statement[..at].rsplit('\n').next()?.trim();
    let visible = line.is_empty() || line == "pub" || (line.starts_with("pub(") && line.ends_with(')'));
    visible.then(|| (&statement[..at], statement[at + 4..].trim_end_matches(';')))
}

/// Lists the names that a tree such as `a::{b, c::{self, D as E}}` imports, each with its path.
fn expand(tree: &str) -> Vec<(String, Vec<String>)> {
    let tree = tree.trim();
    if let Some((before, inner)) = tree.split_once('{') {
        let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
        let prefix: Vec<String> = segments(before);
        let with_prefix = |(name, path): (String, Vec<String>)| {
            let path = if path == ["self"] { Vec::new() } else { path };
            let path = [prefix.clone(), path].concat();
            let name = if name == "self" { path.last().cloned().unwrap_or_default() } else { name };
            (name, path)
        };
        return split_outside_braces(inner).into_iter().flat_map(expand).map(with_prefix).collect();
    }
    let (path, name) = tree.split_once(" as ").unwrap_or((tree, tree.rsplit("::").next().unwrap_or(tree)));
    if tree.is_empty() { Vec::new() } else { vec![(name.trim().to_owned(), segments(path))] }
}

fn split_outside_braces(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let is_separator = |character: char| {
        depth += i32::from(character == '{') - i32::from(character == '}');
        character == ',' && depth == 0
    };
    text.split(is_separator).collect()
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Lists the paths in code that begin with `crate`, `super`, `self` or a child.
fn paths_in(code: &str, children: &[String]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find("::") {
        let at = from + found;
        let begin = code[..at].rfind(|character| !is_word(character)).map_or(0, |before| before + 1);
        let first = &code[begin..at];
        let end =
            code[at..].find(|character| !is_word(character) && character != ':').map_or(code.len(), |end| at + end);
        let begins = ["crate", "super", "self"].contains(&first) || children.iter().any(|child| child == first);
        if begins && !code[..begin].ends_with(':') {
            paths.push(segments(&code[begin..end]));
        }
        from = end.max(at + 2);
    }
    paths
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Returns the circles of a graph: the largest sets whose members all use each other, directly or not.
pub(super) fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reached = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = open.pop() {
            let new = graph[&next].iter().filter(|used| graph.contains_key(*used) && seen.insert((*used).clone()));
            open.extend(new.cloned().collect::<Vec<_>>());
        }
        seen
    };
    let reach: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|file| (file, reached(file))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (file, uses) in &reach {
        if uses.contains(*file) && !circles.iter().any(|circle| circle.contains(*file)) {
            let back = uses.iter().filter(|other| reach[*other].contains(*file)).cloned();
            circles.push(back.collect());
        }
    }
    circles
}
