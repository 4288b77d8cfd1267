//! Credentials come from outside: each that stands in a file becomes a variable, and one that two services share stays one.

use seaworthy_project::Span;

use super::Proposal;
use crate::credential::{Origin, Verdict, password_in_url, verdicts, written_value};
use crate::{Context, Edit, EditValue, Subject};

/// A credential that stands in a file, and the variable it becomes.
struct Taken<'project> {
    subject: Subject<'project>,
    name: String,
    value: &'project str,
    variable: String,
}

/// The edits that take each credential from outside.
pub(super) fn proposals(context: &Context<'_>, environment: &str) -> Vec<Proposal> {
    let mut taken: Vec<Taken<'_>> = Vec::new();
    // Those who keep a password give it its name; those who use it follow.
    for keeps in [true, false] {
        for subject in context.subjects().filter(|subject| is_keeper(subject) == keeps) {
            for (name, value) in own(context, &subject) {
                let variable = variable(&subject, &name, value, &taken);
                taken.push(Taken { subject, name, value, variable });
            }
        }
    }
    let mut proposals: Vec<Proposal> =
        taken.iter().map(|one| Proposal { edits: edits(one, environment), decision: None }).collect();
    for subject in context.subjects() {
        proposals.extend(addresses(context, &subject, &taken, environment));
        proposals.extend(absent(&subject, environment));
    }
    proposals
}

fn is_keeper(subject: &Subject<'_>) -> bool {
    subject.known.is_some_and(|image| image.kind.is_internal())
}

/// The credentials of a service that somebody wrote into a file of the project.
fn own<'project>(context: &Context<'project>, subject: &Subject<'project>) -> Vec<(String, &'project str)> {
    let stands = |origin: Origin<'_>, span: &Span| match origin {
        Origin::Literal => true,
        // What a service reads from a file of variables is not replaced by those of the environment.
        Origin::Outside => context.is_environment_file(span),
        Origin::Default(_) => false,
    };
    verdicts(context, subject)
        .into_iter()
        .filter(|(credential, verdict)| {
            stands(credential.origin, &credential.span) && *verdict != Verdict::Default
        })
        .map(|(credential, _)| (credential.name.to_owned(), credential.value))
        .collect()
}

/// What a credential is called outside.
fn variable(subject: &Subject<'_>, name: &str, value: &str, taken: &[Taken<'_>]) -> String {
    let is_password = name.to_ascii_uppercase().contains("PASS");
    if !is_keeper(subject)
        && is_password
        && let Some(shared) = shared(value, taken)
    {
        return shared.to_owned();
    }
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    match taken.iter().find(|one| one.variable == plain) {
        Some(other) if other.value != value => format!("{}_{plain}", upper(subject.name.value.as_str())),
        _ => plain,
    }
}

fn upper(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The variable of the datastore that keeps this password; an administrator's comes last.
fn shared<'a>(value: &str, taken: &'a [Taken<'_>]) -> Option<&'a str> {
    let is_administrator = |one: &&Taken<'_>| one.name.contains("ROOT") || one.name.contains("ADMIN");
    let same = || taken.iter().filter(|one| is_keeper(&one.subject) && one.value == value);
    same().find(|one| !is_administrator(one)).or_else(|| same().next()).map(|one| one.variable.as_str())
}

fn required(variable: &str, environment: &str) -> String {
    format!("${{{variable}:?set {variable} in .env.{environment}}}")
}

fn edits(one: &Taken<'_>, environment: &str) -> Vec<Edit> {
    let subject = &one.subject;
    let Some(known) = subject.known.filter(|known| known.file_variables.contains(&one.name)) else {
        return vec![from_outside(subject, &one.name, &required(&one.variable, environment))];
    };
    if is_mentioned(subject, &one.name) {
        return vec![from_outside(subject, &one.name, &required(&one.variable, environment))];
    }
    let secret = one.variable.to_ascii_lowercase();
    let file = format!("{}{}", one.name, known.file_suffix());
    vec![
        subject.edit(&["environment", &one.name], EditValue::Reset),
        subject.edit(&["environment", &file], EditValue::text(format!("/run/secrets/{secret}"))),
        subject.edit(&["secrets"], EditValue::list([secret.as_str()])),
        Edit::new(
            vec!["secrets".to_owned(), secret.clone(), "environment".to_owned()],
            EditValue::text(one.variable.as_str()),
        ),
    ]
}

/// Whether the service's own commands read the variable, which would then be gone.
fn is_mentioned(subject: &Subject<'_>, name: &str) -> bool {
    let test = subject.node.at(&["healthcheck", "test"]);
    let tested = test
        .is_some_and(|test| test.items().iter().any(|item| item.text().is_some_and(|t| t.contains(name))));
    tested || subject.words().any(|word| word.contains(name))
}

fn from_outside(subject: &Subject<'_>, name: &str, value: &str) -> Edit {
    subject.edit(&["environment", name], EditValue::text(value))
}

/// Addresses with a password in them take it from the variable that keeps it.
fn addresses(
    context: &Context<'_>,
    subject: &Subject<'_>,
    taken: &[Taken<'_>],
    environment: &str,
) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for (name, value) in &subject.service().environment {
        if context.is_environment_file(&value.span) || taken.iter().any(|one| is_of(one, subject, name)) {
            continue;
        }
        let raw = context.raw(&value.span).map(|raw| written_value(raw, name)).unwrap_or_default();
        let Some(password) = password_in_url(raw).filter(|_| !raw.contains(['\\', '\n', '$'])) else {
            continue;
        };
        let variable = match shared(password, taken) {
            Some(shared) => shared.to_owned(),
            None => format!("{}_PASSWORD", upper(name.trim_end_matches("_URL").trim_end_matches("_URI"))),
        };
        let with =
            raw.replacen(&format!(":{password}@"), &format!(":{}@", required(&variable, environment)), 1);
        let edit = from_outside(subject, name, &with)
            .comment("The password in an address is letters and digits only.");
        proposals.push(Proposal { edits: vec![edit], decision: None });
    }
    proposals
}

fn is_of(one: &Taken<'_>, subject: &Subject<'_>, name: &str) -> bool {
    one.subject.name.value == subject.name.value && one.name == name
}

/// Passwords that an image has when it is given none.
fn absent(subject: &Subject<'_>, environment: &str) -> Vec<Proposal> {
    let Some(known) = subject.known else { return Vec::new() };
    let is_absent = |variable: &str| {
        let file = format!("{variable}{}", known.file_suffix());
        !subject.environment.contains_key(variable) && !subject.environment.contains_key(&file)
    };
    let with_default = known
        .credentials
        .iter()
        .filter(|credential| credential.default.is_some() && is_absent(&credential.variable));
    let proposal = |credential: &seaworthy_catalog::Credential| {
        let variable = &credential.variable;
        let edit = from_outside(subject, variable, &required(variable, environment));
        Proposal { edits: vec![edit], decision: None }
    };
    with_default.map(proposal).collect()
}
