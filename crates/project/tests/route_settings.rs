//! What may not be said of a route, and where it is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::Problem;
use seaworthy_project::fixture::try_load;

#[test]
fn limits_and_headers_of_a_route_are_refused_with_their_place() {
    refused(&[
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
    ]);
}

#[test]
fn redirects_and_paths_that_lead_nowhere_are_refused_with_their_place() {
    refused(&[
        ("redirect: [{from: old, to: a b}]", 54, "a path such as `/new` or `/new/*`, a host"),
        ("redirect: [{from: /a*b, to: /c}]", 45, "a path such as `/old` or `/old/*`"),
        ("redirect: [{from: /a}]", 39, "has no `to`"),
        ("redirect: [{from: /a, to: //b.example}]", 53, "a path such as `/new`"),
        ("redirect: [{from: /a, to: 'ftp://b.example'}]", 53, "a path such as `/new`"),
        ("redirect: [{from: /a, to: /b, status: 303}]", 65, "`301`, `302`, `307` or `308`"),
        ("redirect: [{from: /a, to: /b, code: 301}]", 57, "not a key of `redirect`"),
        ("redirect: [{from: /a, to: /b/*}]", 53, "has a `*` in `to`, and none in `from`"),
        ("redirect: [{from: /a/*, to: /a/b/*}]", 55, "leads back to itself"),
        ("host: a.example, redirect: [{from: a.example, to: b.example}]", 77, "the route's own host"),
        ("redirect: [{from: a.example, to: 'https://a.example/b'}]", 60, "leads back to itself"),
        ("redirect: [{from: a.example, to: /b}]", 60, "has no host to go to"),
        ("redirect: [{from: /a, to: /b}, {from: /a, to: /c}]", 65, "sends the same elsewhere twice"),
        ("strip_path: true", 39, "no `path` to take off"),
        ("add_path: /v1/", 37, "such as `/v1`"),
    ]);
}

#[test]
fn hosts_and_paths_that_no_request_can_have_are_refused_with_their_place() {
    refused(&[
        ("host: '*.shop.example'", 33, "a host name such as `shop.example` (one; no `*`)"),
        ("host: 'shop.example:443'", 33, "a host name such as `shop.example`"),
        ("path: /a/../b", 33, "a path such as `/` or `/api`: all beneath it is meant"),
        ("path: /a/.", 33, "without `//`, `.`, `..`"),
        ("path: /a//b", 33, "without `//`"),
        ("path: /api/*", 33, "without `*`"),
        ("path: /%61", 33, "`%`"),
        ("path: '/a?b=1'", 33, "`?`"),
        ("path: api", 33, "a path such as `/` or `/api`"),
    ]);
    let fine = "services: {web: {image: a, x-seaworthy: {route: {host: a-b.example, path: /.well-known/a..b/v1.2/}}}}";
    assert!(try_load(&[("compose.yaml", fine)]).problems.is_empty());
}

#[test]
fn passwords_other_sites_and_pages_are_refused_with_their_place() {
    refused(&[
        ("auth: {users: nobody}", 41, "nobody"),
        ("auth: {realm: a}", 33, "has no `users`"),
        ("auth: {users: admins, realm: 'a\"b'}", 56, "without quotes"),
        ("auth: {users: admins, ream: a}", 49, "did you mean `realm`?"),
        ("cors: {origins: ['https://app.example/']}", 44, "a site such as `https://app.example`"),
        ("cors: {origins: ['https://app.example:443']}", 44, "a site such as `https://app.example`"),
        ("cors: {origins: ['null']}", 44, "a site such as `https://app.example`"),
        ("cors: {origins: ['*'], credentials: true}", 63, "with the cookies of its users"),
        ("cors: {origins: ['*', 'https://a.example']}", 44, "every site and others"),
        ("cors: {credentials: true}", 33, "has no `origins`"),
        ("cors: {origins: ['*'], max_age: 48h}", 59, "a time from `0s` to `24h`"),
        ("cors: {origins: ['*'], headers: [a b]}", 60, "the name of a header"),
        ("compress: {min_size: small}", 48, "a size such as `2KB`"),
        ("compress: {types: ['a b']}", 46, "a content type such as"),
        ("compress: often", 37, "often"),
        ("files: {fallback: index.html}", 34, "has no `folder`"),
        ("files: {folder: ./dist, fallback: ../a}", 61, "a file in that folder"),
        ("files: {folder: ./dist, pass: [api]}", 58, "a path such as `/api`"),
        ("files: {folder: ./dist, cache: 400d}", 58, "a time from `0s` to `365d`"),
        ("max_per_client: 0", 43, "a number of requests from 1 to 100000"),
        ("canary: {service: next, percent: 10%}", 45, "no other service with a route"),
        ("canary: {service: web, percent: 10%}", 45, "no other service with a route"),
        ("mirror: {service: next, percent: 10%}", 45, "no other service with a route"),
        ("mirror: {percent: 10%}", 35, "has no `service`"),
        ("error_pages: ''", 40, "a folder with files such as `404.html`"),
    ]);
}

/// Each setting, the column of its problem, and a part of that.
fn refused(cases: &[(&str, u32, &str)]) {
    let mut wrong = Vec::new();
    for (setting, column, problem) in cases {
        let yaml = format!(
            "services: {{web: {{image: x, x-seaworthy: {{route: {{\n  port: 80,               {setting}}}}}}}}}\nsecrets: {{admins: {{file: a}}}}\n"
        );
        let loaded = try_load(&[("compose.yaml", &yaml)]);
        let line = |problem: &Problem| {
            let place = problem.span.map(|span| loaded.sources.place(&span)).unwrap_or_default();
            format!("{place} {} {}", problem.message, problem.hint.as_deref().unwrap_or_default())
        };
        let shown: Vec<String> = loaded.problems.iter().map(line).collect();
        let told = shown.len() == 1
            && shown[0].starts_with(&format!("compose.yaml:2:{column} "))
            && shown[0].contains(problem);
        if !told {
            wrong.push(format!("{setting} at {column}: {shown:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
