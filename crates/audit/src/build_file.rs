//! What rules may ask about a Dockerfile: which stages are built, for which services, and what ends up in the image.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use seaworthy_catalog::{Image, RunsAs, lookup};
use seaworthy_project::model::beside::{BuildFiles, DockerfileText};
use seaworthy_project::{FileId, Project, ServiceName, Span};

use crate::dockerfile::{Dockerfile, Instruction, Keyword, Word, parse, parse_inline};
use crate::glob::Ignore;
use crate::shell::Command;
use crate::{Finding, Findings, Place, Subject};

/// A Dockerfile and the services that are built from it.
#[derive(Debug)]
pub struct BuildFile<'project> {
    /// The file, read.
    pub dockerfile: Dockerfile,
    /// Its path as the user would name it.
    pub name: String,
    /// Who is built from it, in the order of the project.
    pub builds: Vec<Build<'project>>,
    /// The names in the folder that is its context.
    pub names: &'project [PathBuf],
    /// What stays out of the context; `None` when nothing says so.
    pub(crate) ignore: Option<Ignore>,
    /// Whether some service needs each stage.
    needed: Vec<bool>,
}

/// One service's build.
#[derive(Debug)]
pub struct Build<'project> {
    /// The service.
    pub subject: Subject<'project>,
    /// The stage that becomes its image; `None` when there is no such stage.
    pub target: Option<usize>,
    /// The stages that its image is made of.
    pub chain: Vec<usize>,
    /// Build arguments with a value.
    pub arguments: HashMap<&'project str, &'project str>,
}

/// Reads the Dockerfiles of a project: each once, however many services are built from it.
pub(crate) fn build_files<'project>(
    project: &'project Project,
    subject: impl Fn(&ServiceName) -> Option<Subject<'project>>,
) -> Vec<BuildFile<'project>> {
    let mut files: Vec<BuildFile<'project>> = Vec::new();
    let mut known: HashMap<(FileId, usize), usize> = HashMap::new();
    for (service, beside) in &project.beside.builds {
        let Some(subject) = subject(service) else { continue };
        let Some((key, dockerfile)) = read(project, &beside.dockerfile) else { continue };
        let at = *known.entry(key).or_insert_with(|| {
            files.push(file(project, key.0, beside, dockerfile));
            files.len() - 1
        });
        let file = &mut files[at];
        let wanted = subject.build.as_ref().and_then(|build| build.value.target.as_deref());
        let target = file.dockerfile.target(wanted);
        if let Some(target) = target {
            let needed = file.dockerfile.needed(target);
            file.needed.iter_mut().zip(needed).for_each(|(all, this)| *all |= this);
        }
        let chain = target.map(|target| file.dockerfile.chain(target)).unwrap_or_default();
        file.builds.push(Build { subject, target, chain, arguments: arguments(&subject) });
    }
    files
}

/// The Dockerfile and what tells it from others; `None` when it could not be read.
fn read(project: &Project, text: &DockerfileText) -> Option<((FileId, usize), Dockerfile)> {
    match text {
        DockerfileText::File(file) => {
            let source = project.sources.get(*file)?;
            Some(((*file, 0), parse(*file, &source.text)))
        }
        DockerfileText::Inline(text, span) => {
            let source = project.sources.get(span.file)?;
            Some(((span.file, span.start.byte), parse_inline(*span, &source.text, text)))
        }
        DockerfileText::Unread(_) => None,
    }
}

fn file<'project>(
    project: &'project Project,
    id: FileId,
    beside: &'project BuildFiles,
    dockerfile: Dockerfile,
) -> BuildFile<'project> {
    let path = project.sources.get(id).map(|source| source.path.display().to_string());
    let ignore = beside.ignore.and_then(|file| project.sources.get(file));
    BuildFile {
        needed: vec![false; dockerfile.stages.len()],
        dockerfile,
        name: path.unwrap_or_default(),
        builds: Vec::new(),
        names: &beside.names,
        ignore: ignore.map(|source| Ignore::of_docker(&source.text)),
    }
}

/// `build.args`, as a map or as a list.
fn arguments<'project>(subject: &Subject<'project>) -> HashMap<&'project str, &'project str> {
    let Some(args) = subject.service().node.at(&["build", "args"]) else { return HashMap::new() };
    let pairs =
        args.entries().iter().filter_map(|entry| Some((entry.key.value.as_str(), entry.node.text()?)));
    let listed = args.items().iter().filter_map(|item| item.text()?.split_once('='));
    pairs.chain(listed).collect()
}

impl<'project> BuildFile<'project> {
    /// The instructions of stages that are built, with their stage.
    pub fn steps(&self) -> impl Iterator<Item = (usize, &Instruction)> {
        let stages = (0..self.dockerfile.stages.len()).filter(|stage| self.needed[*stage]);
        stages.flat_map(|stage| self.dockerfile.of_stage(stage).iter().map(move |step| (stage, step)))
    }

    /// The instructions of one kind in stages that are built.
    pub fn of(&self, keyword: Keyword) -> impl Iterator<Item = (usize, &Instruction)> {
        self.steps().filter(move |(_, step)| step.keyword == keyword)
    }

