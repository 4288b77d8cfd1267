//! What the Engine API cannot express, and what happens instead.

use seaworthy_project::{Loss, Node, Project, Service, Span};

/// Keys that nobody carries out here, and what happens instead.
const IGNORED: [(&str, &str); 12] = [
    ("attach", "it says what `up` shows; `logs` shows all"),
    ("cpu_count", "it is for Windows alone: all processors may be used"),
    ("cpu_percent", "it is for Windows alone: `cpus` limits processors here"),
    ("credential_spec", "it is for Windows alone"),
    ("isolation", "it is for Windows alone"),
    ("label_file", "labels are read from `labels` alone"),
    ("links", "services find each other by their names and network aliases alone"),
    ("models", "no model is provided"),
    ("post_start", "nothing is run after the start"),
    ("pre_stop", "nothing is run before the stop; the stop signal is sent at once"),
    ("provider", "nothing but containers is run"),
    ("use_api_socket", "no container is given the engine's socket"),
];
/// Keys by which an instance shares something of another service's.
const SHARED: [&str; 4] = ["network_mode", "pid", "ipc", "volumes_from"];

/// Everything of the project that this engine cannot express.
pub(super) fn of(project: &Project) -> Vec<Loss> {
    project.services().flat_map(of_service).collect()
}

fn of_service(service: &Service) -> Vec<Loss> {
    let mut losses = Vec::new();
    let name = &service.name.value;
    let mut lose = |key: &str, span: Option<Span>, instead: &str| {
        losses.push(Loss { key: format!("services.{name}.{key}"), span, instead: instead.to_owned() });
    };
    let node = &service.node;
    for (key, instead) in IGNORED {
        if let Some(said) = node.get(key).filter(|said| !said.is_null()) {
            lose(key, Some(said.span), instead);
        }
    }
    for key in SHARED {
        let Some(said) = node.get(key) else { continue };
        let of_service = said.text().is_some_and(|mode| mode.starts_with("service:"))
            || said
                .items()
                .iter()
                .any(|item| item.text().is_some_and(|line| !line.starts_with("container:")));
        if of_service {
            lose(key, Some(said.span), "it is shared with the instance that runs when this one is made");
        }
    }
    if let Some(restart) = &service.deploy.restart {
        let span = node.at(&["deploy", "restart_policy"]).map(|said| said.span);
        if restart.delay.is_some_and(|delay| !delay.is_zero()) {
            lose(
                "deploy.restart_policy.delay",
                span,
                "Docker chooses the pauses: from 100 ms on, doubled each time",
            );
        }
        if restart.window.is_some_and(|window| !window.is_zero()) {
            lose("deploy.restart_policy.window", span, "a run of 10 s counts as a success");
        }
        if restart.max_attempts.is_some() && restart.condition.as_deref() != Some("on-failure") {
            lose("deploy.restart_policy.max_attempts", span, "only `condition: on-failure` counts attempts");
        }
    }
    if let Some(cpus) = &service.deploy.reservations.cpus {
        lose("deploy.resources.reservations.cpus", Some(cpus.span), "Docker keeps no processors free");
    }
    for key in ["placement", "mode", "endpoint_mode"] {
        if let Some(said) = node.at(&["deploy", key]).filter(|said| says(said)) {
            lose(&format!("deploy.{key}"), Some(said.span), "all instances run on this one machine");
        }
    }
    for entry in node.get("networks").map(|networks| networks.entries()).unwrap_or_default() {
        if let Some(said) = entry.node.get("interface_name") {
            let key = format!("networks.{}.interface_name", entry.key.value);
            lose(&key, Some(said.span), "Docker names the interfaces");
        }
    }
    losses
}

/// Whether something is said that differs from what is implied.
fn says(node: &Node) -> bool {
    !node.entries().is_empty() || node.text().is_some_and(|text| text != "replicated")
}

#[cfg(test)]
mod tests {
    use seaworthy_project::fixture::load_yaml;

    use super::*;

    #[test]
    fn what_is_not_carried_is_told_and_nothing_else() {
        let project = load_yaml(
            "services:\n  web:\n    image: web:1\n    links: [db]\n    network_mode: service:db\n    read_only: true\n    cap_drop: [ALL]\n    deploy:\n      restart_policy: { condition: any, delay: 5s }\n  db:\n    image: db:1\n",
        );
        let keys: Vec<String> = of(&project).into_iter().map(|loss| loss.key).collect();
        assert_eq!(
            keys,
            ["services.web.links", "services.web.network_mode", "services.web.deploy.restart_policy.delay"]
        );
    }
}
