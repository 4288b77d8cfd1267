//! The dependency table in ARCHITECTURE.md is what the manifests say.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Tree, verdict};

const HEADER: &str = "| crate | is | may depend on | never |";

const WHY: &str = "the table is how a reader learns what may know of what; a table that drifts from the manifests misleads, \
                   and a dependency that is not in it is a wall with a hole.";

type Table = BTreeMap<String, BTreeSet<String>>;

/// The rows under [`HEADER`]: crate → what it may depend on.
fn documented(text: &str) -> Table {
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let rows =
        text.lines().skip_while(|line| *line != HEADER).skip(2).take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        Some((names(cells.first()?).pop_first()?, names(cells.get(2)?)))
    };
    rows.filter_map(row).collect()
}

/// Our own crates in one kind of dependency, by folder name.
fn own(manifest: &toml::Table, kind: &str, folders: &BTreeMap<String, String>) -> BTreeSet<String> {
    let targets =
        manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let tables = targets.filter_map(|target| target.get(kind)).chain(manifest.get(kind));
    let keys = tables.filter_map(toml::Value::as_table).flat_map(toml::Table::keys);
    keys.filter_map(|package| folders.get(package).cloned()).collect()
}

fn complaints(table: &Table, manifests: &BTreeMap<String, toml::Table>) -> Vec<String> {
    let package = |manifest: &toml::Table| manifest.get("package")?.get("name")?.as_str().map(str::to_owned);
    let folders: BTreeMap<String, String> = manifests
        .iter()
        .filter_map(|(folder, manifest)| Some((package(manifest)?, folder.clone())))
        .collect();
    let mut found = Vec::new();
    for name in table.keys().filter(|name| !manifests.contains_key(*name)) {
        found.push(format!("ARCHITECTURE.md: row `{name}`, but there is no `crates/{name}`"));
    }
    for (name, manifest) in manifests {
        let Some(allowed) = table.get(name) else {
            found.push(format!("ARCHITECTURE.md: no row for `crates/{name}`"));
            continue;
        };
        let mut used = own(manifest, "dependencies", &folders);
        used.extend(own(manifest, "build-dependencies", &folders));
        for extra in used.difference(allowed) {
            found
                .push(format!("crates/{name}/Cargo.toml: depends on `{extra}`, which its row does not name"));
        }
        for unused in allowed.difference(&used) {
            found.push(format!(
                "ARCHITECTURE.md: the row of `{name}` names `{unused}`, its manifest does not"
            ));
        }
        let mut tests = own(manifest, "dev-dependencies", &folders);
        tests.remove(name);
        for extra in tests.difference(allowed) {
            found.push(format!(
                "crates/{name}/Cargo.toml: its tests depend on `{extra}`, which its row does not name"
            ));
        }
    }
    found
}

fn manifests(tree: &Tree) -> BTreeMap<String, toml::Table> {
    let read = |name: &String| tree.text(&format!("crates/{name}/Cargo.toml"))?.parse().ok();
    tree.crates().iter().filter_map(|name| Some((name.clone(), read(name)?))).collect()
}

#[test]
fn the_dependency_table_is_true() {
    let tree = Tree::of_repository();
    let table = documented(&tree.text("ARCHITECTURE.md").expect("ARCHITECTURE.md is there"));
    assert!(!table.is_empty(), "ARCHITECTURE.md has no table under `{HEADER}`");
    verdict(WHY, &complaints(&table, &manifests(&tree)));
}

#[test]
fn each_kind_of_drift_is_found() {
    let table = documented(&format!(
        "# A\n{HEADER}\n| --- | --- | --- | --- |\n| `a` | one | | never `x` |\n| `b` | two | `a` | |\n| `gone` | | | |\n\nend"
    ));
    let manifest = |text: &str| text.parse::<toml::Table>().unwrap();
    let of = |pairs: [(&str, &str); 3]| pairs.map(|(name, text)| (name.to_owned(), manifest(text))).into();
    let found = complaints(
        &table,
        &of([
            ("a", "package.name = 's-a'\ndependencies.s-b = '1'"),
            ("b", "package.name = 's-b'\ndev-dependencies.s-c = '1'"),
            ("c", "package.name = 's-c'"),
        ]),
    );
    let expected =
        ["row `gone`", "depends on `b`", "names `a`, its", "tests depend on `c`", "no row for `crates/c`"];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for words in expected {
        assert!(found.iter().any(|complaint| complaint.contains(words)), "{words}: {found:?}");
    }
}

/// What every manifest owes the workspace: its lints, and versions that are written once.
fn workspace_debts(path: &str, manifest: &toml::Table) -> Vec<String> {
    let inherits = |value: Option<&toml::Value>| {
        value.and_then(|table| table.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
    };
    let is_itself = |value: &toml::Value| value.get("path").and_then(toml::Value::as_str) == Some(".");
    let mut found = Vec::new();
    if !inherits(manifest.get("lints")) {
        found.push(format!("{path}: write `[lints] workspace = true`, or no ban holds in this crate"));
    }
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let entries = manifest.get(kind).and_then(toml::Value::as_table).into_iter().flatten();
        for (name, value) in entries.filter(|(_, value)| !inherits(Some(value)) && !is_itself(value)) {
            found.push(format!(
                "{path}: `{name}` = {value}; declare it once in the root and write `workspace = true`"
            ));
        }
    }
    found
}

#[test]
fn manifests_inherit_lints_and_versions() {
    let tree = Tree::of_repository();
    let manifests = tree.texts("/Cargo.toml");
    let parsed =
        manifests.iter().map(|(path, text)| (path, text.parse().expect("cargo reads the same manifest")));
    let found: Vec<_> = parsed.flat_map(|(path, manifest)| workspace_debts(path, &manifest)).collect();
    verdict("one version of a library per workspace, one set of lints for all code.", &found);
    let broken = "dependencies.serde = '1'".parse().unwrap();
    assert_eq!(workspace_debts("a/Cargo.toml", &broken).len(), 2);
}
