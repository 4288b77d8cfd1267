//! What stands in the way is told, with what helps, and nothing is left behind.

use bollard::models::{NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::RemoveVolumeOptions;
use seaworthy_engine::contract::Harness;
use seaworthy_engine::docker::{DockerPlace, DockerVariables};
use seaworthy_engine::{Engine, EngineError, Slot};

use crate::bed::{Bed, engine};
use crate::keys::{service, started};

fn told(error: &EngineError, words: &str) {
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.hint().is_some(), "no hint: {error}");
}

#[tokio::test]
async fn a_daemon_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let project = seaworthy_project::ProjectName::new("none").unwrap();
    let at = |place| engine(folder.path(), place);
    let error = at(DockerPlace::Socket(socket.clone())).observe(&project).await.unwrap_err();
    told(&error, "there is no such socket");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    drop(listener);
    let error = at(DockerPlace::Socket(socket)).observe(&project).await.unwrap_err();
    told(&error, "nothing answers there");
    let variables =
        DockerVariables { host: Some("tcp://127.0.0.1:1".to_owned()), ..DockerVariables::default() };
    let error = at(DockerPlace::find(&variables, None).unwrap()).observe(&project).await.unwrap_err();
    told(&error, "nothing answers there");
}

#[tokio::test]
async fn what_belongs_to_others_is_not_taken() {
    let bed = Bed::new().await;
    let case = bed.case_of(&service("    volumes: ['data:/data']\n", "volumes:\n  data:\n")).await;
    let volume = format!("{}_data", bed.project);
    let network = format!("{}_default", bed.project);
    let theirs = NetworkCreateRequest { name: network.clone(), ..NetworkCreateRequest::default() };
    bed.api.create_network(theirs).await.unwrap();
    let error = bed.engine.prepare(&case.revision).await.unwrap_err();
    told(&error, &format!("network `{network}` is there already"));
    bed.api.remove_network(&network).await.unwrap();
    let theirs = VolumeCreateRequest { name: Some(volume.clone()), ..VolumeCreateRequest::default() };
    bed.api.create_volume(theirs).await.unwrap();
    let error = bed.engine.prepare(&case.revision).await.unwrap_err();
    told(&error, &format!("volume `{volume}` is there already"));
    bed.api.remove_volume(&volume, None::<RemoveVolumeOptions>).await.unwrap();
    bed.engine.prepare(&case.revision).await.unwrap();
}

#[tokio::test]
async fn a_taken_name_is_told_with_its_owner() {
    let bed = Bed::new().await;
    let name = format!("{}-fixed", bed.project);
    let extra = format!("    container_name: {name}\n");
    let old = bed.case_of(&service(&extra, "")).await;
    let new = bed.case_of(&service(&extra, "")).await;
    let instance = started(&bed, &old).await;
    bed.engine.prepare(&new.revision).await.unwrap();
    let error = bed.engine.ensure(&new.revision, Slot::first(1).next().unwrap()).await.unwrap_err();
    told(&error, &format!("container `{name}` is there already, and belongs to project `{}`", bed.project));
    bed.engine.remove(&bed.project, &instance.id).await.unwrap();
    started(&bed, &new).await;
}

#[tokio::test]
async fn what_cannot_be_started_is_not_left_behind() {
    let bed = Bed::new().await;
    let yaml =
        "services:\n  sample:\n    image: IMAGE\n    command: [/no-such-program]\n    expose: ['8080']\n";
    let case = bed.case_of(yaml).await;
    bed.engine.prepare(&case.revision).await.unwrap();
    let error = bed.engine.ensure(&case.revision, Slot::first(1).next().unwrap()).await.unwrap_err();
    told(&error, "no-such-program");
    assert_eq!(bed.engine.observe(&bed.project).await.unwrap().instances, []);
}

#[tokio::test]
async fn an_image_that_no_registry_gives_is_told() {
    let bed = Bed::new().await;
    let case = bed.case_of(&service("", "")).await;
    let mut project = case.project.clone();
    let found = project.services.values_mut().next().unwrap();
    found.image.as_mut().unwrap().value = "127.0.0.1:1/shop/web:1".to_owned();
    let found = found.clone();
    let seen = bed.engine.inspect(&project, &found).await.unwrap();
    assert!(seen.artifact.is_none() && seen.builds);
    let error = bed.engine.build(&project, &found, &mut |_| {}).await.unwrap_err();
    told(&error, "`127.0.0.1:1/shop/web:1` of service `sample` cannot be fetched");
    bed.engine().observe(&bed.project).await.unwrap();
}
