//! What may not be said of a route, and where it is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::Problem;
use seaworthy_project::fixture::try_load;

#[test]
fn limits_and_headers_of_a_route_are_refused_with_their_place() {
    for (setting, column, problem) in [
        ("max_body: 300QB", 37, "a size such as `300MB`, or `unlimited`"),
        ("max_body: 0", 37, "a size such as `300MB`, or `unlimited`"),
        ("rate_limit: 1000", 39, "a rate such as `1000/min`"),
        ("rate_limit: 0/min", 39, "a rate such as `1000/min`"),
        ("rate_limit: {rate: 5/s, by: cookie a}", 55, "`client`, or a header"),
        ("allow: [10.0.0.0/33]", 35, "an address or a network"),
        ("trusted_proxies: [proxy]", 45, "an address or a network"),
        ("headers: {request: {remove: [a b]}}", 56, "the name of a header"),
        ("headers: {response: {set: {A: \"b\\r\\nc\"}}}", 57, "a value that a header can have"),
        ("headers: {secur: true}", 37, "did you mean `secure`?"),
        ("body_timeout: 2h", 41, "a time from `1ms` to `1h`"),
    ] {
        let yaml = format!(
            "services: {{web: {{image: x, x-seaworthy: {{route: {{\n  port: 80,               {setting}}}}}}}}}\n"
        );
        let loaded = try_load(&[("compose.yaml", &yaml)]);
        let line = |problem: &Problem| {
            let place = problem.span.map(|span| loaded.sources.place(&span)).unwrap_or_default();
            format!("{place} {} {}", problem.message, problem.hint.as_deref().unwrap_or_default())
        };
        let shown: Vec<String> = loaded.problems.iter().map(line).collect();
        assert_eq!(shown.len(), 1, "{setting}: {shown:?}");
        assert!(shown[0].starts_with(&format!("compose.yaml:2:{column} ")), "{setting}: {shown:?}");
        assert!(shown[0].contains(problem), "{setting}: {shown:?}");
    }
}
