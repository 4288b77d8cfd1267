//! Looking at everything that a release promised.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use seaworthy_engine::{InstanceId, InstanceState};

use crate::controller::{question, with_causes};
use crate::operator::Operator;
use crate::verify::{Evidence, Verification, verify};
use crate::{ReleaseError, WantedKind, Way};

/// Instances looked at at a time.
const AT_ONCE: usize = 16;

impl Operator<'_> {
    /// Holds what runs against what the release that should run promised. Changes nothing.
    ///
    /// # Errors
    /// When engine or store cannot be read at all; what cannot be seen of a part is told in the answer.
    pub async fn verify(&self) -> Result<Verification, ReleaseError> {
        let goal = self.goal(self.store.current()?.as_ref(), Way::Forward)?;
        let observed = self.engine.observe(&self.project).await?;
        let runs = |id: &InstanceId| {
            observed.instances.iter().any(|one| &one.id == id && one.state == InstanceState::Running)
        };
        let wished = goal.target.services.iter().filter(|wanted| wanted.kind == WantedKind::Replica);
        let wished: Vec<InstanceId> = wished.flat_map(|wanted| wanted.instances()).filter(runs).collect();
        let (mut facts, mut answers) = (BTreeMap::new(), BTreeMap::new());
        for some in wished.chunks(AT_ONCE) {
            let looks = some.iter().filter_map(|id| {
                let revision = goal.revisions.get(&id.service)?;
                let probe = question(&revision.service);
                Some(async move {
                    let facts = self.engine.facts(revision, id).await;
                    (id, facts, self.engine.probe(&self.project, id, &probe).await)
                })
            });
            for (id, seen, answer) in join_all(looks).await {
                facts.insert(id.clone(), seen.map_err(|error| with_causes(&error)));
                answers.insert(id.clone(), answer.map_err(|error| with_causes(&error)));
            }
        }
        let serving = self.traffic.serving(&self.project).await.map_err(|error| with_causes(&error));
        Ok(verify(&Evidence {
            target: &goal.target,
            revisions: &goal.revisions,
            observed: &observed,
            facts,
            answers,
            serving,
            listening: self.traffic.listening(),
        }))
    }
}
