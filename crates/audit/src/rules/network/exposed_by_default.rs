//! Only what is meant for the world should be shown to it.

use crate::{Context, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "exposed-by-default",
    severity: Severity::High,
    grades: &[],
    group: Group::Network,
    summary: "reverse proxy shows every container to the world",
    why: "Traefik's Docker provider makes a route for each container it sees unless it is told not to: a database or an admin \
          page is then reachable under its name, though nobody asked for it.",
    fix: "Add `--providers.docker.exposedbydefault=false`, and `traefik.enable=true` to what is meant for the world.",
    bad: "services:\n  proxy:\n    image: traefik:v3.5\n    command: [--providers.docker=true]\n",
    good: "services:\n  proxy:\n    image: traefik:v3.5\n    command: [--providers.docker=true, \
           --providers.docker.exposedbydefault=false]\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.9"],
    check,
};

const PROVIDER: &str = "--providers.docker";
const BY_ARGUMENT: &str = "--providers.docker.exposedbydefault=";
const BY_VARIABLE: &str = "TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT";

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        if service.known.is_some_and(|known| known.id == "traefik") && shows_all(&service) {
            let message = format!("`{}` makes a route for every container.", service.name.value);
            let words = service.node.get("command").map(|node| node.items()).unwrap_or_default();
            let word = words.iter().find(|word| word.text().is_some_and(|text| text.starts_with(PROVIDER)));
            let span = word.map_or(service.command_span(), |word| word.span);
            findings.report(service.place(&["command"]), span, message);
        }
    }
}

fn shows_all(service: &Subject<'_>) -> bool {
    let words: Vec<String> = service.words().map(str::to_ascii_lowercase).collect();
    let uses = words.iter().any(|word| {
        word.strip_prefix(PROVIDER).is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', '.']))
            && word != "--providers.docker=false"
    });
    let variable = service.environment.keys().any(|name| name.starts_with("TRAEFIK_PROVIDERS_DOCKER"));
    let said = words.iter().find_map(|word| word.strip_prefix(BY_ARGUMENT));
    let said = said.or_else(|| service.variable(BY_VARIABLE));
    (uses || variable) && !said.is_some_and(|value| value.eq_ignore_ascii_case("false"))
}
