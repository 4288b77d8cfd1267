//! Files that are too much: each is refused in a moment, at a limit with a name, and nothing overflows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]
#![expect(clippy::disallowed_methods, reason = "these tests measure how long a refusal takes")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use seaworthy_project::fixture::{MemoryFiles, request};
use seaworthy_project::{Loaded, ProblemKind, Request, load};

/// Far more than any takes by itself: other tests run beside it, perhaps on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);

fn load_quickly(files: &[(&str, &str)]) -> Loaded {
    let begun = Instant::now();
    let loaded = load(&Request { files: vec!["compose.yaml".into()], ..request() }, &MemoryFiles::new(files));
    let took = begun.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    loaded
}

#[track_caller]
fn refused(files: &[(&str, &str)], limit: &str) {
    let loaded = load_quickly(files);
    let told: Vec<&str> = loaded.problems.iter().map(|problem| problem.message.as_str()).collect();
    let named = loaded
        .problems
        .iter()
        .any(|problem| problem.kind == ProblemKind::Limit && problem.message.contains(limit));
    assert!(named && loaded.project.is_none(), "{:?}", &told[..told.len().min(3)]);
}

#[track_caller]
fn refused_file(yaml: &str, limit: &str) {
    refused(&[("compose.yaml", yaml)], limit);
}

#[test]
fn deep_nesting() {
    for depth in [200, 100_000] {
        refused_file(&format!("x: {}{}", "[".repeat(depth), "]".repeat(depth)), "MAX_DEPTH");
        refused_file(&format!("x: {}", "{a: ".repeat(depth)), "MAX_DEPTH");
        refused_file(&format!("x:\n {}a", "- ".repeat(depth)), "MAX_DEPTH");
    }
    let mut block = String::new();
    for level in 0..500 {
        writeln!(block, "{}a:", " ".repeat(level)).unwrap();
    }
    refused_file(&block, "MAX_DEPTH");
}

#[test]
fn alias_bombs() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut merged = "a0: &a0 {k0: x, l0: x}\n".to_owned();
    for level in 1..20 {
        let below = level - 1;
        let ten = format!("*a{below}, ").repeat(10);
        writeln!(bomb, "a{level}: &a{level} [{ten}]").unwrap();
        writeln!(merged, "a{level}: &a{level} {{<<: *a{below}, k{level}: *a{below}, l{level}: *a{below}}}")
            .unwrap();
    }
    refused_file(&bomb, "MAX_ALIAS_NODES");
    refused_file(&merged, "MAX_ALIAS_NODES");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(1000));
    refused_file(&long, "MAX_EXPANDED_BYTES");
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..300 {
        writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    refused_file(&chain, "MAX_DEPTH");
}

#[test]
fn files_that_are_too_large() {
    let large = "# filler\n".repeat(50 * (1 << 20) / 9);
    let loaded = load_quickly(&[("compose.yaml", &large)]);
    assert_eq!(loaded.problems[0].kind, ProblemKind::Limit);
    assert!(loaded.problems[0].message.contains("larger than 8388608 bytes"), "{:?}", loaded.problems);
    let many = format!("x: [{}]", "a,".repeat(1_100_000));
    refused_file(&many, "MAX_NODES");
}

#[test]
fn long_lines_and_many_keys_are_taken() {
    let text = "x".repeat(4 << 20);
    let yaml = format!("services: {{web: {{image: x, environment: {{A: {text}}}}}}}\n");
    let project = load_quickly(&[("compose.yaml", &yaml)]).project.unwrap();
    let web = project.services().next().unwrap();
    assert_eq!(web.environment["A"].value.as_ref().unwrap().reveal().len(), text.len());
    let mut keys = "x-keys:\n".to_owned();
    (0..100_000).for_each(|key| writeln!(keys, "  key{key}: 1").unwrap());
    let yaml = format!("{keys}services: {{web: {{image: x}}}}\n");
    assert_eq!(load_quickly(&[("compose.yaml", &yaml)]).problems, []);
    let mut unknown = "services:\n".to_owned();
    (0..10_000).for_each(|key| writeln!(unknown, "  key{key}: {{imag: x}}").unwrap());
    assert_eq!(load_quickly(&[("compose.yaml", &unknown)]).problems.len(), 1000);
}

#[test]
fn chains() {
    let mut extends = "services:\n  s0: {image: x}\n".to_owned();
    let mut depends = extends.clone();
    for service in 1..2000 {
        writeln!(extends, "  s{service}: {{extends: s{}}}", service - 1).unwrap();
        writeln!(depends, "  s{service}: {{image: x, depends_on: [s{}]}}", service - 1).unwrap();
    }
    refused_file(&extends, "MAX_CHAIN");
    let project = load_quickly(&[("compose.yaml", &depends)]).project.unwrap();
    assert_eq!(project.dependency_order().len(), 2000);

    let names: Vec<String> = (0..400).map(|file| format!("f{file}.yaml")).collect();
    let texts: Vec<String> = (1..=400).map(|next| format!("include: [f{next}.yaml]\n")).collect();
    let start = ("compose.yaml", "include: [f0.yaml]\nservices: {web: {image: x}}\n");
    let chain = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str));
    let files: Vec<(&str, &str)> = std::iter::once(start).chain(chain).collect();
    refused(&files, "MAX_FILES");
}

#[test]
fn interpolation() {
    let nested = |depth: usize| format!("{}x{}", "${A:-".repeat(depth), "}".repeat(depth));
    for depth in [100, 100_000] {
        refused_file(&format!("services: {{web: {{image: '{}'}}}}", nested(depth)), "MAX_NESTING");
    }
    let many = "${A:-x}".repeat(20_000);
    refused_file(&format!("services: {{web: {{image: '{many}'}}}}"), "MAX_EXPRESSIONS");
    let value = "x".repeat(1 << 16);
    let grown = format!("A={value}\nB={}\nC={}\n", "$A".repeat(15), "$B".repeat(15));
    let yaml = "services: {web: {image: '$C$C'}}";
    refused(&[("compose.yaml", yaml), (".env", &grown)], "MAX_EXPANDED_BYTES");
}

#[test]
fn ports_and_variables() {
    refused_file("services: {a: {image: x, ports: ['1-65535:1-65535', '1-65535:1-65535/udp']}}", "MAX_PORTS");
    let many: String = (0..100_100).map(|name| format!("A{name}=1\n")).collect();
    refused(&[("compose.yaml", "services: {web: {image: x}}"), (".env", &many)], "MAX_VARIABLES");
}
