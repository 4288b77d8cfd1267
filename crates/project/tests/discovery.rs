//! Which files, variables and names a project is made of.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use std::path::PathBuf;

use seaworthy_project::fixture::{FOLDER, MemoryFiles, request};
use seaworthy_project::{EnvironmentName, Loaded, Project, ProjectName, Request, Say, load};

fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::new(name).unwrap()
}

#[track_caller]
fn loaded(request: &Request, files: &[(&str, &str)]) -> Project {
    let loaded = load(request, &MemoryFiles::new(files));
    assert_eq!(loaded.problems, []);
    loaded.project.unwrap()
}

fn shown(loaded: &Loaded) -> Vec<String> {
    loaded.sources.iter().map(|(_, source)| source.path.display().to_string()).collect()
}

/// A base and one file that says which environment it is for, under a name.
fn image(environment_name: &str, overlay: &str) -> String {
    let request = Request { environment: environment(environment_name), ..request() };
    let over = "x-seaworthy: {overlay: true}\nservices: {web: {image: over}}";
    let project =
        loaded(&request, &[("docker-compose.yml", "services: {web: {image: base}}"), (overlay, over)]);
    project.services().next().unwrap().image.clone().unwrap().value
}

#[test]
fn overlays_by_name_and_alias() {
    for name in [
        "compose.production.yaml",
        "compose.prod.yml",
        "docker-compose.prod.yaml",
        "docker-compose.production.yml",
    ] {
        assert_eq!(image("production", name), "over", "{name}");
        assert_eq!(image("prod", name), "over", "{name}");
        assert_eq!(image("staging", name), "base", "{name}");
        assert_eq!(image("development", name), "base", "{name}");
    }
    assert_eq!(image("staging", "compose.stage.yaml"), "over");
    assert_eq!(image("qa", "compose.qa.yaml"), "over");
    for name in ["compose.override.yaml", "docker-compose.override.yml"] {
        assert_eq!(image("development", name), "over");
        assert_eq!(image("dev", name), "over");
        assert_eq!(image("production", name), "base");
    }
}

#[test]
fn an_overlay_that_cannot_stand_alone_needs_no_mark() {
    let project = loaded(
        &request(),
        &[
            ("compose.yaml", "services: {web: {image: x}}"),
            ("compose.production.yaml", "services: {web: {user: a}, extra: {image: y}}"),
        ],
    );
    assert_eq!(project.services.len(), 2);
}

#[test]
fn the_folder_above_is_searched() {
    let request = Request { working_directory: PathBuf::from(FOLDER).join("a/b"), ..request() };
    let project = loaded(&request, &[("compose.yaml", "services: {web: {image: x}}")]);
    assert_eq!(project.directory, PathBuf::from(FOLDER));
}

#[test]
fn names() {
    let files =
        [("compose.yaml", "name: \"${N:-from-file}\"\nservices: {web: {image: $COMPOSE_PROJECT_NAME}}")];
    let unnamed = Request { project_name: None, ..request() };
    assert_eq!(loaded(&request(), &files).name.as_str(), "fixture-production");
    let project = loaded(&unnamed, &files);
    assert_eq!(project.name.as_str(), "from-file-production");
    assert_eq!(project.services().next().unwrap().image.as_ref().unwrap().value, "from-file-production");
    let development = Request { environment: environment("dev"), ..unnamed.clone() };
    let project = loaded(&development, &files);
    assert_eq!((project.name.as_str(), project.environment.as_str()), ("from-file", "development"));
    let variable =
        Request { variables: [("COMPOSE_PROJECT_NAME".into(), "shell".into())].into(), ..unnamed.clone() };
    assert_eq!(loaded(&variable, &files).name.as_str(), "shell-production");
    let folder = Request { working_directory: "/srv/My_Shop!".into(), ..unnamed };
    let project = loaded(&folder, &[("/srv/My_Shop!/compose.yaml", "services: {web: {image: x}}")]);
    assert_eq!(project.name.as_str(), "my_shop-production");
    let typed = |name: &str, of: &str| {
        let project_name = Some(ProjectName::new(name).unwrap());
        let request = Request { project_name, environment: environment(of), ..request() };
        loaded(&request, &files).name.to_string()
    };
    assert_eq!(typed("shop-staging", "staging"), "shop-staging", "the whole name, as lists show it");
    assert_eq!(typed("shop-staging", "production"), "shop-staging-production");
    assert_eq!(typed("shop-development", "development"), "shop-development");
}

