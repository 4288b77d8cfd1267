//! What is known while a plan is carried out: its deadline, and which instances failed that may.

use std::collections::BTreeMap;
use std::time::Duration;

use seaworthy_engine::InstanceId;
use seaworthy_project::ServiceName;
use tokio::time::Instant;

use crate::{Action, FailureAction, Target};

/// What is known while a plan is carried out.
pub(super) struct Walk {
    /// When it must be done.
    pub(super) deadline: Instant,
    /// Whether the gateway was asked to take a new set.
    pub(super) admitted: bool,
    /// New instances that failed and were allowed to, and why they did. They get no requests.
    pub(super) failed: BTreeMap<InstanceId, String>,
}

impl Walk {
    pub(super) fn new(limit: Duration) -> Self {
        Self { deadline: Instant::now() + limit, admitted: false, failed: BTreeMap::new() }
    }

    /// Takes in that an instance failed; answers whether the plan may go on without it.
    pub(super) fn tolerates(&mut self, target: &Target, id: &InstanceId, reason: &str) -> bool {
        let Some(wanted) = target.get(&id.service) else { return false };
        let before = self.failed.keys().filter(|other| other.service == id.service && *other != id).count();
        let may =
            wanted.rolling.on_failure == FailureAction::Continue || before < wanted.rolling.may_fail as usize;
        if may {
            self.failed.insert(id.clone(), reason.to_owned());
        }
        may
    }

    /// A set of backends without those that failed.
    ///
    /// # Errors
    /// The service that would be left without any.
    pub(super) fn without_failed(
        &self,
        serving: &BTreeMap<ServiceName, Vec<InstanceId>>,
    ) -> Result<BTreeMap<ServiceName, Vec<InstanceId>>, ServiceName> {
        let well = |(service, instances): (&ServiceName, &Vec<InstanceId>)| {
            let left: Vec<InstanceId> =
                instances.iter().filter(|id| !self.failed.contains_key(id)).cloned().collect();
            match left.is_empty() && !instances.is_empty() {
                true => Err(service.clone()),
                false => Ok((service.clone(), left)),
            }
        };
        serving.iter().map(well).collect()
    }
}

/// Whether a failed step leaves all as it stands: the service whose instance failed says so.
pub(super) fn pauses(target: &Target, action: &Action, seen: &[(InstanceId, String)]) -> bool {
    let service = match action {
        Action::Ensure { instance } => Some(&instance.service),
        // Who failed comes first among what was seen.
        Action::AwaitReady { .. } => seen.first().map(|(id, _)| &id.service).or(action.service()),
        _ => None,
    };
    let wanted = service.and_then(|service| target.get(service));
    wanted.is_some_and(|wanted| wanted.rolling.on_failure == FailureAction::Pause)
}

#[cfg(test)]
mod tests {
    use seaworthy_engine::Slot;

    use super::*;
    use crate::Rolling;
    use crate::target::tests::wanted;

    #[test]
    fn as_many_may_fail_as_the_service_says_and_one_must_be_left() {
        let rolling = Rolling { may_fail: 1, ..Rolling::default() };
        let web = crate::Wanted { replicas: 3, rolling, ..wanted("web", &[]) };
        let ids: Vec<InstanceId> = Slot::first(3).map(|slot| web.instance(slot)).collect();
        let name = web.service.clone();
        let mut target = Target { services: vec![web], ..Target::default() };
        let mut walk = Walk::new(Duration::from_secs(1));
        assert!(walk.tolerates(&target, &ids[0], "ended"));
        assert!(walk.tolerates(&target, &ids[0], "ended again"), "it is counted once");
        assert!(!walk.tolerates(&target, &ids[1], "ended"));
        let serving = BTreeMap::from([(name.clone(), ids.clone())]);
        assert_eq!(walk.without_failed(&serving).unwrap()[&name], ids[1..]);

        target.services[0].rolling = Rolling { on_failure: FailureAction::Continue, ..Rolling::default() };
        assert!(walk.tolerates(&target, &ids[1], "ended") && walk.tolerates(&target, &ids[2], "ended"));
        assert_eq!(walk.without_failed(&serving), Err(name), "nobody would be left");
    }
}
