//! What is wrong with a credential: one verdict each, so that one cause gives one finding.

use super::{Credential, Origin, Weakness, credentials, token_name, weakness};
use crate::{Context, Subject};

/// What is wrong with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A provider's token or a private key stands in the file.
    Token(&'static str),
    /// It stands in the file as the default of a variable.
    Default,
    /// It waits to be replaced.
    Placeholder,
    /// Everybody would try it; the words say why.
    Trivial(&'static str),
    /// It stands in the file.
    Literal,
}

/// Every credential of a service that something is wrong with.
pub(crate) fn verdicts<'project>(
    context: &Context<'project>,
    subject: &Subject<'project>,
) -> Vec<(Credential<'project>, Verdict)> {
    let names = |credential: &Credential<'project>| other_names(subject, credential.name);
    let judge = |credential: Credential<'project>| {
        let verdict = match (credential.origin, token_name(credential.value)) {
            (Origin::Literal, Some(whose)) => Verdict::Token(whose),
            (Origin::Default(_), _) => Verdict::Default,
            (origin, _) => match weakness(credential.value, names(&credential).into_iter()) {
                Some(Weakness::Placeholder) => Verdict::Placeholder,
                Some(Weakness::Trivial(why)) => Verdict::Trivial(why),
                None if origin == Origin::Literal => Verdict::Literal,
                None => return None,
            },
        };
        Some((credential, verdict))
    };
    credentials(context, subject).into_iter().filter_map(judge).collect()
}

/// Names that must not be passwords: the service, and what its other variables call user and database.
fn other_names<'project>(subject: &Subject<'project>, except: &str) -> Vec<&'project str> {
    let service = subject.service();
    let named = service.environment.iter().filter(|(name, _)| {
        let upper = name.to_ascii_uppercase();
        *name != except && ["USER", "USERNAME", "_DB", "DATABASE"].iter().any(|end| upper.ends_with(end))
    });
    let values = named.filter_map(|(_, value)| value.value.as_ref().map(|value| value.reveal()));
    values.chain([service.name.value.as_str()]).collect()
}
