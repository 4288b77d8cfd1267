//! `images`: base images under the names that Dockerfiles use, where no registry gives them.
//!
//! A stand-in is made of Debian's packages, and has the name only when it holds the very version that the name says.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::docker;
use crate::run;
use crate::workspace::Workspace;

/// How long one image may take.
const LIMIT: Duration = Duration::from_secs(600);
/// How long a registry may take to give one.
const FETCH: Duration = Duration::from_secs(120);
/// What all the others are made of.
const BASE: &str = "debian:trixie-slim";
/// The label that tells a stand-in from the image whose name it has.
const LABEL: &str = "dev.seaworthy.stand-in";
/// What this machine trusts; images made here may have to come through the same proxy.
const TRUSTED: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Make base images where no registry gives them
#[derive(Debug, Clone, clap::Args)]
pub struct ImagesArguments {
    /// Only these; all when none is named
    #[arg(value_name = "NAME", value_parser = names())]
    pub names: Vec<String>,
}

/// An image that can be made.
struct StandIn {
    name: &'static str,
    /// Its folder under `xtask/images`.
    folder: &'static str,
    /// What it is asked, and what the answer must hold.
    question: &'static [&'static str],
    answer: &'static str,
}

const STAND_INS: [StandIn; 6] = [
    StandIn {
        name: "python:3.13-slim",
        folder: "python",
        question: &["python", "--version"],
        answer: "Python 3.13.",
    },
    StandIn { name: "node:20-slim", folder: "node", question: &["node", "--version"], answer: "v20." },
    StandIn {
        name: "postgres:17",
        folder: "postgres",
        question: &["postgres", "--version"],
        answer: ") 17.",
    },
    StandIn { name: "redis:8", folder: "redis", question: &["redis-server", "--version"], answer: "v=8." },
    StandIn { name: "nginx:1.26", folder: "nginx", question: &["nginx", "-v"], answer: "nginx/1.26." },
    StandIn { name: "rabbitmq:4", folder: "rabbitmq", question: &["rabbitmqctl", "version"], answer: "4." },
];

fn names() -> Vec<&'static str> {
    std::iter::once(BASE).chain(STAND_INS.iter().map(|image| image.name)).collect()
}

/// Makes the images that are not there; with `install`, what that needs is installed first. `true` when all are.
///
/// # Errors
/// When one can neither be fetched nor made, or holds another version than its name says.
pub fn images(
    workspace: &Workspace,
    arguments: &ImagesArguments,
    install: bool,
    output: &mut dyn Write,
) -> Result<bool, Box<dyn Error>> {
    let wanted =
        |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|wished| wished == name);
    let images: Vec<&StandIn> =
        STAND_INS.iter().filter(|image| wanted(image.name) && !is_there(image.name)).collect();
    let base = !is_there(BASE) && (wanted(BASE) || !images.is_empty());
    if !base && images.is_empty() {
        writeln!(output, "all images are there")?;
        return Ok(true);
    }
    // Whether a registry answers is asked once: the answer can take long.
    let first = if base { BASE } else { images.first().map_or(BASE, |image| image.name) };
    let answers = fetched(workspace, first, output)?;
    if base && !answers {
        if install {
            docker::need(workspace, "mmdebstrap", output)?;
        }
        make_base(workspace, output)?;
    }
    for image in images.into_iter().filter(|image| !is_there(image.name)) {
        if !(answers && fetched(workspace, image.name, output)?) {
            make(workspace, image, output)?;
        }
    }
    Ok(true)
}

fn is_there(name: &str) -> bool {
    let output = std::process::Command::new("docker").args(["image", "inspect", name]).output();
    output.is_ok_and(|output| output.status.success())
}

fn fetched(workspace: &Workspace, name: &str, output: &mut dyn Write) -> Result<bool, Box<dyn Error>> {
    Ok(shown(workspace, &["docker", "pull", "--quiet", name], FETCH, output).is_ok())
}

/// Runs a program where a person sees it; an error unless it succeeds.
fn shown(
    workspace: &Workspace,
    words: &[&str],
    limit: Duration,
    output: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    writeln!(output, "$ {}", words.join(" "))?;
    output.flush()?;
    let ran = run::run(workspace.root(), words, limit)?;
    if ran.status.success() {
        Ok(())
    } else {
        Err(format!("`{}` ended with {}", words.join(" "), ran.status).into())
    }
}

fn make_base(workspace: &Workspace, output: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("base.tar").display().to_string();
    let include = "--include=ca-certificates";
    shown(
        workspace,
        &["mmdebstrap", "--variant=minbase", include, "trixie", &archive, "http://deb.debian.org/debian"],
        LIMIT,
        output,
    )
    .map_err(|error| format!("{error}; `apt-get install mmdebstrap` installs what is needed"))?;
    let raw = format!("{BASE}-raw");
    shown(workspace, &["docker", "import", &archive, &raw], LIMIT, output)?;
    let trusted = Path::new(TRUSTED);
    let copy = if trusted.is_file() {
        copy(trusted, &folder.path().join("trusted.crt"))?;
        format!("COPY trusted.crt {TRUSTED}\n")
    } else {
        String::new()
    };
    remove(&folder.path().join("base.tar"))?;
    let text = format!("FROM {raw}\n{copy}LABEL {LABEL}=\"Debian trixie by mmdebstrap\"\nCMD [\"bash\"]\n");
    write(&folder.path().join("Dockerfile"), &text)?;
    build(workspace, BASE, &folder.path().display().to_string(), output)?;
    shown(workspace, &["docker", "rmi", "--no-prune", &raw], LIMIT, output)
}

fn make(workspace: &Workspace, image: &StandIn, output: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = workspace.root().join("xtask/images").join(image.folder);
    build(workspace, image.name, &folder.display().to_string(), output)?;
    let asked = std::process::Command::new("docker")
        .args([
            "run",
            "--rm",
            "--network=none",
            "--entrypoint",
            image.question.first().unwrap_or(&"true"),
            image.name,
        ])
        .args(image.question.iter().skip(1))
        .output()?;
    let said = [asked.stdout, asked.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if said.contains(image.answer) {
        writeln!(output, "{}: {}", image.name, said.trim())?;
        return Ok(());
    }
    shown(workspace, &["docker", "rmi", image.name], LIMIT, output)?;
    Err(format!("`{}` would hold another version: {}", image.name, said.trim()).into())
}

fn build(
    workspace: &Workspace,
    name: &str,
    folder: &str,
    output: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let label = format!("{LABEL}=packages of Debian trixie");
    shown(workspace, &["docker", "build", "--quiet", "--label", &label, "--tag", name, folder], LIMIT, output)
}

#[expect(clippy::disallowed_methods, reason = "the build system writes what images are made of")]
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<u64> {
    std::fs::copy(from, to)
}

fn remove(path: &Path) -> std::io::Result<()> {
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_has_its_folder_and_every_folder_its_image() {
        let root = Workspace::here().unwrap().root().join("xtask/images");
        let mut folders: Vec<String> = root
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        folders.sort();
        let mut known: Vec<&str> = STAND_INS.iter().map(|image| image.folder).collect();
        known.sort_unstable();
        assert_eq!(folders, known);
        assert!(known.iter().all(|folder| root.join(folder).join("Dockerfile").is_file()));
    }
}