    /// The commands that are run while it is built, with their instruction.
    pub fn commands(&self) -> impl Iterator<Item = (&Instruction, &Command)> {
        self.of(Keyword::Run).flat_map(|(_, step)| step.commands.iter().map(move |command| (step, command)))
    }

    /// Whether a stage is built.
    pub fn is_needed(&self, stage: usize) -> bool {
        self.needed.get(stage).copied().unwrap_or_default()
    }

    /// Whether what a stage holds ends up in an image.
    pub fn is_shipped(&self, stage: usize) -> bool {
        self.builds.iter().any(|build| build.chain.contains(&stage))
    }

    /// One build for each image, of those that the filter lets through.
    pub fn images(
        &self,
        wanted: impl Fn(&Build<'project>) -> bool,
    ) -> impl Iterator<Item = &Build<'project>> {
        let mut seen = HashSet::new();
        self.builds
            .iter()
            .filter(move |build| build.target.is_some() && wanted(build) && seen.insert(build.target))
    }

    /// The base image of a stage, arguments filled in; `None` for a stage, for `scratch`, and where it is not known.
    pub fn base(&self, stage: usize) -> Option<String> {
        let stage = self.dockerfile.stages.get(stage).filter(|stage| stage.parent.is_none())?;
        let none = HashMap::new();
        let given = self.builds.first().map_or(&none, |build| &build.arguments);
        let filled = self.dockerfile.fill_global(&stage.base.text, given)?;
        (!filled.is_empty() && !filled.eq_ignore_ascii_case("scratch")).then_some(filled)
    }

    /// Whether a file of the context becomes part of it.
    pub fn sends(&self, name: &str) -> bool {
        let there = self.names.iter().any(|known| known.as_os_str() == name);
        there && !self.ignore.as_ref().is_some_and(|ignore| ignore.excludes(name))
    }

    /// Reports something at a place of the file, for the first service built from it.
    pub(crate) fn report<'findings>(
        &self,
        findings: &'findings mut Findings,
        span: Span,
        evidence: &str,
        message: impl Into<String>,
    ) -> &'findings mut Finding {
        let first = self.builds.first().map(|build| build.subject.place(&["build"]));
        let place = first.unwrap_or_else(|| Place::project(&[]));
        findings.report(place, span, message).evidence(format!("{}: {evidence}", self.name))
    }
}

/// What is known of the user an image runs as.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageUser<'file> {
    /// A `USER` instruction says so.
    Said(&'file Word),
    /// The base image is known.
    Base(&'static Image, RunsAs),
    /// The base image is not known.
    Unknown,
}

impl Build<'_> {
    /// The instructions that its image is made of, oldest first.
    pub fn steps<'file>(&'file self, file: &'file BuildFile<'_>) -> impl Iterator<Item = &'file Instruction> {
        self.chain.iter().flat_map(|stage| file.dockerfile.of_stage(*stage))
    }

    /// The last instruction of one kind, the one that counts.
    pub fn last<'file>(
        &'file self,
        file: &'file BuildFile<'_>,
        keyword: Keyword,
    ) -> Option<&'file Instruction> {
        self.steps(file).filter(|step| step.keyword == keyword).last()
    }

    /// The stage that is made into the image.
    pub fn from<'file>(&self, file: &'file BuildFile<'_>) -> Option<&'file Instruction> {
        file.dockerfile.of_stage(self.target?).first()
    }

    /// Who its image runs as, when the Compose file says nothing.
    pub fn user<'file>(&'file self, file: &'file BuildFile<'_>) -> ImageUser<'file> {
        if let Some(said) = self.last(file, Keyword::User).and_then(|step| step.words.first()) {
            return ImageUser::Said(said);
        }
        match self.base_image(file).and_then(|image| Some((image, image.user.as_ref()?.runs_as))) {
            Some((image, runs_as)) => ImageUser::Base(image, runs_as),
            None => ImageUser::Unknown,
        }
    }

    /// What is known of the image that its own is made from.
    pub(crate) fn base_image(&self, file: &BuildFile<'_>) -> Option<&'static Image> {
        lookup(&file.base(*self.chain.first()?)?)
    }

    /// Whether the image, by its Dockerfile, does not run as root.
    pub fn is_safe_user(&self, file: &BuildFile<'_>) -> bool {
        match self.user(file) {
            ImageUser::Said(word) => {
                let user = file.dockerfile.fill_in(&word.text, self.target.unwrap_or(0), &self.arguments);
                user.is_some_and(|user| !is_root(&user))
            }
            ImageUser::Base(_, runs_as) => runs_as == RunsAs::NonRoot,
            ImageUser::Unknown => false,
        }
    }

    /// Whether its image says how to tell that it works.
    pub fn has_healthcheck(&self, file: &BuildFile<'_>) -> bool {
        self.last(file, Keyword::Healthcheck).is_some_and(|step| step.inner.is_some())
    }

    /// Whether the Compose file says what to start, so that the Dockerfile does not.
    pub fn is_command_replaced(&self) -> bool {
        self.subject.service().entrypoint.is_some() || self.subject.service().command.is_some()
    }
}

/// Whether `USER` names root.
pub(crate) fn is_root(user: &str) -> bool {
    matches!(user.split(':').next().unwrap_or_default().trim(), "0" | "root")
}
