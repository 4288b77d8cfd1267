//! Whole projects that lie in a folder: each file that looks like a Compose file, asked of both programs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::compare;
use crate::programs::{Program, each};
use crate::refuses;

/// Compares every project below a folder; one line for each that differs.
pub fn compare(folder: &Path, ours: &Program, real: &Program) -> Vec<String> {
    let mut files = Vec::new();
    find(&folder.canonicalize().unwrap(), &mut files);
    files.sort();
    let said = each(&files, |file| {
        let wanted = real.whole(file);
        let seen = ours.whole(file);
        let mut differences = compare::differences(&wanted, &seen);
        if let Some(again) = ours.written_and_read(file).filter(|_| !refuses(&seen)) {
            let changed = compare::differences(&seen, &again).into_iter();
            differences
                .extend(changed.map(|difference| format!("written as YAML and read again: {difference}")));
        }
        (refuses(&wanted), differences)
    });
    let refused = said.iter().filter(|(refused, _)| *refused).count();
    println!("{} whole projects compared, {refused} of them refused by Compose", files.len());
    let differing = files.iter().zip(said).filter(|(_, (_, differences))| !differences.is_empty());
    differing
        .map(|(file, (_, differences))| format!("{}: {}", file.display(), differences.join("\n    ")))
        .collect()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "node_modules" {
                find(&path, files);
            }
        } else if name.contains("compose") && (name.ends_with(".yaml") || name.ends_with(".yml")) {
            files.push(path);
        }
    }
}
