//! Files that the gateway answers with by itself, over the wire.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use hyper::Method;
use rustix::process::Signal;
use seaworthy_gateway::files;
use seaworthy_gateway::route::{Compression, Files, Route, RouteSet, Site};

use crate::rig::{Rig, Server, free_address, raw, route, until};
use crate::site::over_http2;

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A route whose files are those of a folder.
fn with(rig: &Rig, listen: SocketAddr, folder: &Path, server: &Server) -> RouteSet {
    let list = files::scan(folder).unwrap();
    files::keep(rig.folder(), "shop", folder, &list).unwrap();
    let own = Files {
        list: list.hash(),
        fallback: Some("index.html".into()),
        pass: vec!["/api".into()],
        max_age_seconds: 60,
        immutable: vec!["/assets/*".into()],
    };
    let site = Site { files: Some(own), compression: Some(Compression::default()), ..Site::default() };
    RouteSet { routes: vec![Route { site, ..route("web", listen, &[server]) }] }
}

async fn served() -> (Rig, SocketAddr, Server, tempfile::TempDir) {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "index.html", b"<h1>one</h1>");
    write(folder.path(), "docs/index.html", b"<h1>docs</h1>");
    write(folder.path(), "assets/app.js", "let a = 1;\n".repeat(1_000).as_bytes());
    write(folder.path(), "assets/app.js.br", b"not really brotli");
    write(folder.path(), "assets/app.css", "a { b: c }\n".repeat(1_000).as_bytes());
    write(folder.path(), "large.bin", &(0..3_000_000_u32).map(|byte| byte as u8).collect::<Vec<_>>());
    write(folder.path(), "empty.txt", b"");
    write(folder.path(), ".env", b"SECRET=1");
    let set = with(&rig, listen, folder.path(), &server);
    rig.client.put("shop", &set).await.unwrap();
    (rig, listen, server, folder)
}

async fn get(listen: SocketAddr, target: &str, lines: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nhost: a\r\n{lines}connection: close\r\n\r\n");
    raw(listen, &request, "no such text").await
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
}

#[tokio::test(flavor = "multi_thread")]
async fn files_pages_and_what_is_none() {
    let (_rig, listen, server, _folder) = served().await;
    let answer = get(listen, "/", "").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n<h1>one</h1>"), "{answer}");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("content-length", "12"),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(header(&answer, name), value);
    }
    let script = get(listen, "/assets/app.js?v=1", "").await;
    assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&get(listen, "/empty.txt", "").await, "cache-control"), "public, max-age=60");
    let answer = get(listen, "/docs?a=b", "").await;
    assert!(answer.starts_with("HTTP/1.1 308 ") && header(&answer, "location") == "./docs/?a=b", "{answer}");
    assert!(get(listen, "/docs/", "").await.ends_with("<h1>docs</h1>"));
    let answer = get(listen, "/some/page", "accept: text/html,*/*;q=0.8\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("<h1>one</h1>"), "{answer}");
    assert_eq!(server.arrived(), 0);
    // All else is for the backend.
    for (target, lines) in [
        ("/some/data", "accept: application/json\r\n"),
        ("/api/page", "accept: text/html\r\n"),
        ("/.env", ""),
    ] {
        assert!(get(listen, target, lines).await.contains("web-1"), "{target}");
        assert_eq!(server.last().target, target);
    }
    let posted = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    assert!(raw(listen, posted, "no such text").await.ends_with("web-1"));
    for out in
        ["/../snapshot.json", "/assets/..%2f..%2fsnapshot.json", "/%2e%2e/snapshot.json", "/assets/%00"]
    {
        assert!(get(listen, out, "").await.starts_with("HTTP/1.1 400 "), "{out}");
    }
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    let request = format!("GET / HTTP/1.1\r\nhost: a\r\n{upgrade}\r\n");
    assert!(raw(listen, &request, "web-1").await.ends_with("web-1"), "an offer to switch is for the backend");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_has_and_parts() {
    let (_rig, listen, _server, _folder) = served().await;
    let tag = header(&get(listen, "/large.bin", "range: bytes=0-0\r\n").await, "etag").to_owned();
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let answer = get(listen, "/large.bin", &format!("if-none-match: {known}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 304 ") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert_eq!(header(&answer, "etag"), tag);
    }
    let head =
        raw(listen, "HEAD /large.bin HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "no such text").await;
    assert!(header(&head, "content-length") == "3000000" && head.ends_with("\r\n\r\n"), "{head}");
    for (said, status, range, length) in [
        ("bytes=10-19", 206, "bytes 10-19/3000000", 10),
        ("bytes=-500000", 206, "bytes 2500000-2999999/3000000", 500_000),
        ("bytes=2999999-", 206, "bytes 2999999-2999999/3000000", 1),
        ("bytes=3000000-", 416, "bytes */3000000", 0),
        ("bytes=0-1,5-6", 200, "", 3_000_000),
    ] {
        let answer = over_http2(listen, Method::GET, "/large.bin", &[("range", said)]).await;
        assert_eq!((answer.status().as_u16(), answer.body().len()), (status, length), "{said}");
        let told = answer.headers().get("content-range").map_or("", |range| range.to_str().unwrap());
        assert_eq!(told, range, "{said}");
        if status == 206 {
            let first: usize = range[6..].split('-').next().unwrap().parse().unwrap();
            assert!(answer.body().iter().enumerate().all(|(at, byte)| *byte == (first + at) as u8), "{said}");
        }
    }
    let other = [("range", "bytes=0-1"), ("if-range", "\"other\"")];
    let answer = over_http2(listen, Method::GET, "/large.bin", &other).await;
    assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 3_000_000), "it is another one by now");
}

