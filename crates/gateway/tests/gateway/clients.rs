//! Clients that have certificates of their own.

use std::net::SocketAddr;
use std::path::PathBuf;

use hyper::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use rustls::SupportedProtocolVersion;
use seaworthy_gateway::route::tls::{CertificateSource, Clients};
use seaworthy_gateway::route::{Route, RouteSet};

use crate::rig::{Rig, Server, Visitor, free_address, raw, secure, until};

const SHOP: &str = "shop.example";
const ADMIN: &str = "admin.example";
const PROTOCOLS: [&[&[u8]]; 2] = [&[b"http/1.1"], &[b"h2"]];
static OLD: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS12];
static NEW: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];

/// Somebody who issues certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        wanted.distinguished_name = named(name);
        let pem = wanted.self_signed(&key).unwrap().der().to_vec();
        Self { issuer: Issuer::new(wanted, key), pem: crate::rig::pem("CERTIFICATE", &pem) }
    }

    /// A certificate and its key.
    fn issue(&self, name: &str) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.distinguished_name = named(name);
        let made = wanted.signed_by(&key, &self.issuer).unwrap();
        (made.der().to_vec(), key.serialize_der())
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut all = DistinguishedName::new();
    all.push(DnType::OrganizationName, "Shop");
    all.push(DnType::CommonName, name);
    all
}

/// A gateway whose clients are known by an authority.
struct Stage {
    rig: Rig,
    server: Server,
    listen: SocketAddr,
    ca: PathBuf,
    ours: Authority,
}

impl Stage {
    async fn new() -> Self {
        let (rig, server) = (Rig::start().await, Server::start("web-1").await);
        let (ca, ours) = (rig.folder().join("ca.pem"), Authority::new("ours"));
        std::fs::write(&ca, &ours.pem).unwrap();
        Self { rig, server, listen: free_address(), ca, ours }
    }

    fn route(&self, host: &str, required: Option<bool>) -> Route {
        let mut route = secure(host, self.listen, host, CertificateSource::SelfSigned, &[&self.server]);
        let clients = required.map(|required| Clients { ca: self.ca.clone(), required });
        route.tls.as_mut().unwrap().clients = clients;
        route
    }

    async fn put(&self, routes: Vec<Route>) {
        self.rig.client.put("shop", &RouteSet { routes }).await.unwrap();
    }

    /// A client that trusts a host, and shows a certificate.
    fn visitor(&self, host: &str, shows: Option<(Vec<u8>, Vec<u8>)>) -> Visitor {
        let file = self.rig.file(&format!("certificates/self-signed/{host}.pem"));
        Visitor { shows, ..Visitor::trusting(&file) }
    }

    async fn get(&self, visitor: &Visitor, host: &str) -> std::io::Result<StatusCode> {
        visitor.get(self.listen, host, "/").await.map(|answer| answer.status())
    }

