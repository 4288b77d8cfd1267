//! What a service says of redirects and paths reaches the gateway's routes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "code of tests")]

use seaworthy_gateway::route::{Compression, Redirect, Route, Site};
use seaworthy_project::fixture::load_yaml;
use seaworthy_release::route_wishes;

fn routes(settings: &str) -> Vec<Route> {
    let yaml = format!(
        "services:\n  web:\n    image: web:1\n    ports: ['80:80', '81:80', '5432:5432']\n    x-seaworthy: {{route: {{port: 80{settings}}}}}\n"
    );
    let project = load_yaml(&yaml);
    project.services().flat_map(route_wishes).map(|wish| wish.route).collect()
}

fn to(from: &str, to: &str, status: u16) -> Redirect {
    Redirect { from: from.into(), to: to.into(), status }
}

#[test]
fn paths_stay_with_the_route_and_other_hosts_get_one_of_their_own() {
    let found = routes(
        ", host: shop.example, path: /api, strip_path: true, add_path: /v1, sticky: true, redirect: [\
         {from: /old, to: /new, status: 302}, {from: /a/*, to: 'https://b.example'}, \
         {from: www.shop.example, to: shop.example, status: 301}, {from: shop.test, to: 'https://shop.example/hello'}]",
    );
    let names: Vec<&str> = found.iter().map(|route| route.name.as_str()).collect();
    let beside =
        ["web@www.shop.example:80", "web@www.shop.example:81", "web@shop.test:80", "web@shop.test:81"];
    assert_eq!(names[..3], ["web", "web@81", "web@5432"]);
    assert_eq!(names[3..], beside);
    let own = Site {
        redirects: vec![to("/old", "/new", 302), to("/a/*", "https://b.example/*", 308)],
        strip_path: true,
        add_path: "/v1".into(),
        ..Site::default()
    };
    assert_eq!((&found[0].site, &found[1].site, &found[2].site), (&own, &own, &Site::default()));
    let www = &found[4];
    assert_eq!(
        (www.host.as_deref(), www.path.as_str(), www.listen.port()),
        (Some("www.shop.example"), "/", 81)
    );
    assert_eq!(www.site.redirects, [to("/*", "//shop.example/*", 301)]);
    assert_eq!(found[5].site.redirects, [to("/*", "https://shop.example/hello", 308)]);
    assert!(www.probe.is_none() && !www.sticky);
}

#[test]
fn answers_that_are_made_shorter_and_other_sites() {
    let found = routes(
        ", compress: {min_size: 2KB, types: [Text/HTML]}, cors: {origins: ['https://a.example'], max_age: 1h, methods: [put]}",
    );
    let site = &found[0].site;
    let compression = site.compression.as_ref().unwrap();
    assert_eq!((compression.min_bytes, compression.types.as_slice()), (2048, &["text/html".to_owned()][..]));
    let cors = site.cors.as_ref().unwrap();
    assert_eq!((cors.methods.as_slice(), cors.max_age_seconds), (&["PUT".to_owned()][..], 3600));
    assert_eq!(routes(", compress: true")[0].site.compression, Some(Compression::default()));
    assert_eq!(routes(", compress: false, cors: {origins: ['*']}")[0].site.compression, None);
    assert_eq!(found[2].site, Site::default(), "nothing of it is about connections that are passed through");
}
