//! No source file is forgotten: each is reached by a `mod` line from a crate's root.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta};

use super::tree::{Tree, verdict};

const WHY: &str =
    "a file that no `mod` line names is not compiled: its tests never run and its code rots unseen.";

/// Where cargo looks for crate roots, besides what the manifest names.
fn is_root(package: &str, path: &str) -> bool {
    let Some(inside) = path.strip_prefix(package).and_then(|rest| rest.strip_prefix('/')) else {
        return false;
    };
    let parts: Vec<&str> = inside.split('/').collect();
    matches!(
        parts.as_slice(),
        ["build.rs"]
            | ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["tests" | "examples" | "benches", _]
            | ["tests" | "examples" | "benches", _, "main.rs"]
    )
}

/// Every file a root reaches. `read` gives a file's text, or nothing when there is none.
fn reached(root: &str, read: &dyn Fn(&str) -> Option<String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let folder = Path::new(root).parent().unwrap_or(Path::new("")).to_path_buf();
    follow(Path::new(root), &folder, read, &mut seen);
    seen
}

/// `children` is the folder in which the file's own modules lie.
fn follow(file: &Path, children: &Path, read: &dyn Fn(&str) -> Option<String>, seen: &mut BTreeSet<String>) {
    let name = file.to_string_lossy().into_owned();
    let Some(text) = read(&name) else { return };
    if seen.insert(name)
        && let Ok(parsed) = syn::parse_file(&text)
    {
        follow_items(&parsed.items, file, children, read, seen);
    }
}

fn follow_items(
    items: &[Item],
    file: &Path,
    children: &Path,
    read: &dyn Fn(&str) -> Option<String>,
    seen: &mut BTreeSet<String>,
) {
    let modules = items.iter().filter_map(|item| match item {
        Item::Mod(module) => Some(module),
        _ => None,
    });
    for ItemMod { attrs, ident, content, .. } in modules {
        let name = ident.to_string();
        let below = children.join(name.trim_start_matches("r#"));
        match (content, named_path(attrs)) {
            (Some((_, items)), _) => follow_items(items, file, &below, read, seen),
            (None, Some(path)) => {
                let target = file.parent().unwrap_or(Path::new("")).join(path);
                let beside = target.parent().unwrap_or(Path::new("")).to_path_buf();
                follow(&target, &beside, read, seen);
            }
            (None, None) => follow(&below.with_extension("rs"), &below, read, seen),
        }
    }
}

/// What `#[path = "…"]` says.
fn named_path(attributes: &[Attribute]) -> Option<PathBuf> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(PathBuf::from(text.value())),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// Files that `[[bin]]`, `[[test]]` and the like name in a manifest.
fn named_roots(package: &str, manifest: &toml::Table) -> Vec<String> {
    let paths = |table: &toml::Value| Some(format!("{package}/{}", table.get("path")?.as_str()?));
    let targets = ["lib", "bin", "test", "example", "bench"].iter().filter_map(|kind| manifest.get(*kind));
    targets
        .flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]))
        .filter_map(|table| paths(&table))
        .collect()
}

#[test]
fn every_file_is_compiled() {
    let tree = Tree::of_repository();
    let mut complaints = Vec::new();
    for (manifest_path, text) in tree.texts("/Cargo.toml") {
        let package = manifest_path.trim_end_matches("/Cargo.toml");
        let manifest: toml::Table = text.parse().expect("cargo reads the same manifest");
        for switch in ["autotests", "autobins", "autoexamples"] {
            if manifest.get("package").and_then(|table| table.get(switch)).is_some() {
                complaints.push(format!("{manifest_path}: `{switch}` lets a file be forgotten"));
            }
        }
        let own: Vec<&str> = tree.files().filter(|path| path.starts_with(&format!("{package}/"))).collect();
        let named = named_roots(package, &manifest);
        let roots = own.iter().filter(|path| {
            path.ends_with(".rs") && (is_root(package, path) || named.iter().any(|name| name == *path))
        });
        let seen: BTreeSet<String> = roots.flat_map(|root| reached(root, &|path| tree.text(path))).collect();
        let lost = own.iter().filter(|path| path.ends_with(".rs") && !seen.contains(**path));
        complaints.extend(lost.map(|path| format!("{path}: no `mod` line leads to it")));
    }
    verdict(WHY, &complaints);
}

#[test]
fn modules_are_followed_as_the_compiler_does() {
    let read = |path: &str| {
        let text = match path {
            "a/src/lib.rs" => "mod b; mod c { mod d; } #[path = \"odd/name.rs\"] mod e;",
            "a/src/b.rs" => "mod f;",
            "a/src/b/f.rs" | "a/src/c/d.rs" | "a/src/odd/name.rs" | "a/src/lost.rs" => "",
            _ => return None,
        };
        Some(text.to_owned())
    };
    let seen = reached("a/src/lib.rs", &read);
    let expected = ["a/src/b.rs", "a/src/b/f.rs", "a/src/c/d.rs", "a/src/lib.rs", "a/src/odd/name.rs"];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
    assert!(
        is_root("a", "a/tests/one.rs")
            && !is_root("a", "a/tests/one/part.rs")
            && !is_root("a", "b/src/lib.rs")
    );
}
