//! What a project says of traces reaches the gateway's routes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "code of tests")]

use seaworthy_gateway::route::Traces;
use seaworthy_project::fixture::load_yaml;
use seaworthy_release::route_wishes;

#[test]
fn requests_are_told_and_connections_are_not() {
    let project = load_yaml(
        "services:\n  web:\n    image: web:1\n    ports: ['80:80', '5432:5432']\n    x-seaworthy: {route: {port: 80, traces: {sample: 5%, service_name: shop, headers_file: /run/key, roots: /run/ca.pem}}}\n\
         \x20 api:\n    image: api:1\n    ports: ['81:80']\n    x-seaworthy: {route: {port: 80}}\n\
         \x20 quiet:\n    image: api:1\n    ports: ['82:80']\n    x-seaworthy: {route: {port: 80, traces: off}}\n\
         x-seaworthy: {traces: 'http://otel.example:4318/v1/traces/'}\n",
    );
    let routes: Vec<_> = project.services().flat_map(route_wishes).map(|wish| wish.route).collect();
    let of = |name: &str| {
        routes.iter().find(|route| route.name == name).unwrap_or_else(|| panic!("{name}")).traces.clone()
    };
    let all = Traces {
        endpoint: "http://otel.example:4318".into(),
        sample_percent: 100,
        service_name: None,
        headers: None,
        roots: None,
    };
    assert_eq!(of("api"), Some(all.clone()));
    let own = Traces {
        sample_percent: 5,
        service_name: Some("shop".into()),
        headers: Some("/run/key".into()),
        roots: Some("/run/ca.pem".into()),
        ..all
    };
    assert_eq!((of("web"), of("web@5432"), of("quiet")), (Some(own), None, None));
}
