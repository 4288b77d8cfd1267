//! A docker engine with projects of its own, and an image with the sample program in it.
#![allow(clippy::disallowed_methods, reason = "tests look behind the engine's back")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use bollard::query_parameters::{
    BuildImageOptionsBuilder, CreateImageOptionsBuilder, ListContainersOptionsBuilder,
    ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptions, RemoveImageOptionsBuilder, RemoveVolumeOptions,
};
use bollard::{Docker, body_full};
use futures_util::StreamExt;
use seaworthy_engine::contract::{Case, Harness, Sample};
use seaworthy_engine::docker::{DockerEngine, DockerOptions, DockerPlace, DockerVariables};
use seaworthy_engine::{Engine, Instance, InstanceKind, ReleaseNumber, Revision, RevisionId};
use seaworthy_project::fixture::load_yaml;
use seaworthy_project::{Project, ProjectName};
use tempfile::TempDir;
use tokio::sync::Mutex;

/// The sample program.
const TESTBED: &str = env!("CARGO_BIN_EXE_seaworthy-engine-testbed");
/// The image that holds it and nothing else.
pub(crate) const BASE: &str = "seaworthy-test/testbed";
/// Begins the names of all projects of these tests.
const PREFIX: &str = "seaworthy-test-";

/// Tests at once make the image once.
static BASE_MADE: Mutex<bool> = Mutex::const_new(false);
static BEDS: AtomicU32 = AtomicU32::new(0);
/// One folder for the locks of all, as all commands on one machine have.
static LOCKS: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// An engine, and a project that is gone with all it has when this is dropped.
pub(crate) struct Bed {
    pub(crate) engine: DockerEngine,
    pub(crate) api: Docker,
    pub(crate) project: ProjectName,
    made: AtomicU32,
    pub(crate) folder: TempDir,
}

pub(crate) fn place() -> DockerPlace {
    let host = std::env::var("DOCKER_HOST").ok();
    DockerPlace::find(&DockerVariables { host, ..DockerVariables::default() }, None).unwrap()
}

async fn api() -> Docker {
    let DockerPlace::Socket(path) = place() else {
        panic!("these tests need a Docker Engine on this machine")
    };
    let api = Docker::connect_with_unix(&path.to_string_lossy(), 120, bollard::API_DEFAULT_VERSION).unwrap();
    api.negotiate_version().await.unwrap()
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let api = api().await;
        make_base(&api).await;
        let folder = tempfile::tempdir().unwrap();
        let number = BEDS.fetch_add(1, Ordering::Relaxed);
        let project = ProjectName::new(format!("{PREFIX}{}-{number}", std::process::id())).unwrap();
        Self { engine: engine(folder.path(), place()), api, project, made: AtomicU32::new(0), folder }
    }

    /// A revision of the one service of a project, whose image has contents of its own.
    pub(crate) async fn case_of(&self, yaml: &str) -> Case {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let image = format!("{}/sample:{number}", self.project);
        let yaml = yaml.replace("IMAGE", &image);
        let mut project = self.named(load_yaml(&yaml));
        project.directory = self.folder.path().to_owned();
        build(&self.api, &image, &format!("FROM {BASE}\nLABEL dev.seaworthy.test={image}\n")).await;
        let service = project.services().next().unwrap().clone();
        let inspection = self.engine.inspect(&project, &service).await.unwrap();
        let revision = Revision {
            project: project.name.clone(),
            directory: project.directory.clone(),
            release: ReleaseNumber(1),
            id: RevisionId(format!("{number:012x}")),
            kind: if service.is_job() { InstanceKind::Job } else { InstanceKind::Replica },
            artifact: inspection.artifact.unwrap(),
            files: Vec::new(),
            volumes: project.volumes.values().cloned().collect(),
            networks: project.networks.values().cloned().collect(),
            service,
        };
        Case { project, revision }
    }

    /// The same project under the name of this bed.
    fn named(&self, mut project: Project) -> Project {
        let old = format!("{}_", project.name);
        project.name = self.project.clone();
        let rename = |name: &mut String| {
            if let Some(key) = name.strip_prefix(&old) {
                *name = format!("{}_{key}", self.project);
            }
        };
        project.volumes.values_mut().for_each(|volume| rename(&mut volume.name));
        project.networks.values_mut().for_each(|network| rename(&mut network.name));
        project
    }
}

pub(crate) fn engine(folder: &Path, place: DockerPlace) -> DockerEngine {
    DockerEngine::new(options(folder, place))
}

pub(crate) fn options(folder: &Path, place: DockerPlace) -> DockerOptions {
    DockerOptions {
        state: LOCKS.path().to_owned(),
        runtime: folder.join("runtime"),
        place,
        configuration: None,
        search_path: std::env::var("PATH").unwrap_or_default(),
        home: None,
        answer: DockerOptions::ANSWER,
    }
}

