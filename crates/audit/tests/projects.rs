//! Over whole projects, ours and those of others: a fix changes what it declares and nothing else, and is done after one time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]
#![expect(clippy::disallowed_methods, reason = "the test reads projects from folders where they are there")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use seaworthy_audit::{Edit, EditValue, Hardened, Level, Mended, check, explain, harden, mend};
use seaworthy_project::fixture::{FOLDER, MemoryFiles, request};
use seaworthy_project::{Loaded, Node, Project, Value, load};

const LEVELS: [Level; 3] = [Level::Safe, Level::NeedsImageKnowledge, Level::BehaviourChanging];
/// The most of one file that is read: what is larger is none that is edited.
const LARGEST: u64 = 1 << 20;

/// The text files of a project, by path.
#[derive(Clone)]
struct Files {
    name: String,
    texts: BTreeMap<String, String>,
}

impl Files {
    fn with(&self, path: &str, text: &str) -> Self {
        let mut with = self.clone();
        with.texts.insert(path.to_owned(), text.to_owned());
        with
    }

    fn load(&self) -> Loaded {
        let texts: Vec<(&str, &str)> =
            self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let mut request = request();
        // Each variable that a project may insist on is given.
        request.variables.extend(self.demanded().map(|name| (name, "vT4-mm2Lw-Q9".to_owned())));
        load(&request, &MemoryFiles::new(&texts))
    }

    fn demanded(&self) -> impl Iterator<Item = String> + '_ {
        let after = |text: &'_ str| text.split("${").skip(1).map(str::to_owned).collect::<Vec<_>>();
        let names =
            self.texts.iter().filter(|(path, _)| is_yaml(path)).flat_map(move |(_, text)| after(text));
        names.filter_map(|rest| {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            rest[name.len()..].trim_start_matches(':').starts_with('?').then_some(name)
        })
    }

    fn overlay_path(&self) -> String {
        let base = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"]
            .into_iter()
            .find(|name| self.texts.contains_key(*name))
            .unwrap();
        base.replacen('.', ".production.", 1)
    }

    /// The same with other ends of lines.
    fn with_windows_lines(&self) -> Self {
        let texts = self.texts.iter().map(|(path, text)| (path.clone(), windows(text))).collect();
        Self { name: format!("{} (CRLF)", self.name), texts }
    }

    /// Hardens as far as `level`, and holds what must hold whatever the project is.
    fn hardened(&self, project: &Project, level: Level) -> (Self, Hardened) {
        let path = self.overlay_path();
        let old = self.texts.get(&path).map(String::as_str);
        let hardened = harden(project, old, &|text| self.with(&path, text).load(), level);
        let Some(text) = hardened.text.as_deref() else { return (self.clone(), hardened) };
        let after = self.with(&path, text);
        let new = after.load().project.unwrap_or_else(|| panic!("{}: it loads:\n{text}", self.name));
        let edits: Vec<&Edit> = hardened.applied.iter().flat_map(|applied| &applied.fix.edits).collect();
        self.only_declared(&project.node, &new.node, &edits);
        let old = old.unwrap_or_default();
        keeps_lines(&self.name, old, text);
        let again = harden(&new, Some(text), &|text| after.with(&path, text).load(), level);
        assert_eq!(again.text.as_deref(), Some(text), "{}: a second time changes nothing", self.name);
        assert!(again.applied.is_empty(), "{}: {:?}", self.name, again.applied);
        (after, hardened)
    }

    fn only_declared(&self, before: &Node, after: &Node, edits: &[&Edit]) {
        let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
        leaves(before, &mut Vec::new(), &mut old);
        leaves(after, &mut Vec::new(), &mut new);
        let changed = old.keys().chain(new.keys()).filter(|key| old.get(*key) != new.get(*key));
        for key in changed.filter(|key| key[0] != "x-seaworthy") {
            let declared = edits.iter().any(|edit| key.starts_with(&edit.path));
            assert!(declared, "{}: `{}` changed though nothing says so", self.name, key.join("."));
        }
        for edit in edits.iter().filter(|edit| edit.value != EditValue::Reset) {
            let path: Vec<&str> = edit.path.iter().map(String::as_str).collect();
            assert!(after.at(&path).is_some(), "{}: `{}` is there", self.name, edit.path.join("."));
        }
    }

    /// Mends Dockerfiles and example files as far as `level`, and holds what must hold.
    fn mended(&self, project: &Project, level: Level) -> Mended {
        let revised = |files: &BTreeMap<PathBuf, String>| {
            let mut with = self.clone();
            for (path, text) in files {
                let path = path.strip_prefix(FOLDER).unwrap().display().to_string();
                assert!(with.texts.insert(path, text.clone()).is_some(), "no file is made");
            }
            with
        };
        let mended = mend(project, &|files| revised(files).load(), level, &|_| true);
        let after = revised(&mended.files);
        let new = after.load().project.unwrap_or_else(|| panic!("{}: it loads", self.name));
        self.only_declared(&project.node, &new.node, &[]);
        for (path, text) in &self.texts {
            let new = &after.texts[path];
            if is_yaml(path) || path == ".env" {
                assert_eq!(new, text, "{}: `{path}` is nothing to mend", self.name);
            }
            same_ends(&self.name, text, new);
            let comments = |text: &str| -> Vec<String> {
                text.lines().filter(|line| line.trim_start().starts_with('#')).map(str::to_owned).collect()
            };
            assert_eq!(comments(text), comments(new), "{}: comments of `{path}`", self.name);
        }
        let again = mend(&new, &|files| after.reloaded(files), level, &|_| true);
        assert!(again.files.is_empty(), "{}: a second time mends nothing: {:?}", self.name, again.applied);
        mended
    }

    fn reloaded(&self, files: &BTreeMap<PathBuf, String>) -> Loaded {
        let with = |files: Self, (path, text): (&PathBuf, &String)| {
            files.with(&path.strip_prefix(FOLDER).unwrap().display().to_string(), text)
        };
        files.iter().fold(self.clone(), with).load()
    }
}

