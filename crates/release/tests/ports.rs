//! What becomes of published ports: requests, connections, or none of the gateway's; and what a plan says of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "code of tests")]

use std::sync::Arc;

use seaworthy_engine::Artifact;
use seaworthy_engine::fake::Fake;
use seaworthy_engine::seal::SealKey;
use seaworthy_gateway::route::{
    Balance, Balancing, Ejection, HashBy, Probe, Protocol, ProxyProtocol, ProxyVersion,
};
use seaworthy_project::fixture::{MemoryFiles, load_yaml};
use seaworthy_project::{Project, Service, ServiceName};
use seaworthy_release::{
    Clock, Event, FakeTraffic, FaultPoint, Gap, Interrupt, Operator, Origin, Owner, Plan, ReleaseError,
    StopFirst, Store, Way, draft, route_wishes,
};

fn service(lines: &str) -> Project {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    load_yaml(&format!("services:\n  web:\n    image: web:1\n{lines}"))
}

/// `NAME PROTOCOL LISTEN→PORT`, with host and path where they are not any.
fn routes(lines: &str) -> Vec<String> {
    let project = service(lines);
    let of = |service: &Service| route_wishes(service);
    let told = project.services().flat_map(of).map(|wish| {
        let route = wish.route;
        let protocol = if route.protocol == Protocol::Tcp { "tcp" } else { "http" };
        let asked = |probe: Probe| probe.grpc.map_or(probe.path, |service| format!("grpc {service}"));
        let probe = route.probe.map(|probe| format!(" asks {}", asked(probe))).unwrap_or_default();
        let version = if route.http2 && !probe.is_empty() { " over HTTP/2" } else { "" };
        let whose = format!("{}{}", route.host.unwrap_or_default(), route.path.trim_end_matches('/'));
        format!("{} {protocol} {}{whose}→{}{probe}{version}", route.name, route.listen, wish.port)
    });
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn requests_wait_longer_for_what_is_replaced_stop_first_and_the_plan_says_so() {
    let gap = async |settings: &str, order: &str| {
        let stage = Stage::new();
        let lines = format!(
            "ports: ['80:80']\ndeploy: {{ update_config: {{ order: {order}, monitor: 4s }} }}\nx-seaworthy: {{ route: {{ {settings} }} }}"
        );
        stage.plan(&service(&lines), "one", true).await.unwrap();
        let plan = stage.plan(&service(&lines), "two", true).await.unwrap();
        let routes = stage.traffic.puts().pop().unwrap().routes;
        (plan.changes[0].gap.clone(), routes[0].balancing.wait_ms)
    };
    let asked = "stop-first: `order` says `stop-first`";
    let waits = |seconds| {
        Gap::Expected(format!("{asked}; what comes through the gateway waits up to {seconds} s for it"))
    };
    assert_eq!(gap("", "stop-first").await, (waits(14), 14_000));
    assert_eq!(gap("wait: 1m", "stop-first").await, (waits(60), 60_000));
    assert_eq!(gap("wait: 0s", "stop-first").await, (Gap::Expected(asked.to_owned()), 0));
    assert_eq!(gap("", "start-first").await, (Gap::None, 10_000));

    let stopped = service("ports: ['80:80']\ndeploy: { replicas: 0 }\nx-seaworthy: { route: { } }");
    let stage = Stage::new();
    stage.plan(&stopped, "one", true).await.unwrap();
    let routes = stage.traffic.puts().pop().map(|set| set.routes).unwrap_or_default();
    assert!(routes.iter().all(|route| route.balancing.wait_ms == 0), "{routes:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_route_says_of_balancing_reaches_the_gateway() {
    let said = "balance: hash, hash_by: cookie id, weights: [3], slow_start: 30s, max_in_flight: 9, eject: { after: 2, for: 1m }, retries: 5%, queue: 7, proxy_protocol: { trust: [10.0.0.0/8], send: v2 }";
    let lines =
        format!("ports: ['80:80']\ndeploy: {{ replicas: 2 }}\nx-seaworthy: {{ route: {{ {said} }} }}");
    let stage = Stage::new();
    stage.plan(&service(&lines), "one", true).await.unwrap();
    let route = stage.traffic.puts().pop().unwrap().routes.remove(0);
    let first =
        route.backends.iter().map(|backend| backend.id.clone()).find(|id| id.ends_with(".1")).unwrap();
    let wished = Balancing {
        queue: 7,
        hash_by: HashBy::Cookie("id".into()),
        weights: [(first, 3)].into(),
        slow_start_ms: 30_000,
        max_in_flight: 9,
        ejection: Ejection { after: 2, for_ms: 60_000 },
        retry_percent: 5,
        proxy_protocol: ProxyProtocol {
            trust: vec!["10.0.0.0/8".parse().unwrap()],
            send: Some(ProxyVersion::V2),
        },
        ..Balancing::default()
    };
    assert_eq!((route.balance, route.balancing), (Balance::Hash, wished));
    let again = stage.plan(&service(&lines), "one", false).await.unwrap();
    assert!(again.is_empty(), "the same is nothing to do: {again:?}");
}

#[test]
fn a_route_that_says_nothing_of_requests_is_about_the_connections_that_are_published() {
    let database = |port: &str, said: &str| {
        routes(&format!(
            "ports: [{{ target: 5432, {port}app_protocol: postgres }}]\nx-seaworthy: {{ route: {{ {said} }} }}"
        ))
    };
    let (published, said) = ("published: 5432, ", "proxy_protocol: { send: v1 }, balance: least-connections");
    assert_eq!(database(published, said), ["web tcp 0.0.0.0:5432→5432"]);
    let both = ["web http 0.0.0.0:80shop.example→5432", "web@5432 tcp 0.0.0.0:5432→5432"];
    assert_eq!(database(published, "host: shop.example"), both);
    assert_eq!(database("", said), ["web http 0.0.0.0:80→5432"], "nothing else would be served");
}

#[test]
fn sessions_are_sticky_where_requests_are_balanced_and_it_is_wished_for() {
    let sticky = |lines: &str| -> Vec<(Protocol, bool)> {
        let project = service(lines);
        let wishes = project.services().flat_map(route_wishes);
        wishes.map(|wish| (wish.route.protocol, wish.route.sticky)).collect()
    };
    let ports = "ports: ['80:3000', '443:8443']\nx-seaworthy: { route: { port: 3000";
    let (http, tcp) = (Protocol::Http, Protocol::Tcp);
    assert_eq!(sticky(&format!("{ports}, sticky: true }} }}")), [(http, true), (tcp, false)]);
    assert_eq!(sticky(&format!("{ports}, sticky: false }} }}")), [(http, false), (tcp, false)]);
    assert_eq!(sticky(&format!("{ports} }} }}")), [(http, false), (tcp, false)]);
}

#[test]
fn backends_speak_http2_where_their_port_says_so() {
    for (said, http2) in [("http", false), ("http2", true), ("h2c", true), ("grpc", true)] {
        let project = service(&format!("ports: [{{ target: 3000, published: 80, app_protocol: {said} }}]"));
        let found: Vec<bool> =
            project.services().flat_map(route_wishes).map(|wish| wish.route.http2).collect();
        assert_eq!(found, [http2], "{said}");
    }
}

#[test]
fn whose_certificates_clients_show_reaches_the_gateway() {
    let required = |said: &str| {
        let lines = format!(
            "ports: ['443:3000']\nx-seaworthy: {{ route: {{ port: 3000, tls: {{ mode: self-signed, clients: {said} }} }} }}"
        );
        let project = service(&lines);
        let mut routes = project.services().flat_map(route_wishes).map(|wish| wish.route.tls.unwrap());
        let clients = routes.next().unwrap().clients.unwrap();
        (clients.ca.file_name().unwrap().to_string_lossy().into_owned(), clients.required)
    };
    assert_eq!(required("{ ca: ours.pem }"), ("ours.pem".to_owned(), true));
    assert_eq!(required("{ ca: ours.pem, certificate: required }"), ("ours.pem".to_owned(), true));
    assert_eq!(required("{ ca: ours.pem, certificate: optional }"), ("ours.pem".to_owned(), false));
}

#[test]
fn what_clients_cannot_be_held_against_is_said_where_it_is_named() {
    let project = service(
        "x-seaworthy: { route: { port: 3000, tls: { mode: self-signed, clients: { ca: ours.pem } } } }",
    );
    let now = jiff::Timestamp::UNIX_EPOCH;
    let missing = seaworthy_release::wrong_certificates(&project, &MemoryFiles::default(), now);
    let [error] = &missing[..] else { panic!("{missing:?}") };
    assert!(error.to_string().contains("clients of `web` cannot be held against"), "{error}");
    assert!(error.span().is_some() && error.hint().is_some());
}

/// `LISTEN→PORT`, and where it is served over TLS what that is, the port others are sent to, and for how long.
fn secured(lines: &str) -> Vec<String> {
    let project = service(lines);
    let told = project.services().flat_map(route_wishes).map(|wish| {
        let tls = wish.route.tls.map(|tls| {
            let to = if tls.redirect { tls.port.to_string() } else { "-".to_owned() };
            format!(" {} {to} {}", tls.certificate.word(), tls.hsts_seconds.unwrap_or_default())
        });
        let protocol = if wish.route.protocol == Protocol::Tcp { " tcp" } else { "" };
        format!("{}→{}{protocol}{}", wish.route.listen.port(), wish.port, tls.unwrap_or_default())
    });
    told.collect()
}

#[test]
fn the_port_of_https_speaks_tls_and_the_one_of_http_leads_there() {
    let own = "x-seaworthy: { route: { port: 3000, host: a.example, tls: self-signed } }";
    for (ports, expected) in [
        // Nothing published: what browsers look for.
        ("[]", &["80→3000 self-signed 443 0", "443→3000 self-signed 443 0"][..]),
        ("['80:3000']", &["80→3000 self-signed 443 0", "443→3000 self-signed 443 0"]),
        ("['80:3000', '443:3000']", &["80→3000 self-signed 443 0", "443→3000 self-signed 443 0"]),
        // What spoke TLS in the container is left aside: the gateway does.
        ("['80:3000', '443:8443']", &["80→3000 self-signed 443 0", "443→3000 self-signed 443 0"]),
        ("['443:3000']", &["443→3000 self-signed 443 0"]),
        ("['8443:3000']", &["8443→3000 self-signed 8443 0"]),
        ("['80:3000', '8443:3000']", &["80→3000 self-signed 8443 0", "8443→3000 self-signed 8443 0"]),
        (
            "['80:3000', '5432:5432']",
            &["80→3000 self-signed 443 0", "443→3000 self-signed 443 0", "5432→5432 tcp"],
        ),
    ] {
        let mut found = secured(&format!("ports: {ports}\n{own}"));
        found.sort_by_key(|route| route.split('→').next().unwrap().parse::<u16>().unwrap());
        assert_eq!(found, expected, "{ports}");
    }
    let plain = "ports: ['443:3000']\nx-seaworthy: { route: { host: a.example, tls: off } }";
    assert_eq!(secured(plain), ["443→3000"]);
    let staging = "{ mode: acme, acme: { directory: letsencrypt-staging } }";
    for (tls, expected) in [
        ("acme", "443→3000 acme 443 2592000"),
        (staging, "443→3000 acme 443 0"),
        ("{ files: { certificate: a, key: b }, hsts: off, redirect: false }", "443→3000 files - 0"),
    ] {
        let lines =
            format!("ports: ['443:3000']\nx-seaworthy: {{ route: {{ host: a.example, tls: {tls} }} }}");
        assert_eq!(secured(&lines), [expected]);
    }
}

#[test]
fn a_published_tcp_port_is_passed_through_unless_something_says_http() {
    for (lines, expected) in [
        ("ports: ['5432:5432']", &["web tcp 0.0.0.0:5432→5432"][..]),
        ("ports: ['80:3000']", &["web tcp 0.0.0.0:80→3000"]),
        ("ports: ['80:3000']\nx-seaworthy: { route: {} }", &["web http 0.0.0.0:80→3000"]),
        (
            "ports: ['80:3000']\nx-seaworthy: { probe: { ready: GET /up } }",
            &["web http 0.0.0.0:80→3000 asks /up"],
        ),
        ("ports: ['80:3000']\nx-seaworthy: { probe: { ready: tcp } }", &["web tcp 0.0.0.0:80→3000"]),
        (
            "ports: ['80:50051']\nx-seaworthy: { probe: { ready: grpc shop.Orders } }",
            &["web http 0.0.0.0:80→50051 asks grpc shop.Orders over HTTP/2"],
        ),
        // Its port says what it speaks; it is asked in HTTP/2 all the same.
        (
            "ports: [{ target: 80, published: 80, app_protocol: http }]\nx-seaworthy: { probe: { ready: grpc } }",
            &["web http 0.0.0.0:80→80 asks grpc "],
        ),
        ("ports: [{ target: 3000, published: 80, app_protocol: http }]", &["web http 0.0.0.0:80→3000"]),
        ("ports: [{ target: 3000, published: 80, app_protocol: http2 }]", &["web http 0.0.0.0:80→3000"]),
        // What speaks TLS itself is passed through.
        ("ports: [{ target: 3000, published: 80, app_protocol: https }]", &["web tcp 0.0.0.0:80→3000"]),
        ("ports: [{ target: 3000, published: 80, mode: host }]", &["web tcp 0.0.0.0:80→3000"]),
        // The main port speaks HTTP; what else is published may speak anything, TLS for one.
        (
            "ports: ['443:8443', '80:3000']\nx-seaworthy: { route: { port: 3000, host: a.example } }",
            &["web http 0.0.0.0:80a.example→3000", "web@443 tcp 0.0.0.0:443→8443"],
        ),
        (
            "ports: ['80:3000', '443:8443']\nx-seaworthy: { probe: { ready: GET / } }",
            &["web http 0.0.0.0:80→3000 asks /", "web@443 tcp 0.0.0.0:443→8443"],
        ),
        (
            "ports: [{ target: 25, published: 25, app_protocol: smtp }, '80:3000']\nx-seaworthy: { route: {} }",
            &["web http 0.0.0.0:80→3000", "web@25 tcp 0.0.0.0:25→25"],
        ),
        // Not published itself, so at the gateway's own port.
        (
            "ports: ['5432:5432']\nx-seaworthy: { route: { port: 3000 } }",
            &["web http 0.0.0.0:80→3000", "web@5432 tcp 0.0.0.0:5432→5432"],
        ),
        // Ranges, addresses, both families.
        ("ports: ['7000-7001:8000-8001']", &["web tcp 0.0.0.0:7000→8000", "web@7001 tcp 0.0.0.0:7001→8001"]),
        (
            "ports: ['127.0.0.1:70:1', '[::1]:70:1', '127.0.0.2:70:1']",
            &["web tcp 127.0.0.1:70→1", "web@70 tcp [::1]:70→1", "web@127.0.0.2:70 tcp 127.0.0.2:70→1"],
        ),
        // Not the gateway's.
        ("ports: ['3000']", &[]),
        ("expose: ['3000']", &[]),
        ("ports: ['53:53/udp']", &[]),
        ("ports: ['80:80']\nnetwork_mode: host", &[]),
        ("ports: ['80:80']\nx-seaworthy: { run: before-deploy }", &[]),
    ] {
        assert_eq!(routes(lines), expected, "{lines}");
    }
}

/// A project on the fake engine.
struct Stage {
    engine: Fake,
    traffic: FakeTraffic,
    store: Store,
    _folder: tempfile::TempDir,
}

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), SealKey::new([7; 32]), FaultPoint::default()).unwrap();
        Self { engine: Fake::new(), traffic: FakeTraffic::default(), store, _folder: folder }
    }

    /// The plan to this project, where the digest of every image is `digest`; carried out when `deploy`.
    async fn plan(&self, project: &Project, digest: &str, deploy: bool) -> Result<Plan, Vec<ReleaseError>> {
        for service in project.services() {
            let artifact = Artifact { name: "image".to_owned(), digest: format!("sha256:{digest}") };
            self.engine.set_artifact(&service.name.value, artifact);
        }
        let quiet: &(dyn Fn(Event) + Send + Sync) = &|_: Event| {};
        let files = MemoryFiles::new(&[]);
        let drafted = draft(project, &self.engine, &files, Origin::default(), false, &quiet).await?;
        let operator = Operator {
            project: project.name.clone(),
            engine: &self.engine,
            traffic: &self.traffic,
            store: &self.store,
            clock: &FixedClock,
            progress: &quiet,
            interrupt: Arc::new(Interrupt::default()),
            owner: Owner { command: "deploy".into(), process: 1, user: "me".into(), since: FixedClock.now() },
        };
        let plan = operator.preview(drafted.clone()).await.unwrap();
        if deploy {
            operator.deploy(drafted, &mut |_| true).await.unwrap();
        }
        Ok(plan)
    }
}

