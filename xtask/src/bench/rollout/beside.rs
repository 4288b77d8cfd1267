//! The same service under the real Docker Compose: its image changes, and `up -d` is run again.

use std::path::Path;
use std::process::Command;

use super::Told;
use super::site::{Site, docker, ended, wait_until};

/// A way in which people run it.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// An image that must be there.
    needs: Option<&'static str>,
    file: fn(&Site) -> String,
}

pub(super) const KINDS: [Kind; 2] = [
    Kind { name: "Docker Compose, new image: one replica, its port published", needs: None, file: one },
    Kind {
        name: "Docker Compose, new image: three replicas behind nginx",
        needs: Some("nginx:1.26"),
        file: three,
    },
];

const NGINX: &str = "events {}
http {
  upstream web { server web:8080; }
  server {
    listen 80;
    location / { proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection \"\"; }
  }
}
";

fn one(site: &Site) -> String {
    format!("{}    ports: [\"127.0.0.1:{}:8080\"]\n", web(site), site.port)
}

fn three(site: &Site) -> String {
    format!(
        "{}    deploy: {{ replicas: 3 }}\n  nginx:\n    image: nginx:1.26\n    depends_on: {{ web: {{ condition: service_started, restart: true }} }}\n    volumes: [\"./nginx.conf:/etc/nginx/nginx.conf:ro\"]\n    ports: [\"127.0.0.1:{}:80\"]\n",
        web(site),
        site.port
    )
}

fn web(site: &Site) -> String {
    format!(
        "services:\n  web:\n    image: {}:${{VERSION}}\n    environment: {{ GREETING: hello, PORT: \"8080\", LISTEN: 0.0.0.0 }}\n    stop_grace_period: 1s\n",
        site.name()
    )
}

/// Builds two versions, and starts the first.
pub(super) fn up(site: &Site, real: &Path, kind: &Kind) -> Told<()> {
    if let Some(image) = kind.needs {
        docker(&["image", "inspect", "--format", "{{.Id}}", image])?;
    }
    let context = site.project().join("image").display().to_string();
    for version in ["1", "2"] {
        site.install_next()?;
        docker(&["build", "--quiet", "--tag", &format!("{}:{version}", site.name()), &context])?;
    }
    site.write("nginx.conf", NGINX)?;
    site.write("beside.yaml", &(kind.file)(site))?;
    compose(site, real, "1", &["up", "--detach"])?;
    wait_until("it answers", || site.says("version").is_ok())
}

/// What a person types for a new version.
pub(super) fn update(site: &Site, real: &Path) -> Told<()> {
    compose(site, real, "2", &["up", "--detach"])
}

pub(super) fn down(site: &Site, real: &Path) -> Told<()> {
    compose(site, real, "2", &["down", "--volumes"])
}

fn compose(site: &Site, real: &Path, version: &str, arguments: &[&str]) -> Told<()> {
    let output = Command::new(real)
        .args(["-f", "beside.yaml", "-p", &format!("{}-beside", site.name())])
        .args(arguments)
        .current_dir(site.project())
        .env("VERSION", version)
        .output()?;
    ended(&format!("docker compose {}", arguments.join(" ")), 0, &output)
}