    fn told(&self) -> String {
        self.server.last().header("x-forwarded-client-cert").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_show_a_certificate_is_let_in_with_one_alone() {
    let stage = Stage::new().await;
    stage.put(vec![stage.route(ADMIN, Some(true))]).await;
    let ann = stage.visitor(ADMIN, Some(stage.ours.issue("ann")));
    for visitor in [ann.clone(), Visitor { protocols: &[b"h2"], ..ann.clone() }] {
        assert_eq!(stage.get(&visitor, ADMIN).await.unwrap(), StatusCode::OK);
        let told = stage.told();
        assert!(told.starts_with("Hash=") && told.ends_with(";Subject=\"CN=ann,O=Shop\""), "{told}");
    }
    for versions in [&OLD, &NEW] {
        // No session is resumed without a look.
        let visitor = Visitor { versions, ..ann.clone() };
        assert_eq!(stage.get(&visitor, ADMIN).await.unwrap(), StatusCode::OK);
    }
    let reached = stage.server.arrived();
    for protocols in PROTOCOLS {
        let nobody = Visitor { protocols, ..stage.visitor(ADMIN, None) };
        assert_eq!(stage.get(&nobody, ADMIN).await.unwrap(), StatusCode::FORBIDDEN);
    }
    // Of somebody else, though under the same name.
    let stranger = stage.visitor(ADMIN, Some(Authority::new("ours").issue("ann")));
    assert!(stage.get(&stranger, ADMIN).await.is_err());
    assert_eq!(stage.server.arrived(), reached);
    let plain = format!("GET /a HTTP/1.1\r\nhost: {ADMIN}\r\nconnection: close\r\n\r\n");
    let answer = raw(stage.listen, &plain, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    let log = || std::fs::read_to_string(stage.rig.file("access.log")).unwrap_or_default();
    until(|| async { log().matches("\"refused\":\"client-certificate\"").count() == 2 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_nobody_is_let_in_who_has_to_show_a_certificate() {
    let stage = Stage::new().await;
    let mut admin = stage.route(ADMIN, Some(true));
    admin.tls.as_mut().unwrap().redirect = false;
    stage.put(vec![admin]).await;
    let asked = format!("GET / HTTP/1.1\r\nhost: {ADMIN}\r\nx-forwarded-client-cert: Hash=1\r\n\r\n");
    let answer = raw(stage.listen, &asked, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(stage.server.arrived(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_show_one_is_let_in_without_and_cannot_make_one_up() {
    let stage = Stage::new().await;
    stage.put(vec![stage.route(SHOP, Some(false)), stage.route("open.example", None)]).await;
    for host in [SHOP, "open.example"] {
        let nobody = stage.visitor(host, None);
        let stream = nobody.knock(stage.listen, host).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let asked = hyper::Request::get("/").header("host", host);
        let asked = asked.header("x-forwarded-client-cert", "Hash=1;Subject=\"CN=ann\"");
        let asked = asked.header("x_forwarded_client_cert", "Hash=1;Subject=\"CN=ann\"");
        let answer = sender.send_request(asked.body(String::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(stage.told(), "");
        assert!(!stage.server.last().headers.contains_key("x_forwarded_client_cert"));
    }
    let ann = stage.visitor(SHOP, Some(stage.ours.issue("ann")));
    assert_eq!(stage.get(&ann, SHOP).await.unwrap(), StatusCode::OK);
    assert!(stage.told().contains("CN=ann"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_shaken_for_one_host_leads_to_no_stricter_one() {
    let stage = Stage::new().await;
    stage.put(vec![stage.route(SHOP, None), stage.route(ADMIN, Some(true))]).await;
    for protocols in PROTOCOLS {
        let shop = Visitor { protocols, ..stage.visitor(SHOP, Some(stage.ours.issue("ann"))) };
        let stream = shop.knock(stage.listen, SHOP).await.unwrap();
        let answer = shop.ask(stream, ADMIN, "/").await.unwrap();
        assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
        assert_eq!(stage.server.arrived(), 0);
    }
    // The other way round nothing is asked for that was not shown.
    let admin = stage.visitor(ADMIN, Some(stage.ours.issue("ann")));
    let stream = admin.knock(stage.listen, ADMIN).await.unwrap();
    assert_eq!(admin.ask(stream, SHOP, "/").await.unwrap().status(), StatusCode::OK);
    assert_eq!(stage.told(), "", "no route of that host asks for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_issue_them_can_change_while_requests_are_served() {
    let stage = Stage::new().await;
    stage.put(vec![stage.route(ADMIN, Some(true))]).await;
    let (ann, theirs) = (stage.visitor(ADMIN, Some(stage.ours.issue("ann"))), Authority::new("theirs"));
    let bob = stage.visitor(ADMIN, Some(theirs.issue("bob")));
    assert_eq!(stage.get(&ann, ADMIN).await.unwrap(), StatusCode::OK);
    assert!(stage.get(&bob, ADMIN).await.is_err());
    std::fs::write(&stage.ca, &theirs.pem).unwrap();
    until(|| async { stage.get(&bob, ADMIN).await.is_ok_and(|status| status == StatusCode::OK) }).await;
    assert!(stage.get(&ann, ADMIN).await.is_err());
    // What cannot be read changes nothing, and is told.
    std::fs::write(&stage.ca, "nothing").unwrap();
    let problem = format!("certificate_problem{{host=\"{ADMIN}\",source=\"self-signed\"}} 1\n");
    until(|| async { stage.rig.client.metrics().await.unwrap().contains(&problem) }).await;
    assert_eq!(stage.get(&bob, ADMIN).await.unwrap(), StatusCode::OK);
    std::fs::write(&stage.ca, &stage.ours.pem).unwrap();
    until(|| async { stage.get(&ann, ADMIN).await.is_ok_and(|status| status == StatusCode::OK) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_be_held_against_is_refused_before_it_is_served() {
    let stage = Stage::new().await;
    std::fs::write(&stage.ca, "nothing").unwrap();
    let routes = vec![stage.route(ADMIN, Some(true))];
    let error = stage.rig.client.check("shop", &RouteSet { routes }).await.unwrap_err().to_string();
    assert!(error.contains("there is no certificate in PEM form in it"), "{error}");
    std::fs::write(&stage.ca, &stage.ours.pem).unwrap();
    let mut two = vec![stage.route(ADMIN, Some(true)), stage.route(ADMIN, Some(true))];
    (two[1].name, two[1].path) = ("other".to_owned(), "/other".to_owned());
    two[1].tls.as_mut().unwrap().clients.as_mut().unwrap().ca = stage.rig.folder().join("other.pem");
    let error = stage.rig.client.check("shop", &RouteSet { routes: two }).await.unwrap_err().to_string();
    assert!(error.contains("hold its clients' certificates against two files"), "{error}");
}