#[test]
fn fixes_change_what_they_declare_and_are_done_after_one_time() {
    let (mut loaded, mut fixed, mut mended) = (0, 0, 0);
    for files in projects() {
        for files in [files.with_windows_lines(), files] {
            let Some(project) = files.load().project else { continue };
            loaded += 1;
            for level in LEVELS {
                let (after, hardened) = files.hardened(&project, level);
                fixed += hardened.applied.len();
                let Some(project) = after.load().project else { panic!("it has just been loaded") };
                mended += after.mended(&project, level).applied.len();
            }
        }
    }
    println!("{loaded} projects, {fixed} fixes, {mended} mends");
    let least = if corpus().is_dir() { (80, 800, 60) } else { (8, 20, 2) };
    assert!(loaded >= least.0 && fixed >= least.1 && mended >= least.2, "{loaded} {fixed} {mended}");
}

#[test]
fn what_is_found_is_as_severe_as_its_page_says() {
    let mut found = BTreeMap::new();
    for files in projects() {
        let Some(project) = files.load().project else { continue };
        for finding in &check(&project) {
            let (id, severity) = (finding.rule.id, finding.severity);
            let page = explain(id).unwrap_or_default();
            let named = page.lines().find_map(|line| line.split_once("Severity ")).map(|(_, rest)| rest);
            let named = named.and_then(|rest| rest.split_once(", group")).map_or("", |(named, _)| named);
            let is_named = named.replace(" or ", ", ").split(", ").any(|word| word == severity.as_str());
            assert!(is_named, "{}: `{id}` is {severity}, its page says {named}", files.name);
            *found.entry((id, severity)).or_insert(0) += 1;
        }
    }
    println!("{found:?}");
    assert!(found.len() >= 20, "{found:?}");
}

