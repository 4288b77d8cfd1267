//! What we depend on: nothing banned, nothing twice that must be once, no licence we have not agreed to, not too much.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::licence;
use super::tree::{Tree, verdict};

/// Packages in Cargo.lock, our own among them. Each is code that ships without any of us having read it whole, and
/// about half a second of every clean build; a new one needs a reason, and this number a reason to be raised. Two are for
/// hashes of passwords that other programs make (bcrypt), thirteen for answers made shorter (gzip, br and zstd, which no
/// other library here brings), one for calls of the kernel that are refused (seccompiler).
const PACKAGES_AT_MOST: usize = 309;

const WHY: &str = "a clean clone must build with Rust and a C compiler alone, within minutes, under licences that let \
                   everybody use it. The lists stand in `deny.toml`, with the reason beside each entry.";

/// What deny.toml says.
struct Policy {
    banned: Vec<String>,
    once: Vec<String>,
    licences: Vec<String>,
}

impl Policy {
    fn read(text: &str) -> Self {
        let table: toml::Table = text.parse().expect("deny.toml is TOML");
        let list = |section: &str, key: &str| -> Vec<toml::Value> {
            let values = table.get(section).and_then(|inner| inner.get(key)).and_then(toml::Value::as_array);
            values.cloned().unwrap_or_default()
        };
        let name = |value: &toml::Value| value.get("crate")?.as_str().map(str::to_owned);
        let (once, banned): (Vec<_>, Vec<_>) =
            list("bans", "deny").into_iter().partition(|entry| entry.get("deny-multiple-versions").is_some());
        Self {
            banned: banned.iter().filter_map(name).collect(),
            once: once.iter().filter_map(name).collect(),
            licences: list("licenses", "allow")
                .iter()
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect(),
        }
    }
}

/// The packages of Cargo.lock: name → versions.
fn locked(text: &str) -> BTreeMap<String, Vec<String>> {
    let table: toml::Table = text.parse().expect("Cargo.lock is TOML");
    let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in table.get("package").and_then(toml::Value::as_array).into_iter().flatten() {
        let field = |key: &str| package.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        packages.entry(field("name")).or_default().push(field("version"));
    }
    packages
}

fn lock_complaints(packages: &BTreeMap<String, Vec<String>>, policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    for name in policy.banned.iter().filter(|name| packages.contains_key(*name)) {
        found.push(format!(
            "Cargo.lock: `{name}` is banned in deny.toml; `cargo tree -i {name}` says who brings it"
        ));
    }
    for (name, versions) in
        packages.iter().filter(|(name, versions)| policy.once.contains(name) && versions.len() > 1)
    {
        found.push(format!("Cargo.lock: `{name}` in {} versions: {}", versions.len(), versions.join(", ")));
    }
    let count: usize = packages.values().map(Vec::len).sum();
    if count > PACKAGES_AT_MOST {
        found.push(format!("Cargo.lock: {count} packages, at most {PACKAGES_AT_MOST}"));
    }
    found
}

/// Asks cargo for every package that is built here; first without the network, which is enough after a build.
fn metadata(root: &Path) -> Value {
    let cargo = env!("CARGO");
    let host = Command::new(cargo).arg("-vV").output().expect("cargo runs");
    let host = String::from_utf8_lossy(&host.stdout).into_owned();
    let host =
        host.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host").to_owned();
    let ask = |offline: &[&str]| {
        let output = Command::new(cargo)
            .args(["metadata", "--format-version=1", "--locked", "--filter-platform", &host])
            .args(offline)
            .current_dir(root)
            .output()
            .expect("cargo runs");
        serde_json::from_slice(&output.stdout).ok()
    };
    ask(&["--offline"])
        .or_else(|| ask(&[]))
        .expect("`cargo metadata --locked` answers; is Cargo.lock up to date?")
}

fn licence_complaints(metadata: &Value, policy: &Policy) -> Vec<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let complaint = |package: &Value| {
        let licence = package["license"].as_str().unwrap_or_default();
        (!licence::is_met(licence, &policy.licences))
            .then(|| format!("{} {}: licence `{licence}`", package["name"], package["version"]))
    };
    packages.filter_map(complaint).collect()
}

#[test]
fn dependencies_are_few_single_and_allowed() {
    let tree = Tree::of_repository();
    let policy = Policy::read(&tree.text("deny.toml").expect("deny.toml is there"));
    assert!(!policy.banned.is_empty() && !policy.once.is_empty() && !policy.licences.is_empty());
    let mut found = lock_complaints(&locked(&tree.text("Cargo.lock").expect("Cargo.lock is there")), &policy);
    let metadata = metadata(tree.root());
    assert!(
        metadata["packages"].as_array().is_some_and(|list| list.len() > 50),
        "cargo named too few packages"
    );
    found.extend(licence_complaints(&metadata, &policy));
    verdict(WHY, &found);
}

#[test]
fn a_ban_a_double_a_crowd_and_a_licence_are_found() {
    let policy = Policy::read(
        "bans.deny = [{ crate = 'bad' }, { crate = 'hyper', deny-multiple-versions = true }]\nlicenses.allow = ['MIT']",
    );
    let entry = |name: &str, version: usize| format!("[[package]]\nname = '{name}'\nversion = '{version}'\n");
    let found =
        lock_complaints(&locked(&[entry("bad", 1), entry("hyper", 0), entry("hyper", 1)].concat()), &policy);
    assert_eq!(found.len(), 2, "{found:?}");
    let crowd: String = (0..=PACKAGES_AT_MOST).map(|version| entry("many", version)).collect();
    assert_eq!(lock_complaints(&locked(&crowd), &policy).len(), 1);
    let packages = serde_json::json!({ "packages": [{ "name": "a", "license": "MIT" }, { "name": "b", "license": null }] });
    assert_eq!(licence_complaints(&packages, &policy).len(), 1);
}
