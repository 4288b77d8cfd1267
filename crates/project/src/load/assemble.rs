//! Runs the phases over all files of a project, and goes as far as it can so that every problem shows at once.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::load::discover::{self, Found, discover};
use crate::load::read::{Reader, absolute};
use crate::load::report::Report;
use crate::load::schema::complete;
use crate::load::session::{Context, Session, is_true};
use crate::load::variables::Variables;
use crate::load::{
    Loaded, Request, beside, finish, merge, naming, resolve, service_environment, typed, validate,
};
use crate::{
    EnvironmentName, FileId, Files, Node, Problem, ProblemKind, Project, ProjectName, ServiceName, Sources,
};

/// Loads a project.
pub(super) fn assemble(request: &Request, files: &dyn Files) -> Loaded {
    let mut session = session(request, files);
    session.home = request.variables.get("HOME").cloned().filter(|home| !home.is_empty());
    let project = project(request, &mut session);
    let Session { reader, mut report, .. } = session;
    report.finish();
    Loaded {
        project: project.filter(|_| report.problems.is_empty()),
        problems: report.problems,
        warnings: report.warnings,
        sources: reader.sources,
    }
}

fn session<'a>(request: &Request, files: &'a dyn Files) -> Session<'a> {
    let report = Report {
        tolerant: discover::is_development(&request.environment),
        templates_stay: !request.detail.interpolate,
        ..Report::default()
    };
    Session {
        reader: Reader { files, sources: Sources::default(), base: request.working_directory.clone() },
        report,
        home: None,
        directory: request.working_directory.clone(),
        extended: HashMap::new(),
        files_used: 0,
        detail: request.detail,
    }
}

fn project(request: &Request, session: &mut Session<'_>) -> Option<Project> {
    let environment = discover::canonical(&request.environment);
    let settings = settings(request, session.reader.files);
    let found = discover(request, &settings, session.reader.files, &mut session.report)?;
    let directory = match &request.project_directory {
        Some(folder) => absolute(&request.working_directory, folder),
        None => found.files.first().map(|file| file.parent().unwrap_or(file).to_owned())?,
    };
    session.reader.base.clone_from(&directory);
    session.directory.clone_from(&directory);
    let mut variables = variables(request, &environment, &directory, &settings, session);

    // Every file is parsed even if one cannot be, so that all that is wrong is told at once.
    let parsed: Vec<Option<(FileId, Vec<Node>)>> =
        found.files.iter().map(|path| session.documents(path, None)).collect();
    let parsed: Vec<(FileId, Vec<Node>)> = parsed.into_iter().collect::<Option<_>>()?;
    if let Some((first, _)) =
        parsed.first().filter(|_| parsed.iter().all(|(_, documents)| documents.is_empty()))
    {
        session.empty(*first);
        return None;
    }
    refuse_stand_alone(&found, &parsed, &mut session.report);
    let parts = (&variables, &session.reader, &mut session.report);
    let name = naming::name(request, &environment, &directory, &parsed, parts);
    name.iter().for_each(|name| variables.set("COMPOSE_PROJECT_NAME", name.as_str()));

    let context = Context { folder: directory.clone(), variables };
    let mut root = combine(session, &found.files, parsed, &context)?;
    let variables = context.variables;
    let disabled = disabled(&root, &profiles(request, &variables));
    if request.detail.check_consistency {
        validate::validate(&root, &disabled, &mut session.report);
    }
    let off: HashSet<&String> = disabled.iter().collect();
    for service in services(&mut root).filter(|(name, _)| !off.contains(name)) {
        service_environment::resolve(session, service.1, &variables);
    }
    let name = name?;
    resolve::name(&mut root, &name);
    if request.detail.normalize {
        resolve::implied(&mut root, &name);
    }
    if request.detail.resolve_paths {
        resolve::paths(&mut root, &directory, session.home.as_deref());
    }
    let disabled = disabled.into_iter().filter_map(|name| ServiceName::new(name).ok()).collect();
    let frame = typed::Frame { name, environment, directory, disabled, variables: variables.values() };
    let mut project = typed::project(root, frame, Sources::default());
    if request.detail.resolve_paths {
        beside::read(&mut project, &mut session.reader);
    }
    project.sources = session.reader.sources.clone();
    Some(project)
}

