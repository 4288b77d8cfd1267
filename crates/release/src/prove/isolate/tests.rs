//! Where a service is tried: apart from everything of the user, with values that are thrown away.

use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{InstanceKind, Probe};
use seaworthy_project::fixture::load_yaml;
use seaworthy_project::{FileError, Files};

use super::*;

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path, _: u64) -> Result<Vec<u8>, FileError> {
        Err(FileError::Missing)
    }
    fn is_file(&self, _: &Path) -> bool {
        false
    }
    fn list(&self, _: &Path) -> Vec<PathBuf> {
        Vec::new()
    }
}

fn isolated(text: &str) -> Isolated {
    let project = load_yaml(text);
    let key = SealKey::new([1; 32]);
    let throwaway = ThrowAway::of(&project, &NoFiles, &key);
    Isolated::of(&project, &ProjectName::new("shop-proof").unwrap(), &throwaway, Path::new("/copies"))
}

const SHOP: &str = "services:
  web:
    build: .
    container_name: shop
    labels: { traefik.enable: \"true\" }
    ports: [\"80:8080\", \"53:53/udp\"]
    restart: always
    networks: { front: { ipv4_address: 10.9.0.7, aliases: [site] } }
    environment: { API_TOKEN: live-4f3e2d1c0b9a, MODE: fast }
    volumes: [\"data:/data\", \"./files:/files\", \"./conf:/conf:ro\"]
    tmpfs: /cache
    deploy: { update_config: { parallelism: 2 }, resources: { limits: { memory: 64m } } }
  agent:
    image: agent:1
    volumes: [\"/var/run/docker.sock:/var/run/docker.sock:ro\"]
  host:
    image: host:1
    network_mode: host
networks:
  front: { ipam: { config: [{ subnet: 10.9.0.0/24 }] } }
volumes:
  data: { external: true, name: live }
";

#[test]
fn nothing_of_the_real_project_is_left_to_touch() {
    let isolated = isolated(SHOP);
    let web = &isolated.base["services"]["web"];
    for key in ["container_name", "labels", "ports", "build", "x-seaworthy"] {
        assert!(web.get(key).is_none(), "{key}");
    }
    assert_eq!(web["restart"], "no");
    assert_eq!(web["expose"], json!(["8080"]));
    assert_eq!(web["networks"], json!({ "front": { "aliases": ["site"] } }));
    assert_eq!(web["deploy"], json!({ "resources": { "limits": { "memory": "67108864" } } }));
    assert_ne!(web["environment"]["API_TOKEN"], "live-4f3e2d1c0b9a");
    assert_eq!(web["environment"]["MODE"], "fast");
    assert_eq!(isolated.base["networks"]["front"], json!({ "name": "shop-proof_front", "internal": true }));
    assert_eq!(isolated.base["volumes"]["data"], json!({ "name": "shop-proof_data" }));
    let mounts = web["volumes"].as_array().unwrap();
    assert_eq!(mounts[1]["source"], "/copies/0", "what is written to is a copy");
    assert_eq!(mounts[2]["read_only"], true);
    assert_eq!(isolated.copies.len(), 1);
    let untried: Vec<&str> = isolated.untried.keys().map(ServiceName::as_str).collect();
    assert_eq!(untried, ["agent", "host"]);
    assert!(isolated.untried.values().all(|untried| untried.span.is_some()));
}

#[test]
fn rights_are_given_beside_what_the_file_says() {
    let isolated = isolated(SHOP);
    let health = Health {
        probe: Probe::Running,
        kind: InstanceKind::Replica,
        deadline: std::time::Duration::from_secs(1),
        stay: std::time::Duration::from_secs(1),
        exercise: None,
        volumes: vec!["data".to_owned()],
        starts_twice: true,
        stops: false,
    };
    let rights = Rights {
        user: Some("5:6".to_owned()),
        no_new_privileges: true,
        capabilities: Some(["CHOWN".to_owned()].into()),
        writable: Some(["/run".to_owned()].into()),
    };
    let web = ServiceName::new("web").unwrap();
    let whole = isolated.with(&web, &rights, 7, &health);
    let keys = &whole["services"]["web"];
    assert_eq!(keys["user"], "5:6");
    assert_eq!(keys["tmpfs"], json!(["/cache", "/run:uid=5,gid=6"]));
    assert_eq!((&keys["cap_drop"], &keys["cap_add"]), (&json!(["ALL"]), &json!(["CHOWN"])));
    assert_eq!(keys["security_opt"], json!(["no-new-privileges:true"]));
    assert_eq!(keys["stop_signal"], "SIGKILL");
    assert_eq!(whole["volumes"]["data"]["name"], "shop-proof_data_7");
    let loaded = seaworthy_project::load_resolved(
        &whole.to_string(),
        &isolated.name,
        &seaworthy_project::EnvironmentName::new("production").unwrap(),
        Path::new("/project"),
    );
    assert!(loaded.project.is_some(), "{:?}", loaded.problems);
}
