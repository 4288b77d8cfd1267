//! `tls` of routes: what is wrong with it, and where.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::fixture::try_load;
use seaworthy_project::{Loaded, Problem};

/// `file:line:column Kind message hint: …`, then the related places, one problem a line.
fn shown(loaded: &Loaded) -> Vec<String> {
    let line = |problem: &Problem| {
        let place = problem.span.map(|span| loaded.sources.place(&span)).unwrap_or_default();
        let hint = problem.hint.as_deref().unwrap_or_default();
        let related = problem.related.iter();
        let related: String =
            related.map(|(span, label)| format!(" [{} {label}]", loaded.sources.place(span))).collect();
        format!("{place} {:?} {} hint: {hint}{related}", problem.kind, problem.message)
    };
    loaded.problems.iter().map(line).collect()
}

#[track_caller]
fn check(yaml: &str, wanted: &[&str]) {
    assert_eq!(shown(&try_load(&[("compose.yaml", yaml)])), wanted, "{yaml}");
}

#[test]
fn tls_says_where_certificates_come_from() {
    let service =
        |route: &str| format!("services:\n  web:\n    image: a\n    x-seaworthy: {{route: {route}}}\n");
    for (route, wanted) in [
        (
            "{tls: self-signd}",
            "needs `self-signed`, `acme`, `off`, or a map with `files: {certificate, key}`",
        ),
        (
            "{tls: {hsts: 1d}}",
            "compose.yaml:4:32 Required `tls` of `web` does not say where its certificate comes from. hint: add `mode: self-signed`, `mode: acme` or `files: {certificate, key}`",
        ),
        (
            "{tls: acme}",
            "compose.yaml:4:32 Required `tls` of `web` asks for a certificate, but its route names no host to ask for. hint: add `host:` to the route, or use `tls: self-signed`",
        ),
        (
            "{tls: {files: {certificate: a}}}",
            "compose.yaml:4:40 Required `files` has no `key`. hint: add `key:` with the path of a file in PEM form",
        ),
        (
            "{tls: {mode: acme, files: {certificate: a, key: b}}}",
            "compose.yaml:4:39 Conflict `tls` has `mode` and `files`, and a certificate comes from one place. hint: keep one of the two [compose.yaml:4:52 `files` is here]",
        ),
        (
            "{tls: {acme: {directory: 'http://ca.example'}}}",
            "`letsencrypt`, `letsencrypt-staging`, or the address",
        ),
        (
            "{tls: {mode: self-signed, clients: {certificate: optional}}}",
            "compose.yaml:4:61 Required `clients` has no `ca`. hint: add `ca:`",
        ),
        ("{tls: {mode: self-signed, clients: {ca: a, certificate: maybe}}}", "`maybe`"),
        ("{tls: {cert: a}}", "`cert` is not a key of `tls`"),
    ] {
        let problems = shown(&try_load(&[("compose.yaml", &service(route))]));
        assert!(problems.iter().any(|problem| problem.contains(wanted)), "{route}: {problems:#?}");
    }
    for route in [
        "{tls: off}",
        "{tls: self-signed}",
        "{host: a.example, tls: acme}",
        "{tls: {mode: self-signed, hsts: off}}",
        "{tls: {mode: self-signed, clients: {ca: a}}}",
        "{}",
    ] {
        check(&service(route), &[]);
    }
    // What is said for all routes counts where a route says nothing else.
    let all = |route: &str| format!("{}x-seaworthy: {{tls: {{mode: acme, hsts: 1d}}}}\n", service(route));
    check(&all("{tls: off}"), &[]);
    check(&all("{host: a.example, tls: {hsts: off}}"), &[]);
    assert!(shown(&try_load(&[("compose.yaml", &all("{}"))]))[0].contains("names no host to ask for"));
}
