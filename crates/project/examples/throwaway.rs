#![allow(clippy::all, clippy::disallowed_methods, clippy::print_stdout, missing_docs)]
use seaworthy_project::*;
use std::path::*;
struct Disk;
impl Files for Disk {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        let b = std::fs::read(path).map_err(|e| {
            if e.kind() == std::io::ErrorKind::NotFound {
                FileError::Missing
            } else {
                FileError::Other(e.to_string())
            }
        })?;
        if b.len() as u64 > limit {
            return Err(FileError::TooLarge(limit));
        }
        Ok(b)
    }
    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }
    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        vec![folder.to_owned()]
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let env = args[1].clone();
    let mode = args[2].clone();
    for dir in &args[3..] {
        let dir = std::fs::canonicalize(dir).unwrap();
        let (wd, files) = if dir.is_file() {
            (dir.parent().unwrap().to_owned(), vec![dir.clone()])
        } else {
            (dir.clone(), vec![])
        };
        let request = Request {
            working_directory: wd,
            files,
            environment: EnvironmentName::new(env.as_str()).unwrap(),
            env_files: vec![],
            project_name: None,
            profiles: vec![],
            project_directory: None,
            variables: std::env::vars().collect(),
        };
        let start = std::time::Instant::now();
        let loaded = load(&request, &Disk);
        let took = start.elapsed();
        match &loaded.project {
            Some(p) if mode == "json" => {
                println!("{}", serde_json::to_string_pretty(&write_json_redacted(p)).unwrap())
            }
            Some(p) if mode == "yaml" => println!("{}", write_yaml(p, false)),
            Some(p) if mode == "red" => println!("{}", write_yaml(p, true)),
            Some(p) => {
                let v = write_json(p);
                let again = load_resolved(&v.to_string(), &p.name, &p.environment, &p.directory);
                let ok = again.project.as_ref().map(|q| write_json(q) == v);
                println!("ok {} {} services {:?} roundtrip {:?}", dir.display(), p.services.len(), took, ok);
                for x in &again.problems {
                    println!("   again {:?}", x.message);
                }
            }
            None => println!("FAIL {} {:?}", dir.display(), took),
        }
        for p in loaded.problems.iter() {
            println!(
                "   {} {:?} {} | {:?}",
                p.span.map(|s| loaded.sources.place(&s)).unwrap_or_default(),
                p.kind,
                p.message,
                p.hint
            );
        }
        if mode == "warn" {
            for p in loaded.warnings.iter() {
                println!(
                    "   warn {} {:?} {}",
                    p.span.map(|s| loaded.sources.place(&s)).unwrap_or_default(),
                    p.kind,
                    p.message
                );
            }
        }
    }
}
