//! The project's name (Compose Specification, "Name top-level element", and its environment after it).

use std::path::Path;

use crate::load::discover::is_development;
use crate::load::interpolate;
use crate::load::read::Reader;
use crate::load::report::Report;
use crate::load::variables::Variables;
use crate::{EnvironmentName, FileId, Node, Problem, ProblemKind, ProjectName, Request, Span};

/// The name: `-p`, `COMPOSE_PROJECT_NAME`, `name:` of the last file that has one, or the folder's; then the environment.
pub(crate) fn name(
    request: &Request,
    environment: &EnvironmentName,
    directory: &Path,
    files: &[(FileId, Vec<Node>)],
    (variables, reader, report): (&Variables, &Reader<'_>, &mut Report),
) -> Option<ProjectName> {
    let base = match &request.project_name {
        Some(name) => name.clone(),
        None => {
            let (text, span) = if let Some(variable) = variables.setting("COMPOSE_PROJECT_NAME") {
                (variable.value.clone(), variable.span)
            } else if let Some((text, span)) = written(files, variables, reader, !request.detail.interpolate)
            {
                (normalize(&text), Some(span))
            } else {
                (normalize(&directory.file_name().unwrap_or_default().to_string_lossy()), None)
            };
            checked(&text, span, report)?
        }
    };
    // Lists show whole names, and who types one of them means that one.
    let whole = request.project_name.is_some() && base.as_str().ends_with(&format!("-{environment}"));
    if is_development(environment) || whole {
        return Some(base);
    }
    ProjectName::new(format!("{base}-{environment}")).ok()
}

/// `name:` of the last document that has it, variables filled in; problems in it are reported when the file is prepared.
fn written(
    files: &[(FileId, Vec<Node>)],
    variables: &Variables,
    reader: &Reader<'_>,
    as_written: bool,
) -> Option<(String, Span)> {
    let documents =
        files.iter().rev().flat_map(|(id, documents)| documents.iter().rev().map(move |root| (id, root)));
    documents.into_iter().find_map(|(id, root)| {
        let mut node =
            root.get("name").filter(|node| node.text().is_some_and(|text| !text.is_empty()))?.clone();
        if !as_written {
            interpolate::interpolate(&mut node, reader.text(*id), variables, &mut Report::default());
        }
        Some((node.text()?.to_owned(), node.span))
    })
}

fn checked(text: &str, span: Option<Span>, report: &mut Report) -> Option<ProjectName> {
    match ProjectName::new(text) {
        Ok(name) => Some(name),
        Err(error) => {
            let problem =
                Problem { span, ..Problem::nowhere(ProblemKind::InvalidValue, format!("{error}.")) };
            let hint = match normalize(text).as_str() {
                "" => "name the project with `-p` or `name:`".to_owned(),
                near => format!("call it `{near}`"),
            };
            report.problem(problem.hint(hint));
            None
        }
    }
}

/// A name made of what a project name may have.
fn normalize(text: &str) -> String {
    let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-' || *c == '_';
    let kept: String = text.to_lowercase().chars().filter(allowed).collect();
    kept.trim_start_matches(['-', '_']).to_owned()
}