/// The project's name, for commands that need neither its services nor its values.
pub(super) fn identify(request: &Request, files: &dyn Files) -> Result<ProjectName, Box<Loaded>> {
    let environment = discover::canonical(&request.environment);
    let mut session = session(request, files);
    let named = named(request, &environment, &mut session);
    let Session { reader, mut report, .. } = session;
    report.finish();
    named.ok_or_else(|| {
        let (problems, warnings) = (report.problems, report.warnings);
        Box::new(Loaded { project: None, problems, warnings, sources: reader.sources })
    })
}

fn named(request: &Request, environment: &EnvironmentName, session: &mut Session<'_>) -> Option<ProjectName> {
    if request.project_name.is_some() {
        let parts = (&Variables::from_shell(&request.variables), &session.reader, &mut session.report);
        return naming::name(request, environment, &request.working_directory, &[], parts);
    }
    let settings = settings(request, session.reader.files);
    let found = discover(request, &settings, session.reader.files, &mut session.report)?;
    let directory = match &request.project_directory {
        Some(folder) => absolute(&request.working_directory, folder),
        None => found.files.first().map(|file| file.parent().unwrap_or(file).to_owned())?,
    };
    session.reader.base.clone_from(&directory);
    let variables = variables(request, environment, &directory, &settings, session);
    let mut parsed = Vec::new();
    for path in &found.files {
        parsed.push(session.documents(path, None)?);
    }
    let parts = (&variables, &session.reader, &mut session.report);
    naming::name(request, environment, &directory, &parsed, parts)
}

/// What decides which files are read, from the shell and from `.env` where the command was typed.
fn settings(request: &Request, files: &dyn Files) -> Variables {
    let shell = Variables::from_shell(&request.variables);
    // Problems in these files are told when they are read for good.
    let mut scratch = session(request, files);
    let folder = environment_folder(request);
    let environment = discover::canonical(&request.environment);
    let named = environment_file_names(request, &shell, &folder, &environment, &mut scratch);
    let mut settings = shell.clone();
    settings.fill(scratch.environment_files(&named, &shell));
    settings
}

fn variables(
    request: &Request,
    environment: &EnvironmentName,
    directory: &Path,
    settings: &Variables,
    session: &mut Session<'_>,
) -> Variables {
    let shell = Variables::from_shell(&request.variables);
    let mut variables = shell;
    // As Compose does, first where the command was typed, then in the project's folder.
    let mut read: Vec<PathBuf> = Vec::new();
    for folder in [&environment_folder(request), directory] {
        let named = environment_file_names(request, settings, folder, environment, session);
        if named.iter().all(|(path, _)| read.contains(path)) {
            continue;
        }
        read.extend(named.iter().map(|(path, _)| path.clone()));
        let set = session.environment_files(&named, &variables);
        variables.fill(set);
    }
    variables
}

/// The folder whose environment files are read before anything else is known.
fn environment_folder(request: &Request) -> PathBuf {
    let here = &request.working_directory;
    match (&request.project_directory, request.files.iter().find(|file| file.as_os_str() != "-")) {
        (Some(folder), _) => absolute(here, folder),
        (None, Some(file)) => absolute(here, file).parent().map_or_else(|| here.clone(), Path::to_owned),
        (None, None) => here.clone(),
    }
}

fn environment_file_names(
    request: &Request,
    settings: &Variables,
    folder: &Path,
    environment: &EnvironmentName,
    session: &mut Session<'_>,
) -> Vec<(PathBuf, Option<crate::Span>)> {
    let here = &request.working_directory;
    let named: Vec<PathBuf> = if !request.env_files.is_empty() {
        request.env_files.iter().map(|file| absolute(here, file)).collect()
    } else if let Some(list) = settings.setting("COMPOSE_ENV_FILES") {
        list.value.split(',').map(|file| absolute(here, Path::new(file.trim()))).collect()
    } else if settings
        .setting("COMPOSE_DISABLE_ENV_FILE")
        .is_some_and(|off| off.span.is_none() && yes(&off.value))
    {
        Vec::new()
    } else {
        discover::environment_files(folder, environment, session.reader.files, &mut session.report)
    };
    named.into_iter().map(|path| (path, None)).collect()
}

