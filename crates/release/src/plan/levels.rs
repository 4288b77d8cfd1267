//! Levels: what may be brought up together, because nothing in a level needs anything else in it.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_project::ServiceName;
use seaworthy_project::model::settings::RunWhen;

use crate::{Target, Wanted, WantedKind};

/// The services and the jobs that run before the switch, level by level: each level needs only what is in those before
/// it. Jobs, with what they need, come before everything that they do not need.
pub(super) fn of(target: &Target) -> Vec<Vec<&Wanted>> {
    let wanted =
        || target.services.iter().filter(|wanted| wanted.kind != WantedKind::Job(RunWhen::AfterDeploy));
    let early = needed_by_jobs(target);
    let mut depths: BTreeMap<&ServiceName, usize> = BTreeMap::new();
    let mut levels: Vec<Vec<&Wanted>> = Vec::new();
    for late in [false, true] {
        let floor = levels.len();
        // What a service needs stands before it in a target, so its depth is known by then.
        for wanted in wanted().filter(|wanted| early.contains(&wanted.service) != late) {
            let needed = wanted.needs.iter().filter_map(|need| depths.get(need)).max();
            let depth = needed.map_or(floor, |depth| (depth + 1).max(floor));
            depths.insert(&wanted.service, depth);
            if levels.len() <= depth {
                levels.resize(depth + 1, Vec::new());
            }
            levels[depth].push(wanted);
        }
    }
    levels
}

/// The jobs that run before the switch, and all they need.
fn needed_by_jobs(target: &Target) -> BTreeSet<&ServiceName> {
    let is_job = |wanted: &&Wanted| wanted.kind == WantedKind::Job(RunWhen::BeforeDeploy);
    let mut open: Vec<&ServiceName> =
        target.services.iter().filter(is_job).map(|wanted| &wanted.service).collect();
    let mut needed = BTreeSet::new();
    while let Some(name) = open.pop() {
        if needed.insert(name) {
            open.extend(target.get(name).into_iter().flat_map(|wanted| &wanted.needs));
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::tests::wanted;

    fn names(target: &Target) -> Vec<String> {
        let line = |level: &Vec<&Wanted>| {
            level.iter().map(|wanted| wanted.service.to_string()).collect::<Vec<_>>().join(" ")
        };
        of(target).iter().map(line).collect()
    }

    #[test]
    fn each_level_needs_only_what_is_before_it() {
        let job = Wanted { kind: WantedKind::Job(RunWhen::BeforeDeploy), ..wanted("migrate", &["db"]) };
        let after = Wanted { kind: WantedKind::Job(RunWhen::AfterDeploy), ..wanted("report", &["web"]) };
        let services = vec![
            wanted("db", &[]),
            job,
            wanted("cache", &[]),
            wanted("web", &["db", "migrate", "cache"]),
            wanted("worker", &["db"]),
            after,
        ];
        let target = Target { release: None, services, ..Target::default() };
        assert_eq!(names(&target), ["db", "migrate", "cache worker", "web"]);
        assert!(names(&Target::default()).is_empty());
    }
}
