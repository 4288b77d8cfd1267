//! Small projects, many to a file.
//!
//! A case begins with `=== name`, then one sentence, then settings (`args:`, `env:`, `in:`, `differs:`), then its files,
//! each after a line `--- path`. In files `\t\`, `\r\`, `\bom\` and `\s\` stand for a tab, a carriage return, a byte-order
//! mark and a blank.

use std::fs;
use std::path::Path;

/// One small project.
#[derive(Debug, Default)]
pub struct Case {
    pub topic: String,
    pub name: String,
    pub arguments: Vec<String>,
    pub variables: Vec<(String, String)>,
    /// Where the commands are typed, below the project.
    pub folder: String,
    /// Why our answer is another one, on purpose.
    pub differs: Option<String>,
    pub files: Vec<(String, String)>,
}

impl Case {
    pub fn title(&self) -> String {
        format!("{}/{}", self.topic, self.name)
    }

    /// Lays the files out.
    pub fn lay_out(&self, project: &Path) {
        for (path, text) in &self.files {
            let path = project.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(project.join(&self.folder)).unwrap();
    }
}

/// All cases of a folder, in order.
pub fn all(folder: &Path) -> Vec<Case> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut cases: Vec<Case> = Vec::new();
    for path in paths {
        let topic = path.file_stem().unwrap().to_string_lossy().into_owned();
        for case in read(&topic, &fs::read_to_string(&path).unwrap()) {
            assert!(cases.iter().all(|other| other.name != case.name), "{} stands twice", case.title());
            cases.push(case);
        }
    }
    cases
}

fn read(topic: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut in_file = false;
    for line in text.split('\n') {
        if let Some(name) = line.strip_prefix("=== ") {
            cases.push(Case { topic: topic.to_owned(), name: name.trim().to_owned(), ..Case::default() });
            in_file = false;
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(path) = line.strip_prefix("--- ") {
            case.files.push((path.trim().to_owned(), String::new()));
            in_file = true;
        } else if in_file {
            let file = &mut case.files.last_mut().unwrap().1;
            file.push_str(line);
            file.push('\n');
        } else if let Some(words) = line.strip_prefix("args: ") {
            case.arguments = shell_words(words);
        } else if let Some(variable) = line.strip_prefix("env: ") {
            let (name, value) = variable.split_once('=').unwrap();
            case.variables.push((name.to_owned(), value.to_owned()));
        } else if let Some(folder) = line.strip_prefix("in: ") {
            case.folder = folder.trim().to_owned();
        } else if let Some(reason) = line.strip_prefix("differs: ") {
            case.differs = Some(reason.to_owned());
        }
    }
    for (path, text) in cases.iter_mut().flat_map(|case| &mut case.files) {
        *text = written(path, text);
    }
    cases
}

/// The text of a file; one whose name ends with `!` keeps its last lines as they are.
fn written(path: &str, text: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text =
        if path.ends_with('!') { text.to_owned() } else { format!("{}\n", text.trim_end_matches('\n')) };
    let signs = [("\\t\\", "\t"), ("\\r\\", "\r"), ("\\bom\\", "\u{feff}"), ("\\s\\", " ")];
    signs.iter().fold(text, |text, (sign, character)| text.replace(sign, character))
}

/// Words, with double quotes around those that hold a blank or nothing.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
