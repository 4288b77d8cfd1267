//! What stands in the way on Docker: each is told with its cause and what helps, and what runs goes on.

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::containers::{Containers, docker};
use crate::proxy::{Call, Fault, Proxy};
use crate::site::Ran;

/// The number of the user `nobody`.
const NOBODY: u32 = 65_534;

/// A site that runs, to which nothing bad may happen.
struct Running(Containers);

impl Running {
    fn new() -> Self {
        let shop = Containers::prebuilt();
        shop.done(&["deploy", "-y"]);
        Self(shop)
    }

    /// Fails unless a deploy ended so, said these words and a hint, and what ran runs on.
    #[track_caller]
    fn told(&self, ran: &Ran, code: i32, words: &[&str]) {
        assert_eq!(ran.code, code, "{}", ran.all());
        for word in words.iter().chain(&["hint:"]) {
            assert!(ran.stderr.contains(word), "`{word}` is not in:\n{}", ran.stderr);
        }
        assert_eq!(self.0.answers(), Ok(1), "what ran goes on");
        assert_eq!(self.0.left(&["ps"]).len(), 3, "two of web and a worker run, after {words:?}");
        self.0.assert_settled(words[0]);
    }

    /// Deploys with variables that say something wrong.
    #[track_caller]
    fn with_variables(&self, variables: &[(&str, &str)], words: &[&str]) {
        self.told(&self.0.run_with(&["deploy", "-y"], variables), 2, words);
    }

    /// Deploys what was changed in the project, and puts it back.
    #[track_caller]
    fn with_project(&self, from: &str, to: &str, code: i32, words: &[&str]) {
        let path = self.0.site.project().join("compose.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let ran = self.0.run(&["deploy", "-y"]);
        std::fs::write(&path, text).unwrap();
        self.told(&ran, code, words);
    }

    /// Deploys another release while the daemon answers certain calls so.
    #[track_caller]
    fn with_answer(&self, call: Call, fault: Fault, code: i32, words: &[&str]) {
        self.0.release(2);
        let name = format!("{}.sock", words[0].replace(|c: char| !c.is_ascii_alphanumeric(), ""));
        let proxy = Proxy::start(&self.0.site.project(), &name, Some((call, fault)));
        let ran = self.0.run_through(&proxy, &["deploy", "-y"]);
        assert!(proxy.hit().is_some(), "{}", ran.all());
        self.0.release(1);
        self.told(&ran, code, words);
    }

    fn settings(&self, text: &str) -> String {
        let folder = self.0.site.project().join("settings");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), text).unwrap();
        folder.display().to_string()
    }
}

#[test]
fn a_daemon_that_cannot_be_found_or_used_is_told() {
    let shop = Running::new();
    let gone = shop.0.site.project().join("gone.sock");
    let host = format!("unix://{}", gone.display());
    shop.with_variables(&[("DOCKER_HOST", &host)], &["there is no such socket", "gone.sock", "DOCKER_HOST"]);
    drop(std::os::unix::net::UnixListener::bind(&gone).unwrap());
    shop.with_variables(&[("DOCKER_HOST", &host)], &["nothing answers there", "systemctl start docker"]);
    shop.with_variables(
        &[("DOCKER_HOST", "docker.example")],
        &["`docker.example` is no address of a Docker Engine", "unix:///var/run/docker.sock"],
    );
    shop.with_variables(
        &[("DOCKER_HOST", ""), ("DOCKER_CONTEXT", "elsewhere")],
        &["there is no context `elsewhere`", "docker context ls"],
    );
    shop.with_variables(&[("DOCKER_CLIENT_TIMEOUT", "soon")], &["`soon`", "no number of seconds", "300"]);
    let settings = shop.settings("{ \"auths\": ");
    shop.with_variables(
        &[("DOCKER_HOST", ""), ("DOCKER_CONFIG", &settings)],
        &["config.json", "are no JSON", "line 1", "DOCKER_CONFIG"],
    );
}