/// Lays all files over each other.
fn combine(
    session: &mut Session<'_>,
    paths: &[PathBuf],
    parsed: Vec<(FileId, Vec<Node>)>,
    context: &Context,
) -> Option<Node> {
    let mut combined: Option<Node> = None;
    for (path, documents) in paths.iter().zip(parsed) {
        let layer = session.layer(path, documents, context, &mut Vec::new());
        match &mut combined {
            Some(base) => merge::merge(base, layer, &mut session.report),
            None => combined = Some(layer),
        }
        combined.iter().for_each(|root| complete::check(root, &mut session.report));
    }
    let mut root = combined?;
    merge::settle(&mut root);
    if root.entries().is_empty() && session.report.problems.is_empty() {
        session.empty(root.span.file);
    }
    finish::finish(&mut root, &mut session.report);
    complete::settle(&mut root);
    resolve::build_contexts(&mut root);
    resolve::drop_nothing(&mut root);
    Some(root)
}

/// An overlay found by its name that could also stand alone is not guessed at.
fn refuse_stand_alone(found: &Found, parsed: &[(FileId, Vec<Node>)], report: &mut Report) {
    let ([base, .., overlay], Some((_, documents))) = (found.files.as_slice(), parsed.last()) else { return };
    let marked = |root: &Node| is_true(root.at(&["x-seaworthy", "overlay"]));
    if !found.overlay_guessed || documents.iter().any(marked) {
        return;
    }
    let services = || documents.iter().filter_map(|root| root.get("services")).flat_map(Node::entries);
    let whole = |service: &Node| service.get("image").or_else(|| service.get("build")).is_some();
    if services().next().is_none() || !services().all(|service| whole(&service.node)) {
        return;
    }
    let (base, overlay) = (discover::file_name(base), discover::file_name(overlay));
    let message = format!(
        "`{overlay}` could lie over `{base}` or stand alone: all its services have an image or a build."
    );
    let hint = format!(
        "say `-f {base} -f {overlay}` or `-f {overlay}`, or write `x-seaworthy: {{overlay: true}}` in `{overlay}`"
    );
    let place = services().next().map(|service| service.key.span);
    report.problem(Problem { span: place, ..Problem::nowhere(ProblemKind::Ambiguous, message) }.hint(hint));
}

fn yes(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

fn profiles(request: &Request, variables: &Variables) -> Vec<String> {
    if !request.profiles.is_empty() {
        return request.profiles.clone();
    }
    let list = variables.setting("COMPOSE_PROFILES").map(|list| list.value.as_str()).unwrap_or_default();
    // Nothing chosen chooses the profile that is called nothing.
    list.split(',').map(str::trim).map(str::to_owned).collect()
}

/// Services whose profiles are not among the chosen ones.
fn disabled(root: &Node, chosen: &[String]) -> Vec<String> {
    let on =
        |profile: &Node| chosen.iter().any(|chosen| chosen == "*" || Some(chosen.as_str()) == profile.text());
    let services = root.get("services").map(Node::entries).unwrap_or_default();
    let off = services.iter().filter(|service| {
        let profiles = service.node.get("profiles").map(Node::items).unwrap_or_default();
        !profiles.is_empty() && !profiles.iter().any(on)
    });
    off.map(|service| service.key.value.clone()).collect()
}

fn services(root: &mut Node) -> impl Iterator<Item = (String, &mut Node)> {
    let entries = root.get_mut("services").and_then(Node::entries_mut);
    entries.into_iter().flatten().map(|entry| (entry.key.value.clone(), &mut entry.node))
}