impl Harness for Bed {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    fn case(&self, sample: Sample) -> Case {
        let words = match sample {
            Sample::Serves => "serve, '200'".to_owned(),
            Sample::NeverReady => "serve, '503'".to_owned(),
            Sample::Writes(count) => format!("write, '{count}'"),
            Sample::Job(takes, code) => format!("job, '{}', '{code}'", takes.as_millis()),
        };
        let job =
            if matches!(sample, Sample::Job(..)) { "    x-seaworthy: { run: before-deploy }\n" } else { "" };
        let yaml = format!(
            "services:\n  sample:\n    image: IMAGE\n    command: [/testbed, {words}]\n    expose: ['8080']\n    stop_grace_period: 1s\n    environment: {{ PORT: '8080', LISTEN: 0.0.0.0 }}\n    volumes: ['data:/data']\n{job}volumes:\n  data:\n"
        );
        wait(self.case_of(&yaml))
    }

    fn lose_artifact(&self, case: &Case) {
        let options = RemoveImageOptionsBuilder::new().noprune(true).build();
        let name = &case.revision.artifact.name;
        wait(async { self.api.remove_image(name, Some(options), None).await.unwrap() });
    }

    fn words(&self, arguments: &[&str]) -> Vec<String> {
        ["/testbed".to_owned()].into_iter().chain(arguments.iter().map(ToString::to_string)).collect()
    }

    fn end(&self, _case: &Case, instance: &Instance) {
        let process = i32::try_from(instance.process.unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), nix::sys::signal::Signal::SIGKILL)
            .unwrap();
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let (api, project) = (self.api.clone(), self.project.to_string());
        let cleaned = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(clean(&api, &project));
        });
        let _ = cleaned.join();
    }
}

/// Waits for something within a test of one thread, on a thread of its own.
fn wait<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
        });
        waiting.join().unwrap()
    })
}

/// Removes all that carries the project's name, however the test ended.
async fn clean(api: &Docker, project: &str) {
    let filters = |key: &str, value: String| HashMap::from([(key.to_owned(), vec![value])]);
    let options =
        ListContainersOptionsBuilder::new().all(true).filters(&filters("name", project.to_owned())).build();
    for container in api.list_containers(Some(options)).await.unwrap_or_default() {
        let force = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let _ = api.remove_container(&container.id.unwrap_or_default(), Some(force)).await;
    }
    let options = ListNetworksOptionsBuilder::new().filters(&filters("name", project.to_owned())).build();
    for network in api.list_networks(Some(options)).await.unwrap_or_default() {
        let _ = api.remove_network(&network.id.unwrap_or_default()).await;
    }
    let options = ListVolumesOptionsBuilder::new().filters(&filters("name", project.to_owned())).build();
    let volumes = api.list_volumes(Some(options)).await.ok().and_then(|list| list.volumes);
    for volume in volumes.unwrap_or_default() {
        let _ = api.remove_volume(&volume.name, None::<RemoveVolumeOptions>).await;
    }
    let images = api.list_images(Some(ListImagesOptionsBuilder::new().build())).await.unwrap_or_default();
    for tag in images.iter().flat_map(|image| &image.repo_tags) {
        let ours =
            tag.starts_with(&format!("{project}/")) || tag.starts_with(&format!("seaworthy-kept:{project}."));
        if ours || tag.starts_with(&format!("seaworthy-kept:{project}_")) {
            let _ = api.remove_image(tag, None::<RemoveImageOptions>, None).await;
        }
    }
}

/// Imports an image with the sample program and the libraries it needs, and nothing else.
async fn make_base(api: &Docker) {
    let mut made = BASE_MADE.lock().await;
    if *made {
        return;
    }
    let mut archive = tar::Builder::new(Vec::new());
    // The daemon does not understand files with holes.
    archive.sparse(false);
    archive.append_path_with_name(TESTBED, "testbed").unwrap();
    let listed = std::process::Command::new("ldd").arg(TESTBED).output().unwrap();
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        let path = line.split_whitespace().find(|word| word.starts_with('/'));
        if let Some(path) = path {
            let mut file = std::fs::File::open(path).unwrap();
            archive.append_file(path.trim_start_matches('/'), &mut file).unwrap();
        }
    }
    let passwd = b"root:x:0:0:root:/:/bin/sh\nsample:x:1234:2345:sample:/:/bin/sh\n";
    let mut header = tar::Header::new_gnu();
    header.set_size(passwd.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "etc/passwd", passwd.as_slice()).unwrap();
    let bytes = archive.into_inner().unwrap();
    let before = api.inspect_image(BASE).await.ok().and_then(|image| image.id);
    let options = CreateImageOptionsBuilder::new().from_src("-").repo(BASE).tag("latest").build();
    let mut progress = api.create_image(Some(options), Some(body_full(bytes.into())), None);
    while let Some(step) = progress.next().await {
        step.unwrap();
    }
    if let Some(before) = before {
        let _ = api.remove_image(&before, None::<RemoveImageOptions>, None).await;
    }
    *made = true;
}

/// Builds an image from a Dockerfile without a context.
pub(crate) async fn build(api: &Docker, name: &str, dockerfile: &str) {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "Dockerfile", dockerfile.as_bytes()).unwrap();
    let bytes = archive.into_inner().unwrap();
    let options = BuildImageOptionsBuilder::new().dockerfile("Dockerfile").t(name).rm(true).build();
    let mut progress = api.build_image(options, None, Some(body_full(bytes.into())));
    while let Some(step) = progress.next().await {
        assert_eq!(step.unwrap().error_detail, None);
    }
}