#[test]
fn a_socket_that_this_user_may_not_use_is_told() {
    let shop = Containers::prebuilt();
    let folder = shop.site.project();
    let proxy = Proxy::start(&folder, "closed.sock", None);
    std::fs::set_permissions(&proxy.socket, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(folder.parent().unwrap(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // Nobody else may reach the program where it was built.
    let program = folder.join("seaworthy");
    std::fs::copy(env!("CARGO_BIN_EXE_seaworthy"), &program).unwrap();
    let state = folder.join("state-of-nobody");
    std::fs::create_dir(&state).unwrap();
    let mut command = shop.site.command_of(&program, &["--engine", "docker", "deploy", "-y"]);
    command.env("DOCKER_HOST", format!("unix://{}", proxy.socket.display())).env("SEAWORTHY_STATE", &state);
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    } else {
        std::fs::set_permissions(&proxy.socket, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, 2, "{}", ran.all());
    for word in ["this user may not use the socket", "closed.sock", "hint:", "group `docker`"] {
        assert!(ran.stderr.contains(word), "`{word}` is not in:\n{}", ran.stderr);
    }
    assert_eq!(proxy.calls(), 0);
}

#[test]
fn an_image_that_cannot_be_had_is_told() {
    let shop = Running::new();
    let image = format!("image: {}-sample", shop.0.project);
    shop.with_project(
        &image,
        "image: 127.0.0.1:1/none:1",
        2,
        &["`127.0.0.1:1/none:1` of service `web` cannot be fetched", "compose.yaml:4", "docker load"],
    );
    let denied = "pull access denied for none, repository does not exist or may require 'docker login'";
    let missing = "127.0.0.1:1/none:1";
    let path = shop.0.site.project().join("compose.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let refusals = [
        (Fault::Answer(404, denied), "pull access denied", "docker login 127.0.0.1:1"),
        (Fault::Answer(500, "unauthorized: authentication required"), "unauthorized", "docker login"),
        (
            Fault::Answer(404, "no matching manifest for linux/amd64 in the manifest list entries"),
            "no matching manifest",
            "platform",
        ),
    ];
    for (turn, (fault, word, help)) in refusals.into_iter().enumerate() {
        std::fs::write(&path, text.replacen(&image, &format!("image: {missing}"), 1)).unwrap();
        let call = Call::Every("POST", "/images/create");
        let proxy = Proxy::start(&shop.0.site.project(), &format!("pull{turn}.sock"), Some((call, fault)));
        let ran = shop.0.run_through(&proxy, &["deploy", "-y"]);
        std::fs::write(&path, &text).unwrap();
        shop.told(&ran, 2, &[word, help, "compose.yaml:4"]);
    }
    for (key, words) in [
        ("mem_limit: 1k", ["no container less than 6 MiB", "compose.yaml:5"]),
        ("cpus: 1000", ["the machine has", "compose.yaml:5"]),
        ("cap_add: [CHWON]", ["did you mean `CHOWN`?", "compose.yaml:5"]),
    ] {
        shop.with_project(&image, &format!("{image}\n    {key}"), 2, &words);
    }
    let settings = shop.settings("{ \"credsStore\": \"nowhere\" }");
    std::fs::write(&path, text.replacen(&image, &format!("image: {missing}"), 1)).unwrap();
    let ran = shop.0.run_with(&["deploy", "-y"], &[("DOCKER_CONFIG", &settings)]);
    std::fs::write(&path, &text).unwrap();
    shop.told(&ran, 2, &["docker-credential-nowhere", "no such program", "credsStore"]);
    let other = format!("{image}\n    platform: linux/s390x");
    shop.with_project(&image, &other, 3, &["and the service asks for `linux/s390x`", "platform"]);
    // Between the plan and the deploy somebody removes it; what runs has a name of its own.
    shop.0.release(2);
    assert_eq!(shop.0.run(&["plan"]).code, 0);
    docker(&["rmi", "--force", "--no-prune", &format!("{}-sample", shop.0.project)]);
    let ran = shop.0.run(&["deploy", "-y"]);
    shop.0.release(1);
    shop.told(&ran, 2, &["-sample` of service", "cannot be fetched"]);
}

#[test]
fn what_others_have_is_told_and_left_to_them() {
    let shop = Running::new();
    let name = format!("{}-theirs", shop.0.project);
    docker(&["create", "--name", &name, &format!("{}-sample", shop.0.project)]);
    let worker = "environment: { ROLE: worker }";
    let fixed = format!("container_name: {name}\n    {worker}");
    shop.with_project(worker, &fixed, 3, &["was not made by seaworthy", &name, "docker rm"]);
    docker(&["rm", &name]);
    let network = format!("{}_default", shop.0.project);
    let more = "    networks: [theirs]\n    environment: { ROLE: worker }";
    let theirs = network.replace("_default", "_theirs");
    for (kind, uses, declares) in [
        ("network", more, "networks: { theirs: }\nvolumes:\n  data:"),
        (
            "volume",
            "    volumes: ['theirs:/theirs']\n    environment: { ROLE: worker }",
            "volumes:\n  theirs:\n  data:",
        ),
    ] {
        docker(&[kind, "create", &theirs]);
        let path = shop.0.site.project().join("compose.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = text.replace(&format!("    {worker}"), uses).replace("volumes:\n  data:", declares);
        std::fs::write(&path, changed).unwrap();
        let ran = shop.0.run(&["deploy", "-y"]);
        std::fs::write(&path, &text).unwrap();
        shop.told(&ran, 3, &[&format!("{kind} `{theirs}` is there already"), "external: true"]);
        assert_eq!(docker(&[kind, "rm", &theirs]).len(), 1, "it is still theirs");
    }
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let published = format!("ports: ['127.0.0.1:{port}:9/udp']\n    {worker}");
    shop.with_project(worker, &published, 3, &[&port.to_string(), "another program has that port"]);
    drop(taken);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let published = format!("ports: ['127.0.0.1:{port}:9']\n    {worker}");
    shop.with_project(worker, &published, 2, &[&port.to_string()]);
}

#[test]
fn a_daemon_that_cannot_do_it_is_told() {
    let shop = Running::new();
    let full = "failed to mkdir /var/lib/docker/overlay2/x: no space left on device";
    shop.with_answer(
        Call::Every("POST", "/containers/create"),
        Fault::Answer(500, full),
        3,
        &["no space left on device", "make room"],
    );
    shop.with_answer(
        Call::Every("POST", "/containers/create"),
        Fault::Answer(404, "No such image: sha256:0123"),
        3,
        &["No such image", "deploy again"],
    );
    let old =
        r#"{"Version":"19.03.15","ApiVersion":"1.40","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64"}"#;
    shop.with_answer(
        Call::Every("GET", "/version"),
        Fault::Answer(200, old),
        2,
        &["API 1.40", "1.41 is the oldest", "20.10"],
    );
    let new = "client version 1.52 is too old. Minimum supported API version is 1.99, please upgrade your client to a newer version";
    shop.with_answer(
        Call::Every("GET", "/info"),
        Fault::Answer(400, new),
        2,
        &["is too old", "update seaworthy"],
    );
}

#[test]
fn a_volume_that_somebody_uses_is_kept_and_told() {
    let shop = Running::new();
    let (volume, name) = (format!("{}_data", shop.0.project), format!("{}-theirs", shop.0.project));
    let sample = format!("{}-sample", shop.0.project);
    docker(&["create", "--name", &name, "--volume", &format!("{volume}:/data"), &sample]);
    let ran = shop.0.run(&["down", "-y", "--volumes"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    for word in [&format!("volume `{volume}` is used by"), "was kept", "hint:", "docker ps --all --filter"] {
        assert!(ran.stderr.contains(word), "`{word}` is not in:\n{}", ran.stderr);
    }
    assert_eq!(shop.0.left(&["ps", "--all"]), [""; 0], "all else is down");
    assert_eq!(docker(&["volume", "inspect", "--format", "{{.Name}}", &volume]), [volume.as_str()]);
    docker(&["rm", &name]);
    shop.0.done(&["down", "-y", "--volumes"]);
    shop.0.assert_gone("the one who used it went");
    assert!(Path::new(&shop.0.site.state()).is_dir(), "releases are kept");
}
