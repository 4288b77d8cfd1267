//! A generated project: anchors, merge keys, `extends`, variables, and what services usually have.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

const HEAD: &str = "name: bench
x-base: &base
  restart: unless-stopped
  logging: {driver: json-file, options: {max-size: 10m, max-file: '3'}}
  networks: [inner]
x-env: &env
  LOG_LEVEL: ${LOG_LEVEL:-info}
  REGION: ${REGION}
  TZ: UTC
services:
  shared:
    image: ${REGISTRY:-registry.example}/base:${TAG}
    environment: {SHARED: '1', HOST: '${HOST_NAME:-localhost}'}
    healthcheck: {test: [CMD, 'true'], interval: 30s}
";

const VARIABLES: &str = "TAG=1.2.3\nREGION=north\nHOST_NAME=host.example\n";

/// Writes a project of so many services into a new folder.
#[expect(clippy::disallowed_methods, reason = "the project is made for the bench, in a folder of its own")]
pub(super) fn write(folder: &Path, services: usize) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(".env"), VARIABLES)?;
    fs::write(folder.join("compose.yaml"), text(services))
}

fn text(services: usize) -> String {
    let mut text = HEAD.to_owned();
    for number in 1..services {
        service(number, &mut text);
    }
    text.push_str("networks: {inner: {}}\nvolumes: {data: {}}\n");
    text
}

fn service(number: usize, text: &mut String) {
    let port = 10_000 + number;
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "  service-{number}:
    <<: *base
    extends: {{service: shared}}
    image: ${{REGISTRY:-registry.example}}/service-{number}:${{TAG}}
    environment:
      <<: *env
      NAME: service-{number}
      URL: http://${{HOST_NAME:-localhost}}:{port}/
    ports: ['127.0.0.1:{port}:8080']
    volumes: ['data:/var/lib/data', './config/{number}:/etc/service:ro']
    deploy: {{replicas: 1, resources: {{limits: {{cpus: '0.5', memory: 64M}}}}}}
    labels: {{tier: backend, owner: '${{OWNER:-team}}'}}
"
    );
    if number > 1 {
        let _ = writeln!(text, "    depends_on: [service-{}]", number / 2);
    }
}
