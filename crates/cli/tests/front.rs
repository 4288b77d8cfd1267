//! What the gateway answers by itself, from a project's files to its clients.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "code of tests"
)]

#[path = "support/site.rs"]
mod site;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use site::Site;

/// The password `sesame` of `ann`, at a low cost.
const USERS: &str = "ann:$2b$04$fWkAbyRt5GVQ4nUHdqtNGu6cmWpB4Nka/6urBb2bhlz0IFBe194kS\n";

/// A whole answer.
fn ask(site: &Site, path: &str, lines: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", site.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\n{lines}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn with_route(site: &Site, route: &str) -> String {
    site.compose(1).replace("route: { path: / }", &format!("route: {{ path: /, {route} }}"))
}

#[test]
fn redirects_passwords_pages_and_work_reach_the_clients() {
    let site = Site::new();
    std::fs::create_dir_all(site.project().join("pages")).unwrap();
    site.write("pages/maintenance.html", "<h1>{{message}}</h1>");
    site.write("pages/401.html", "<h1>who?</h1>");
    site.write("admins.htpasswd", USERS);
    let route = "auth: { users: admins, realm: Shop }, error_pages: ./pages, \
                 redirect: [{ from: /old/*, to: /new/* }, { from: www.shop.test, to: shop.test, status: 301 }]";
    let compose = with_route(&site, route) + "secrets: { admins: { file: ./admins.htpasswd } }\n";
    site.write("compose.yaml", &compose);
    let shown = site.done(&["config"]).stdout;
    assert!(shown.contains("www.shop.test") && shown.contains("admins.htpasswd"), "{shown}");
    site.done(&["deploy", "-y"]);
    let host = "host: localhost\r\n";
    let answer = ask(&site, "/old/a?b=c", host);
    assert!(answer.starts_with("HTTP/1.1 308 ") && answer.contains("location: /new/a?b=c\r\n"), "{answer}");
    let answer = ask(&site, "/a", &format!("host: www.shop.test:{}\r\n", site.port));
    let location = format!("location: http://shop.test:{}/a\r\n", site.port);
    assert!(answer.starts_with("HTTP/1.1 301 ") && answer.contains(&location), "{answer}");
    let answer = ask(&site, "/", host);
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.ends_with("<h1>who?</h1>"), "{answer}");
    // `ann:sesame`.
    let known = format!("{host}authorization: Basic YW5uOnNlc2FtZQ==\r\n");
    let answer = ask(&site, "/", &known);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for ran in [site.run(&["plan"]), site.run(&["status"]), site.run(&["verify"]), site.run(&["config"])] {
        assert!(!ran.all().contains("fWkAby"), "no hash is shown: {}", ran.all());
    }

    let told = site.done(&["maintenance", "on", "--message", "Back <soon>.", "--retry-after", "2m"]);
    assert!(told.stdout.contains("answers all clients with 503"), "{}", told.stdout);
    site.install(2);
    let told = site.done(&["deploy", "-y"]);
    assert!(told.stderr.contains("clients are answered with 503"), "{}", told.stderr);
    let told = site.done(&["status"]);
    assert!(told.stdout.contains("maintenance: clients are answered with 503 since "), "{}", told.stdout);
    let answer = ask(&site, "/", &known);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 120\r\n"), "{answer}");
    assert!(answer.ends_with("<h1>Back &lt;soon&gt;.</h1>"), "{answer}");
    assert!(site.done(&["maintenance"]).stdout.contains("has answered clients with 503 since "));
    let verified = site.run(&["verify"]).stdout;
    let told = site.done(&["gateway", "status"]).stdout;
    assert!(told.contains("answers its clients with 503 since "), "{told}");
    assert!(verified.contains("maintenance: clients are answered with 503 since "), "{verified}");
    site.done(&["maintenance", "on", "--allow", "127.0.0.0/8"]);
    assert!(ask(&site, "/", &known).starts_with("HTTP/1.1 200 "), "this client passes");
    assert!(site.done(&["maintenance", "off"]).stdout.contains("serves all clients again"));
    assert!(site.done(&["maintenance", "off"]).stdout.contains("already"));
    let wrong = site.run(&["maintenance", "on", "--allow", "10.0.0.0/33"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("no address and no network"), "{}", wrong.all());
}

