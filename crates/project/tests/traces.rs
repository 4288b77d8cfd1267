//! `traces`: said at a route or for all of them, as an address or as a map.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::fixture::try_load;
use seaworthy_project::model::traces::Endpoint;

/// What holds at the route, or the problems with their places and hints.
fn said(route: &str, all: &str) -> String {
    let text = format!(
        "services:\n  web:\n    image: a\n    x-seaworthy: {{route: {{{route}}}}}\nx-seaworthy: {{{all}}}\n"
    );
    let loaded = try_load(&[("compose.yaml", &text)]);
    let problems: Vec<String> = loaded
        .problems
        .iter()
        .map(|problem| format!("{} hint: {}", problem.message, problem.hint.as_deref().unwrap_or_default()))
        .collect();
    let Some(project) = loaded.project.filter(|_| problems.is_empty()) else { return problems.join(" ") };
    let Some(traces) = project.services().next().unwrap().settings.route.clone().unwrap().value.traces else {
        return String::new();
    };
    let traces = traces.value;
    let endpoint = traces.endpoint.map(|endpoint| match endpoint {
        Endpoint::Nobody => "off".to_owned(),
        Endpoint::Collector(address) => address,
    });
    let files = [traces.headers_file, traces.roots].map(|path| path.map(|path| path.display().to_string()));
    let all = [endpoint, traces.sample_percent.map(|share| format!("{share}%")), traces.service_name];
    all.into_iter().chain(files).flatten().collect::<Vec<String>>().join(" ")
}

#[test]
fn a_route_says_it_for_itself_or_takes_what_is_said_for_all() {
    assert_eq!(said("", ""), "");
    assert_eq!(said("", "traces: 'http://otel:4318'"), "http://otel:4318");
    assert_eq!(said("", "traces: 'https://[::1]:4318/otlp'"), "https://[::1]:4318/otlp");
    assert_eq!(said("traces: off", "traces: 'http://otel:4318'"), "off");
    assert_eq!(
        said("traces: {endpoint: 'http://a:1/b', sample: 5%}", "traces: 'http://otel:4318'"),
        "http://a:1/b 5%"
    );
    // As where a variable is not set.
    assert_eq!(said("", "traces: ''"), "");
    assert_eq!(said("", "traces: {endpoint: '${OTEL_EXPORTER_OTLP_ENDPOINT:-}', sample: 5%}"), "5%");
}

#[test]
fn a_route_says_a_part_of_it_and_a_key_is_for_no_other_collector() {
    let all = "traces: {endpoint: 'https://otel', headers_file: ./key, roots: ./ca.pem, service_name: edge}";
    let whole = said("", all);
    assert!(whole.starts_with("https://otel edge /") && whole.ends_with("/ca.pem"), "{whole}");
    let part = said("traces: {sample: 1%, service_name: shop}", all);
    assert!(part.starts_with("https://otel 1% shop /") && part.ends_with("/ca.pem"), "{part}");
    assert_eq!(said("traces: {endpoint: 'http://a', sample: 1%}", all), "http://a 1% edge");
}

#[test]
fn what_is_no_collector_is_refused_and_said_how_to_write_it() {
    for wrong in [
        "otel:4318",
        "http://",
        "http://a?b",
        "http://me:key@a",
        "grpc://otel:4317",
        "https://a:0",
        "http://[::1",
        "http://a:70000",
        "http:///v1/traces",
    ] {
        let told = said("", &format!("traces: '{wrong}'"));
        assert!(told.contains("traces") && told.contains("http://127.0.0.1:4318"), "{wrong}: {told}");
    }
    assert!(said("", "traces: {endpoint: 'http://a', sample: 200%}").contains("sample"));
    assert!(said("", "traces: {endpoint: 'http://a', headers: 'key=1'}").contains("headers_file"));
    let told = said("traces: {sample: 5%}", "");
    assert_eq!(
        told,
        "`traces` has no `endpoint`. hint: add `endpoint:` with the address of a collector, such as `http://127.0.0.1:4318`"
    );
}