#[tokio::test(flavor = "multi_thread")]
async fn shorter_ones_that_are_there_are_taken_and_others_made() {
    let (_rig, listen, _server, _folder) = served().await;
    let packed = get(listen, "/assets/app.js", "accept-encoding: gzip, br\r\n").await;
    assert_eq!((header(&packed, "content-encoding"), header(&packed, "vary")), ("br", "accept-encoding"));
    assert!(packed.ends_with("not really brotli"), "the file beside it");
    assert_eq!(header(&packed, "content-type"), "text/javascript; charset=utf-8");
    let plain = get(listen, "/assets/app.js", "").await;
    assert_eq!((header(&plain, "content-encoding"), header(&plain, "vary")), ("", "accept-encoding"));
    assert_ne!(header(&plain, "etag"), header(&packed, "etag"));
    let made = over_http2(listen, Method::GET, "/assets/app.css", &[("accept-encoding", "gzip")]).await;
    assert_eq!(made.headers()["content-encoding"], "gzip");
    assert!(made.body().len() < 1_000 && made.headers()["etag"].to_str().unwrap().starts_with("W/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_set_brings_its_own_files_and_a_restart_keeps_them() {
    let (rig, listen, server, folder) = served().await;
    let before = rig.client.get("shop").await.unwrap().unwrap().0;
    write(folder.path(), "index.html", b"<h1>two</h1>");
    let after = with(&rig, listen, folder.path(), &server);
    assert!(get(listen, "/", "").await.ends_with("<h1>one</h1>"), "what is served does not change under it");
    rig.client.put("shop", &after).await.unwrap();
    assert!(get(listen, "/", "").await.ends_with("<h1>two</h1>"));
    rig.client.put("shop", &before).await.unwrap();
    assert!(get(listen, "/", "").await.ends_with("<h1>one</h1>"), "as after a rollback");
    let worker = rig.client.status().await.unwrap().process;
    rig.signal("work", Signal::KILL).await;
    until(|| async { rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
    assert!(get(listen, "/", "").await.ends_with("<h1>one</h1>"));
    let mut nowhere = before;
    nowhere.routes[0].site.files.as_mut().unwrap().list = "0".repeat(64);
    let refused = rig.client.put("shop", &nowhere).await.unwrap_err();
    assert!(refused.to_string().contains("not kept here"), "{refused}");
    assert!(get(listen, "/", "").await.ends_with("<h1>one</h1>"));
}