#[test]
fn what_people_wrote_into_an_overlay_stays() {
    let mut edited = 0;
    for files in projects() {
        let Some(project) = files.load().project else { continue };
        let path = files.overlay_path();
        if files.texts.contains_key(&path) {
            continue;
        }
        let mut overlay =
            "# By hand.\nx-seaworthy:\n  overlay: true # as it should\n\nservices:\n".to_owned();
        for (position, name) in project.services.keys().enumerate() {
            let labels = if position == 0 { "&shared { 'team': \"shop\" } # all of them" } else { "*shared" };
            overlay.push_str(&format!("  \"{name}\":   # {position}\n    # who\n    labels: {labels}\n\n"));
        }
        for text in [windows(&overlay), overlay] {
            let files = files.with(&path, &text);
            let Some(project) = files.load().project else { continue };
            edited += files.hardened(&project, Level::BehaviourChanging).1.applied.len();
        }
    }
    assert!(edited >= if corpus().is_dir() { 300 } else { 5 }, "{edited} fixes");
}

/// Every old line is still there, in its order; lists may have grown within theirs.
fn keeps_lines(name: &str, old: &str, new: &str) {
    same_ends(name, old, new);
    let mut rest = new.lines();
    for line in old.lines() {
        let same = |other: &str| {
            let grown = line.trim_end().strip_suffix(']').is_some_and(|start| other.starts_with(start));
            other == line || grown
        };
        assert!(rest.any(same), "{name}: `{line}` stays in\n{new}");
    }
}

/// No kind of line end comes in that was not there.
fn same_ends(name: &str, old: &str, new: &str) {
    let bare = |text: &str| text.matches('\n').count() - text.matches("\r\n").count();
    let only_windows = old.contains("\r\n") && bare(old) == 0;
    assert!(!only_windows || bare(new) == 0, "{name}: bare line ends in\n{new:?}");
    assert!(old.is_empty() || old.contains('\r') || !new.contains('\r'), "{name}: {new:?}");
}

fn windows(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// Every value by its path; a list is one value.
fn leaves(node: &Node, path: &mut Vec<String>, into: &mut BTreeMap<Vec<String>, String>) {
    match &node.value {
        Value::Mapping(_) => {
            for entry in node.entries() {
                path.push(entry.key.value.clone());
                leaves(&entry.node, path, into);
                path.pop();
            }
        }
        _ => {
            into.insert(path.clone(), shown(node));
        }
    }
}

fn shown(node: &Node) -> String {
    match &node.value {
        Value::Sequence(_) => node.items().iter().map(|item| shown(item) + ";").collect(),
        Value::Mapping(_) => node
            .entries()
            .iter()
            .map(|entry| format!("{}={};", entry.key.value, shown(&entry.node)))
            .collect(),
        _ => node.text().unwrap_or("null").to_owned(),
    }
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/awesome-compose")
}

/// Our own examples and samples, and the projects of others where they are there.
fn projects() -> Vec<Files> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [here.join("../../examples"), here.join("tests/seeds"), corpus()];
    let inside = |folder: &PathBuf| -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let has_base = |path: &PathBuf| {
        ["compose.yaml", "docker-compose.yml", "compose.yml"].iter().any(|name| path.join(name).is_file())
    };
    folders
        .iter()
        .flat_map(inside)
        .filter(has_base)
        .map(|path| Files {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            texts: texts(&path, &path),
        })
        .collect()
}

fn texts(root: &Path, folder: &Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "node_modules" | "target" | ".git") {
            texts.append(&mut self::texts(root, &path));
        } else if entry.metadata().is_ok_and(|about| about.is_file() && about.len() <= LARGEST)
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            texts.insert(path.strip_prefix(root).unwrap().display().to_string(), text);
        }
    }
    texts
}