const SHOP: &str = "
services:
  web:
    image: image
    ports: ['80:3000']
    depends_on: [api]
  api:
    image: image
  worker:
    image: image
    environment: { API: 'http://user:s3cret@api:8080/', CACHE: 'redis://cache:6379' }
  cache:
    image: image
    container_name: cache
";

#[tokio::test(start_paused = true)]
async fn a_plan_names_who_calls_past_the_gateway_and_only_where_something_rolls() {
    let (stage, shop) = (Stage::new(), load_yaml(SHOP));
    let first = stage.plan(&shop, "one", true).await.unwrap();
    let said = first.notes.join("\n");
    assert!(said.contains("port 3000 of `web` is passed through as TCP"), "{said}");
    assert!(said.contains("x-seaworthy: { route: { port: 3000 } }"), "{said}");
    assert!(!said.contains(" call"), "nothing is rolled yet: {said}");
    assert!(!said.contains("still open"), "{said}");

    let second = stage.plan(&shop, "two", false).await.unwrap();
    let said = second.notes.join("\n");
    let callers: Vec<&String> = second.notes.iter().filter(|note| note.contains("by its name")).collect();
    assert_eq!(callers.len(), 1, "one line for `api`; `cache` is replaced stop-first: {said}");
    assert!(callers[0].starts_with("`web`, `worker` call `api` by its name"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    assert!(said.contains("to what `web` replaces are closed when they are still open after 30 s"), "{said}");
    let cache = ServiceName::new("cache").unwrap();
    let change = second.changes.iter().find(|change| change.service == cache).unwrap();
    assert_eq!(
        change.gap,
        Gap::Expected("stop-first: `container_name: cache` can be held by one container only".to_owned())
    );

    let scaled = load_yaml(&SHOP.replace("depends_on: [api]", "depends_on: [worker]"));
    let third = stage.plan(&scaled, "one", false).await.unwrap();
    assert!(third.is_empty() && third.notes.is_empty(), "who depends on whom is no change: {third:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_tcp_stays_with_the_engine_and_goes_first() {
    for protocol in ["udp", "sctp"] {
        let project = service(&format!("ports: ['53:54/{protocol}', '80:80']"));
        let web = project.services().next().unwrap();
        let reason = StopFirst::of(&project, web, Way::Forward).unwrap().to_string();
        assert_eq!(reason, format!("{} port 53 stays with the engine", protocol.to_uppercase()));
        let errors = Stage::new().plan(&project, "one", false).await.unwrap_err();
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!(error.to_string(), format!("port 53/{protocol} of service `web` is not TCP"));
        assert!(error.span().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn ports_of_the_machine_itself_are_told_to_be_left_aside() {
    let project = service("ports: ['80:80']\nnetwork_mode: host");
    let plan = Stage::new().plan(&project, "one", false).await.unwrap();
    assert!(
        plan.notes.iter().any(|note| note.starts_with("`ports` of `web` is left aside")),
        "{:?}",
        plan.notes
    );
}
