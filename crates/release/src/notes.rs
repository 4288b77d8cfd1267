//! What a plan must say about settings that are kept in another way than they are written.

use seaworthy_project::{Project, Service};

use crate::needs::job_time;
use crate::{Rolling, StopFirst, Timers, Way};

/// Sentences about a project, for whoever reads its plan.
pub(crate) fn of(project: &Project) -> Vec<String> {
    project
        .services()
        .flat_map(|service| match job_time(project, service) {
            Some(_) => job(service),
            None => rolling(project, service),
        })
        .collect()
}

/// Settings of `update_config` that have nothing to act on.
fn rolling(project: &Project, service: &Service) -> Vec<String> {
    let name = &service.name.value;
    let replicas = service.replicas();
    let rolling = Rolling::of(service, replicas, Way::Forward);
    let mut notes = Vec::new();
    let group = rolling.group.filter(|size| *size < replicas);
    if let (Some(StopFirst::Forced(reason)), Some(_)) =
        (StopFirst::of(project, service, Way::Forward), rolling.group)
    {
        notes.push(format!("`update_config.parallelism` of `{name}` changes nothing: {reason}"));
    } else if !rolling.delay.is_zero() && group.is_none() && replicas > 1 {
        notes.push(format!(
            "`update_config.delay` of `{name}` changes nothing: all {replicas} instances are replaced at once; `parallelism` makes groups"
        ));
    }
    let delays = group.map_or(0, |size| replicas.div_ceil(size.max(1)).saturating_sub(1));
    let progress = Timers::of(project, service, Way::Forward).progress_deadline;
    let each = Timers::of(project, service, Way::Forward).min_healthy;
    if each * delays.saturating_add(1) > progress {
        notes.push(format!(
            "`{name}` takes longer than its `progress_deadline` of {} s: {} groups must be ready for {} s each",
            progress.as_secs_f64(),
            delays + 1,
            each.as_secs_f64()
        ));
    }
    notes
}

/// A job is run once: what would start it again is not carried out.
fn job(service: &Service) -> Vec<String> {
    let restart = service.restart.as_ref().is_some_and(|restart| restart.value != "no");
    let policy = service.deploy.restart.as_ref();
    let again = policy.is_some_and(|policy| policy.condition.as_deref() != Some("none"));
    let mut notes = Vec::new();
    if restart || again {
        notes.push(format!(
            "`restart` of job `{}` changes nothing: it runs once, after what it depends on is ready; if it fails, so does the deploy",
            service.name.value
        ));
    }
    if service.replicas() > 1 {
        notes.push(format!("`replicas` of job `{}` changes nothing: it runs once", service.name.value));
    }
    notes
}

#[cfg(test)]
mod tests {
    use seaworthy_project::fixture::load_yaml;

    use super::*;

    #[test]
    fn settings_without_effect_are_told_and_no_others() {
        let told = |web: &str| of(&load_yaml(&format!("services:\n  web:\n    image: web:1\n    {web}\n")));
        assert!(told("deploy: { replicas: 3, update_config: { parallelism: 1, delay: 5s } }").is_empty());
        assert!(told("deploy: { update_config: { delay: 5s } }").is_empty());
        let delay = told("deploy: { replicas: 3, update_config: { delay: 5s, parallelism: 0 } }");
        assert!(delay[0].contains("`update_config.delay` of `web`"), "{delay:?}");
        let name = told("container_name: web\n    deploy: { update_config: { parallelism: 1 } }");
        assert!(name[0].contains("`update_config.parallelism` of `web`"), "{name:?}");
        let long = told("deploy: { replicas: 30, update_config: { parallelism: 1, monitor: 1m } }");
        assert!(long[0].contains("longer than its `progress_deadline`"), "{long:?}");
        let job = told("restart: always\n    x-seaworthy: { run: before-deploy }");
        assert!(job[0].contains("`restart` of job `web`"), "{job:?}");
    }
}
