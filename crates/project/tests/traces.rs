//! `traces`: said at a route or for all of them, as an address or as a map.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::fixture::try_load;

/// The collector and the share of the first route, or the problems.
fn said(route: &str, all: &str) -> String {
    let text = format!(
        "services:\n  web:\n    image: a\n    x-seaworthy: {{route: {{{route}}}}}\nx-seaworthy: {{{all}}}\n"
    );
    let loaded = try_load(&[("compose.yaml", &text)]);
    let problems: Vec<String> = loaded.problems.iter().map(|problem| problem.message.clone()).collect();
    let Some(project) = loaded.project.filter(|_| problems.is_empty()) else { return problems.join(" ") };
    let traces = project.services().next().unwrap().settings.route.clone().unwrap().value.traces;
    let traces = traces.map(|traces| {
        let endpoint = traces.endpoint.unwrap_or_else(|| "off".to_owned());
        format!("{endpoint} {}", traces.sample_percent.map_or_else(String::new, |share| format!("{share}%")))
    });
    traces.unwrap_or_default().trim().to_owned()
}

#[test]
fn a_route_says_it_for_itself_or_takes_what_is_said_for_all() {
    assert_eq!(said("", ""), "");
    assert_eq!(said("", "traces: 'http://otel:4318'"), "http://otel:4318");
    assert_eq!(said("traces: off", "traces: 'http://otel:4318'"), "off");
    assert_eq!(
        said("traces: {endpoint: 'http://a:1/b', sample: 5%}", "traces: 'http://otel:4318'"),
        "http://a:1/b 5%"
    );
    // As where a variable is not set.
    assert_eq!(said("", "traces: ''"), "");
    for wrong in ["otel:4318", "https://otel", "http://", "http://a?b", "grpc://otel:4317"] {
        assert!(said("", &format!("traces: '{wrong}'")).contains("traces"), "{wrong}");
    }
    assert!(said("", "traces: {endpoint: 'http://a', sample: 200%}").contains("sample"));
}
