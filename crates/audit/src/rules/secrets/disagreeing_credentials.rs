//! Who comes in must be somebody who is known there.

use seaworthy_catalog::{Account, Image};

use crate::connection::{Connection, Part, connections};
use crate::{Confidence, Context, Example, Findings, Grade, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "disagreeing-credentials",
    severity: Severity::High,
    grades: &[DATABASE],
    group: Group::Secrets,
    summary: "two services are given different credentials for the same account",
    why: "The server makes the account from its own variables at its first start. A client with another password, user or \
          database is turned away, and it shows only after the deploy.",
    fix: "Fill both from one variable, such as `${DB_PASSWORD:?}`.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_HOST: db\n      DB_USER: shop\n      DB_PASSWORD: \
          ${WEB_PASSWORD:-kZ8qn2Vw}\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_USER: shop\n      \
          POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_HOST: db\n      DB_USER: shop\n      DB_PASSWORD: \
           ${POSTGRES_PASSWORD:?set it}\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_USER: shop\n      \
           POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n",
    more: &[
        Example {
            of: "a user that nobody makes",
            bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_HOST: db\n      DB_USER: \
                  web\n      DB_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n      DB_NAME: orders\n  db:\n    image: \
                  postgres:17\n    environment:\n      POSTGRES_USER: shop\n      POSTGRES_PASSWORD: \
                  ${POSTGRES_PASSWORD:?set it}\n      POSTGRES_DB: orders\n",
            good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_HOST: db\n      DB_USER: \
                   shop\n      DB_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n      DB_NAME: orders\n  db:\n    image: \
                   postgres:17\n    environment:\n      POSTGRES_USER: shop\n      POSTGRES_PASSWORD: \
                   ${POSTGRES_PASSWORD:?set it}\n      POSTGRES_DB: orders\n",
        },
        Example {
            of: "a database that nobody makes",
            bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_HOST: db\n      DB_USER: \
                  shop\n      DB_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n      DB_NAME: sales\n  db:\n    image: \
                  postgres:17\n    environment:\n      POSTGRES_USER: shop\n      POSTGRES_PASSWORD: \
                  ${POSTGRES_PASSWORD:?set it}\n      POSTGRES_DB: orders\n",
            good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_HOST: db\n      DB_USER: \
                   shop\n      DB_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n      DB_NAME: orders\n  db:\n    image: \
                   postgres:17\n    environment:\n      POSTGRES_USER: shop\n      POSTGRES_PASSWORD: \
                   ${POSTGRES_PASSWORD:?set it}\n      POSTGRES_DB: orders\n",
        },
    ],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

const DATABASE: Grade = Grade::new(Severity::Medium, "where only the name of the database differs");

/// Where images look for scripts that make further accounts.
const SCRIPTS: &str = "/docker-entrypoint-initdb.d";

fn check(context: &Context<'_>, findings: &mut Findings) {
    for client in context.subjects() {
        for connection in connections(context, &client) {
            let server = &connection.server;
            let Some(known) = server.known.filter(|known| !known.accounts.is_empty()) else { continue };
            if server.mounts.iter().any(|mount| mount.value.target.starts_with(SCRIPTS)) {
                continue;
            }
            judge(&client, &connection, known, findings);
        }
    }
}

fn judge(client: &Subject<'_>, connection: &Connection<'_>, known: &Image, findings: &mut Findings) {
    let server = &connection.server;
    let (name, at) = (&client.name.value, &server.name.value);
    let accounts: Vec<Option<&str>> =
        known.accounts.iter().map(|account| user_of(server, known, account)).collect();
    let account = match connection.user {
        None => None,
        Some(user) => {
            let same = accounts.iter().position(|account| *account == Some(user.value));
            if same.is_none() && !accounts.contains(&None) {
                let message =
                    format!("The user in `{}` of `{name}` is none that `{at}` makes.", user.variable);
                let finding =
                    findings.report(client.place(&["environment", user.variable]), user.span, message);
                finding.evidence("user").confidence(Confidence::Likely);
            }
            same.and_then(|position| known.accounts.get(position))
        }
    };
    if let (Some(account), Some(password)) = (account, connection.password)
        && let Some(expected) = given(server, known, &account.password)
        && expected.value != password.value
    {
        let message = format!(
            "The password in `{}` of `{name}` is not the one that `{at}` is given.",
            password.variable
        );
        let finding =
            findings.report(client.place(&["environment", password.variable]), password.span, message);
        finding.evidence("password").related(expected.span, format!("`{at}` is given another one here"));
    }
    if let (Some(database), Some(made)) = (connection.database, database_of(server, known))
        && !made.contains(&database.value)
    {
        let message =
            format!("The database in `{}` of `{name}` is none that `{at}` makes.", database.variable);
        let finding =
            findings.report(client.place(&["environment", database.variable]), database.span, message);
        finding.evidence("database").grade(DATABASE).confidence(Confidence::Likely);
    }
}

/// The name of an account; `None` when it cannot be told.
fn user_of<'project>(
    server: &Subject<'project>,
    known: &Image,
    account: &'project Account,
) -> Option<&'project str> {
    if account.user.iter().any(|name| is_in_file(server, known, name)) {
        return None;
    }
    // An account without a name is not made: nobody is called that.
    given(server, known, &account.user).map(|part| part.value).or(account.name.as_deref()).or(Some(""))
}

/// The databases that are there; `None` when it cannot be told.
fn database_of<'project>(server: &Subject<'project>, known: &'project Image) -> Option<Vec<&'project str>> {
    let database = known.database.as_ref()?;
    if database.variables.iter().any(|name| is_in_file(server, known, name)) {
        return None;
    }
    let named = match given(server, known, &database.variables) {
        Some(part) => part.value,
        None if database.named_as_user => user_of(server, known, known.accounts.first()?)?,
        None => return None,
    };
    Some(database.always.iter().map(String::as_str).chain([named]).collect())
}

/// The first of these variables that the server is given.
fn given<'project>(server: &Subject<'project>, known: &Image, names: &[String]) -> Option<Part<'project>> {
    if names.iter().any(|name| is_in_file(server, known, name)) {
        return None;
    }
    names.iter().find_map(|name| {
        let (variable, value) = server.service().environment.get_key_value(name)?;
        let text = value.value.as_ref()?.reveal();
        (!text.is_empty()).then_some(Part { variable, value: text, span: value.span })
    })
}

fn is_in_file(server: &Subject<'_>, known: &Image, name: &str) -> bool {
    server.environment.contains_key(&format!("{name}{}", known.file_suffix()))
}
