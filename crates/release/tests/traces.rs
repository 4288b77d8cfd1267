//! What a project says of traces reaches the gateway's routes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "code of tests")]

use seaworthy_gateway::route::Traces;
use seaworthy_project::fixture::{MemoryFiles, load_yaml};
use seaworthy_release::{route_wishes, wrong_certificates};

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

#[test]
fn files_that_the_gateway_cannot_use_are_said_where_they_are_named() {
    let wrong = |settings: &str| {
        let yaml = format!(
            "services:\n  web:\n    image: web:1\n    ports: ['80:80']\n    x-seaworthy: {{route: {{host: a.example, port: 80}}}}\nx-seaworthy: {{{settings}}}\n"
        );
        let (project, now) = (load_yaml(&yaml), jiff::Timestamp::UNIX_EPOCH);
        let files = MemoryFiles::new(&[("/run/headers", "api-key"), ("/run/ca.pem", "no certificate")]);
        let wrong = wrong_certificates(&project, &files, now);
        assert!(wrong.iter().all(|error| error.span().is_some() && error.hint().is_some()), "{wrong:?}");
        wrong.iter().map(ToString::to_string).collect::<Vec<String>>().join("\n")
    };
    let told = wrong("traces: {endpoint: 'https://a', headers_file: /run/headers, roots: /run/none}");
    assert!(told.contains("header 1 is not written as `name=value`"), "{told}");
    assert!(told.contains("the collector of spans of `web` cannot be held against `/run/none`"), "{told}");
    assert_eq!(wrong("traces: {endpoint: off, headers_file: /run/headers}"), "");
    let told = wrong("tls: {mode: acme, acme: {roots: /run/ca.pem}}");
    assert!(told.contains("the issuer of certificates for `web` cannot be held against `/run/ca.pem`: there is no certificate"), "{told}");
    assert!(wrong("tls: {mode: acme, acme: {roots: /run/none}}").contains("/run/none"));
    assert_eq!(wrong("tls: {mode: self-signed, acme: {roots: /run/none}}"), "");
}