#[test]
fn users_and_pages_that_cannot_be_read_stop_a_deploy_with_their_place() {
    let site = Site::new();
    site.write("admins.htpasswd", "ann:sesame\n");
    let compose = with_route(&site, "auth: { users: admins }, error_pages: ./nothing");
    site.write("compose.yaml", &(compose + "secrets: { admins: { file: ./admins.htpasswd } }\n"));
    let ran = site.run(&["deploy", "-y"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("line 1 has no bcrypt hash"), "{}", ran.stderr);
    assert!(ran.stderr.contains("the error pages of the route of `web` cannot be used"), "{}", ran.stderr);
    assert!(ran.stderr.contains("compose.yaml:12:") && ran.stderr.contains("hint: "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("sesame"), "{}", ran.stderr);
    let ran = site.run(&["maintenance", "on"]);
    assert!(ran.code == 2 && ran.stderr.contains("hint: "), "nothing is served yet: {}", ran.all());
}

#[test]
fn files_are_those_of_the_release_that_is_served() {
    let site = Site::new();
    std::fs::create_dir_all(site.project().join("dist/assets")).unwrap();
    site.write("dist/index.html", "<h1>one</h1>");
    site.write("dist/.env", "SECRET=1");
    site.write("dist/assets/app.js", &"let a = 1;\n".repeat(500));
    let route = "files: { folder: ./dist, fallback: index.html, immutable: [/assets/*] }, compress: true";
    site.write("compose.yaml", &with_route(&site, route));
    site.done(&["deploy", "-y"]);
    let page = |path: &str| ask(&site, path, "host: localhost\r\naccept: text/html\r\n");
    assert!(page("/").ends_with("<h1>one</h1>") && page("/orders/17").ends_with("<h1>one</h1>"));
    let script = ask(&site, "/assets/app.js", "host: localhost\r\naccept-encoding: gzip\r\n");
    assert!(script.contains("content-encoding: gzip\r\n") && script.contains("immutable\r\n"), "{script}");
    let other = ask(&site, "/.env", "host: localhost\r\n");
    assert!(!other.contains("SECRET"), "hidden files are not served: {other}");

    site.write("dist/index.html", "<h1>two</h1>");
    assert!(page("/").ends_with("<h1>one</h1>"), "nothing changes before a deploy");
    let plan = site.done(&["plan"]);
    assert!(plan.all().contains("route changed"), "{}", plan.all());
    site.done(&["deploy", "-y"]);
    assert!(page("/").ends_with("<h1>two</h1>"));
    site.done(&["rollback", "-y"]);
    assert!(page("/").ends_with("<h1>one</h1>"), "with the release, its files come back");

    let away = with_route(&site, "files: { folder: ./nothing }");
    site.write("compose.yaml", &away);
    let ran = site.run(&["deploy", "-y"]);
    assert!(ran.code == 2 && ran.stderr.contains("compose.yaml:12:"), "{}", ran.all());
    assert!(ran.stderr.contains("no folder that can be read") && page("/").ends_with("<h1>one</h1>"));
    std::os::unix::fs::symlink("/etc/passwd", site.project().join("dist/users")).unwrap();
    site.write("compose.yaml", &with_route(&site, route));
    let ran = site.run(&["deploy", "-y"]);
    assert!(ran.code == 2 && ran.stderr.contains("leads out of the folder"), "{}", ran.all());
}

#[test]
fn a_line_of_a_user_is_made_of_a_password_that_nobody_sees() {
    let site = Site::new();
    let made = |user: &str, password: &str| {
        let mut command = site.command(&["gateway", "hash-password", "--cost", "4", user]);
        let piped = || std::process::Stdio::piped();
        let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        site::Ran::of(child.wait_with_output().unwrap())
    };
    let ran = made("ann", "sesame\nnot this\n");
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(ran.stdout.starts_with("ann:$2y$04$") && !ran.all().contains("sesame"), "{}", ran.all());
    // What is made is let in.
    site.write("admins.htpasswd", &ran.stdout);
    let compose =
        with_route(&site, "auth: { users: admins }") + "secrets: { admins: { file: ./admins.htpasswd } }\n";
    site.write("compose.yaml", &compose);
    site.done(&["deploy", "-y"]);
    let answer = ask(&site, "/", "host: a\r\nauthorization: Basic YW5uOnNlc2FtZQ==\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(ask(&site, "/", "host: a\r\n").starts_with("HTTP/1.1 401 "));
    for (user, password, error) in
        [("ann", "", "the password is empty."), ("a:b", "x", "the user has no name that can be sent.")]
    {
        let ran = made(user, password);
        assert!(
            ran.code == 2 && ran.stderr.contains(error) && ran.stderr.contains("hint: "),
            "{}",
            ran.all()
        );
    }
}