#[test]
fn precedence_of_variables() {
    let yaml = "services: {web: {image: \"${A:-}${B:-}${C:-}${D:-}\"}}";
    let files = [
        ("compose.yaml", yaml),
        (".env", "A=1\nB=1\nC=1\nD=1\n"),
        (".env.production", "B=2\nC=$B\n"),
        ("own.env", "B=3\n"),
    ];
    let image =
        |request: &Request| loaded(request, &files).services().next().unwrap().image.clone().unwrap().value;
    let with_shell = Request { variables: [("D".into(), "s".into())].into(), ..request() };
    assert_eq!(image(&with_shell), "122s");
    assert_eq!(image(&Request { environment: environment("prod"), ..request() }), "1221");
    assert_eq!(image(&Request { environment: environment("development"), ..request() }), "1111");
    assert_eq!(image(&Request { env_files: vec!["own.env".into()], ..request() }), "3");
    let named =
        Request { variables: [("COMPOSE_ENV_FILES".into(), ".env,own.env".into())].into(), ..request() };
    assert_eq!(image(&named), "1311");
}

#[test]
fn compose_file_from_the_shell_or_dot_env() {
    let files = [
        ("compose.yaml", "services: {web: {image: never}}"),
        ("a.yaml", "services: {web: {image: a}}"),
        ("b.yaml", "services: {web: {user: b}}"),
        (".env", "COMPOSE_FILE=a.yaml:b.yaml\n"),
    ];
    let web = loaded(&request(), &files).services().next().unwrap().clone();
    assert_eq!((web.image.unwrap().value.as_str(), web.user.unwrap().value.as_str()), ("a", "b"));
    let variables = [
        ("COMPOSE_FILE".into(), "compose.yaml,b.yaml".into()),
        ("COMPOSE_PATH_SEPARATOR".into(), ",".into()),
    ];
    let request = Request { variables: variables.into(), ..request() };
    assert_eq!(loaded(&request, &files).services().next().unwrap().image.as_ref().unwrap().value, "never");
}

#[test]
fn profiles() {
    let files = [("compose.yaml", "services: {web: {image: x}, debug: {image: y, profiles: [debug]}}")];
    let names = |request: &Request| {
        let project = loaded(request, &files);
        (project.services.len(), project.disabled.len())
    };
    assert_eq!(names(&request()), (1, 1));
    assert_eq!(names(&Request { profiles: vec!["debug".into()], ..request() }), (2, 0));
    assert_eq!(names(&Request { profiles: vec!["*".into()], ..request() }), (2, 0));
    let variables = [("COMPOSE_PROFILES".into(), "other,debug".into())];
    assert_eq!(names(&Request { variables: variables.into(), ..request() }), (2, 0));
}

#[test]
fn the_project_directory_is_where_paths_start() {
    let request = Request {
        files: vec!["deploy/compose.yaml".into()],
        project_directory: Some(".".into()),
        ..request()
    };
    let project = loaded(&request, &[("deploy/compose.yaml", "services: {web: {build: app}}")]);
    let build = project.services().next().unwrap().build.clone().unwrap();
    assert_eq!(build.value.context.as_deref(), Some("/srv/fixture/app"));
}

#[test]
fn every_file_read_is_in_the_sources() {
    let files = MemoryFiles::new(&[
        ("compose.yaml", "services: {web: {image: x, env_file: web.env}}"),
        ("compose.production.yaml", "services: {web: {user: a}}"),
        (".env", ""),
        ("web.env", "A=1"),
    ]);
    assert_eq!(
        shown(&load(&request(), &files)),
        [".env", "compose.yaml", "compose.production.yaml", "web.env"]
    );
}

#[test]
fn env_file_values_point_to_their_line_and_variables_to_theirs() {
    let project = loaded(
        &request(),
        &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: x\n    env_file: web.env\n    environment:\n      B: own\n      C: $V\n      D:\n",
            ),
            (".env", "V=value\nD=given\n"),
            ("web.env", "A=1\nB=2\n"),
        ],
    );
    let web = project.services().next().unwrap();
    let place = |name: &str| project.sources.place(&web.environment[name].span);
    assert_eq!((place("A"), place("B")), ("web.env:1:3".to_owned(), "compose.yaml:6:10".to_owned()));
    let history = |name: &str| {
        let node = project.node.at(&["services", "web", "environment", name]).unwrap();
        let place = |say: &Say| match say {
            Say::Written(span) | Say::Variable { place: Some(span), .. } => Some(project.sources.place(span)),
            _ => None,
        };
        node.history.iter().filter_map(place).collect::<Vec<_>>()
    };
    assert_eq!(history("B"), ["web.env:2:3"]);
    assert_eq!(history("C"), [".env:1:3"]);
    assert_eq!(history("D"), [".env:2:3"]);
    assert_eq!(web.environment["D"].value.as_ref().unwrap().reveal(), "given");
}
