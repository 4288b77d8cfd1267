//! What is told of and done beside the instances of the fake engine.

use std::collections::BTreeMap;

use seaworthy_project::ProjectName;
use seaworthy_project::model::mount::MountKind;

use super::Fake;
use crate::facts::{Facts, Seen, SeenCapabilities, SeenFile, SeenMount, SeenUser};
use crate::{
    EngineError, Exec, ExecControl, ExecStreams, Instance, InstanceId, InstanceState, LogStream, Observed,
    Revision, Usage,
};

impl Fake {
    /// Sets what is told of an instance from now on, whatever was promised.
    pub fn tell_facts(&self, instance: &InstanceId, facts: Facts) {
        self.state().facts.insert(instance.to_string(), facts);
    }

    /// What holds where every promise of a revision is kept.
    pub fn kept_promises(revision: &Revision) -> Facts {
        let service = &revision.service;
        let numbers = service.user.as_ref().map(|user| {
            let (uid, gid) = user.value.split_once(':').unwrap_or((&user.value, &user.value));
            (uid.parse().unwrap_or(1000), gid.parse().unwrap_or(1000))
        });
        let (uid, gid) = numbers.unwrap_or((0, 0));
        let mounts = service.mounts.iter().map(|mount| &mount.value).map(|mount| SeenMount {
            target: mount.target.clone(),
            kind: match mount.kind {
                MountKind::Volume => "volume",
                MountKind::Bind => "bind",
                MountKind::Tmpfs | MountKind::Other => "tmpfs",
            }
            .to_owned(),
            source: mount.source.as_ref().map(|source| {
                let volume = revision.volumes.iter().find(|volume| &volume.key.value == source);
                volume.map_or_else(|| source.clone(), |volume| volume.name.clone())
            }),
            read_only: mount.read_only,
        });
        let files = revision.files.iter().map(|file| SeenFile {
            target: file.target.clone(),
            mode: file.mode.unwrap_or(0o400),
            uid: file.uid.unwrap_or(uid),
            gid: file.gid.unwrap_or(gid),
            in_memory: true,
        });
        Facts {
            artifact: Seen::Is(revision.artifact.digest.clone()),
            user: Seen::Is(SeenUser { uid, gid, promised: numbers }),
            read_only_root: Seen::Is(service.read_only.as_ref().is_some_and(|read_only| read_only.value)),
            root_refuses: Seen::Is(service.read_only.as_ref().is_some_and(|read_only| read_only.value)),
            capabilities: Seen::Is(SeenCapabilities { effective: 0, bounding: 0 }),
            no_new_privileges: Seen::Is(true),
            seccomp: Seen::Is(true),
            apparmor: Seen::NotCarried,
            memory_bytes: Seen::Is(service.memory_limit().map(|memory| memory.0)),
            cpu_millis: Seen::Is(service.cpu_limit().map(|cpus| cpus.millis)),
            pids: Seen::Is(
                service.deploy.limits.pids.as_ref().and_then(|pids| u64::try_from(pids.value).ok()),
            ),
            ulimits: Seen::Is(BTreeMap::new()),
            published: Seen::Is(Vec::new()),
            files: Seen::Is(files.collect()),
            exposed: Seen::Is(Vec::new()),
            restart: Seen::Is(
                service.restart.as_ref().map_or("no", |restart| restart.value.as_str()).to_owned(),
            ),
            networks: Seen::Is(revision.networks.iter().map(|network| network.name.clone()).collect()),
            mounts: Seen::Is(mounts.collect()),
        }
    }

    pub(super) fn look(&self, project: &ProjectName) -> Observed {
        let elapsed = self.began.elapsed();
        let state = self.state();
        let ours = state.instances.iter().filter(|((owner, _), _)| owner == project);
        let mut instances: Vec<Instance> = ours.map(|(_, instance)| instance.show(elapsed)).collect();
        instances.sort_by(|one, other| one.id.cmp(&other.id));
        Observed { taken_at: Self::timestamp(elapsed), instances }
    }

    pub(super) fn shown(&self, project: &ProjectName, id: &InstanceId) -> Result<Instance, EngineError> {
        let elapsed = self.began.elapsed();
        let shown = self.state().find(project, id).map(|found| found.show(elapsed));
        shown.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })
    }

    pub(super) fn facts_of(&self, revision: &Revision, id: &InstanceId) -> Result<Facts, EngineError> {
        if self.shown(&revision.project, id)?.state != InstanceState::Running {
            return Ok(Facts::unseen("it does not run"));
        }
        let told = self.state().facts.get(&id.to_string()).cloned();
        Ok(told.unwrap_or_else(|| Self::kept_promises(revision)))
    }

    pub(super) fn usage_of(
        &self,
        project: &ProjectName,
        id: &InstanceId,
    ) -> Result<Option<Usage>, EngineError> {
        let running = self.shown(project, id)?.state == InstanceState::Running;
        Ok(running.then(|| Usage {
            taken_at: Self::timestamp(self.began.elapsed()),
            cpu_nanos: u64::try_from(self.began.elapsed().as_nanos() / 10).unwrap_or(u64::MAX),
            memory_bytes: 16 << 20,
            memory_limit_bytes: None,
            received_bytes: None,
            sent_bytes: None,
            read_bytes: None,
            written_bytes: None,
            pids: 1,
        }))
    }

    /// Does what the sample program does: `job MS CODE` ends with that code, `echo` gives back what it reads.
    pub(super) async fn run_beside(
        &self,
        project: &ProjectName,
        id: &InstanceId,
        exec: &Exec,
        mut streams: ExecStreams,
    ) -> Result<i32, EngineError> {
        if self.shown(project, id)?.state != InstanceState::Running {
            let attempt = format!("run a command beside {id}");
            return Err(EngineError::Refused { attempt, reason: "it does not run".to_owned(), hint: None });
        }
        let words: Vec<&str> = exec.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [.., "job", _, code] => Ok(code.parse().unwrap_or(1)),
            [.., "echo"] => {
                while let Some(bytes) = streams.input.recv().await {
                    let _ = streams.output.send((LogStream::Stdout, bytes)).await;
                }
                Ok(0)
            }
            [.., "variable", name] => {
                let value = exec.variables.iter().find(|(key, _)| key == name);
                let value = value.map(|(_, value)| value.reveal().as_bytes().to_vec()).unwrap_or_default();
                let _ = streams.output.send((LogStream::Stdout, value)).await;
                Ok(0)
            }
            [.., "linger"] => loop {
                if let Some(ExecControl::Signal(number)) = streams.control.recv().await {
                    return Ok(128 + number);
                }
            },
            _ => Ok(127),
        }
    }
}
