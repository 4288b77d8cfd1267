//! What a service says of limits and headers reaches the gateway's route.
#![allow(clippy::unwrap_used, clippy::panic, reason = "code of tests")]

use seaworthy_gateway::route::{Policy, RateLimit};
use seaworthy_project::fixture::load_yaml;
use seaworthy_release::route_wishes;

fn policies(settings: &str) -> Vec<Policy> {
    let yaml = format!(
        "services:\n  web:\n    image: web:1\n    ports: ['80:80', '5432:5432']\n    x-seaworthy: {{route: {{port: 80{settings}}}}}\n"
    );
    let project = load_yaml(&yaml);
    project.services().flat_map(route_wishes).map(|wish| wish.route.policy).collect()
}

#[test]
fn what_is_said_counts_for_requests_and_not_for_connections_passed_through() {
    let said = policies(
        ", max_body: 300MB, body_timeout: 20s, rate_limit: 1000/min, allow: [10.0.0.0/8], deny: [10.1.2.3], \
         trusted_proxies: ['::1'], headers: {secure: false, request: {remove: [X-A]}, response: {set: {B: 1}, add: {C: d}}}",
    );
    let [web, database] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((web.max_body_bytes, web.body_timeout_ms), (Some(300 << 20), 20_000));
    let limit = RateLimit { requests: 1000, period_ms: 60_000, burst: 1000, header: None };
    assert_eq!(web.rate_limit, Some(limit));
    assert_eq!(
        (web.allow.clone(), web.deny.clone()),
        (vec!["10.0.0.0/8".parse().unwrap()], vec!["10.1.2.3".parse().unwrap()])
    );
    assert_eq!(web.trusted_proxies, ["::1".parse().unwrap()]);
    assert!(!web.secure_headers);
    assert_eq!(web.request_headers.remove, ["X-A"]);
    assert_eq!(
        (&web.response_headers.set["B"], &web.response_headers.add["C"]),
        (&"1".to_owned(), &"d".to_owned())
    );
    assert_eq!(*database, Policy::default());
}

#[test]
fn defaults_and_long_forms() {
    assert_eq!(policies("")[0], Policy::default());
    assert_eq!(policies(", max_body: unlimited")[0].max_body_bytes, None);
    let limit = |text: &str| policies(&format!(", rate_limit: {text}"))[0].rate_limit.clone().unwrap();
    let by_header = RateLimit { requests: 5, period_ms: 10_000, burst: 2, header: Some("X-Api-Key".into()) };
    assert_eq!(limit("{rate: 5/10s, burst: 2, by: header X-Api-Key}"), by_header);
    assert_eq!(limit("{rate: 5/10s, burst: 2, by: client}"), RateLimit { header: None, ..by_header });
}
