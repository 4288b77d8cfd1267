//! What a service needs before it is started: order, jobs, and whom it follows when they are replaced.

use seaworthy_project::model::dependency::{Condition, Dependency};
use seaworthy_project::model::settings::RunWhen;
use seaworthy_project::{Project, Service, ServiceName};

use crate::routes;

/// When a job runs; `None` for what is meant to run on. What a service says itself wins; else a service that others
/// wait for to complete (`service_completed_successfully`) is a job of every deploy.
pub(crate) fn job_time(project: &Project, service: &Service) -> Option<RunWhen> {
    if let Some(run) = &service.settings.run {
        return Some(run.value);
    }
    let awaited = project.services().flat_map(|other| &other.depends_on).any(|dependency| {
        dependency.condition == Condition::Completed && dependency.service.value == service.name.value
    });
    awaited.then_some(RunWhen::BeforeDeploy)
}

/// The services of a project that run before the switch and that this one waits for. A job after the deploy is
/// waited for by nobody.
pub(crate) fn of(project: &Project, service: &Service) -> Vec<ServiceName> {
    let before = |needed: &&Service| job_time(project, needed) != Some(RunWhen::AfterDeploy);
    present(project, service)
        .map(|(_, needed)| needed)
        .filter(before)
        .map(|it| it.name.value.clone())
        .collect()
}

/// The services whose replacement replaces this one: those with `restart: true`, and those it shares something with
/// that is gone with their container.
pub(crate) fn followed<'a>(project: &'a Project, service: &'a Service) -> Vec<&'a ServiceName> {
    let sources = service.node.get("volumes_from").map(|node| node.items()).unwrap_or_default();
    let mounted = |name: &ServiceName| {
        let mut sources = sources.iter().filter_map(|source| source.text());
        sources.any(|source| source.split(':').next() == Some(name.as_str()))
    };
    present(project, service)
        .filter(|(dependency, needed)| dependency.restart || mounted(&needed.name.value))
        .filter(|(_, needed)| job_time(project, needed).is_none())
        .map(|(_, needed)| &needed.name.value)
        .collect()
}

/// Dependencies that are there: one that is not `required` may be left out by a profile.
fn present<'a>(
    project: &'a Project,
    service: &'a Service,
) -> impl Iterator<Item = (&'a Dependency, &'a Service)> {
    let needed =
        |dependency: &'a Dependency| Some((dependency, project.services.get(&dependency.service.value)?));
    service.depends_on.iter().filter_map(needed)
}

/// The order in which services are brought up: each after what it depends on, jobs that run before the deploy
/// before everything they do not depend on, routed services as early as they may (the first instance of one proves
/// the release), then as written.
pub(crate) fn order(project: &Project) -> Vec<&ServiceName> {
    let order = project.dependency_order();
    let is_early_job = |name: &ServiceName| {
        project.services.get(name).and_then(|service| job_time(project, service))
            == Some(RunWhen::BeforeDeploy)
    };
    let mut needed_by_jobs: Vec<&ServiceName> =
        order.iter().copied().filter(|name| is_early_job(name)).collect();
    let mut index = 0;
    while let Some(name) = needed_by_jobs.get(index) {
        let service = project.services.get(*name);
        for dependency in service.iter().flat_map(|service| &service.depends_on) {
            if let Some((name, _)) = project.services.get_key_value(&dependency.service.value)
                && !needed_by_jobs.contains(&name)
            {
                needed_by_jobs.push(name);
            }
        }
        index += 1;
    }
    let (first, rest): (Vec<_>, Vec<_>) = order.into_iter().partition(|name| needed_by_jobs.contains(name));
    first.into_iter().chain(routed_early(project, rest)).collect()
}

/// Pulls routed services, with what they depend on, before the others.
fn routed_early<'a>(project: &'a Project, order: Vec<&'a ServiceName>) -> Vec<&'a ServiceName> {
    let mut early: Vec<&ServiceName> = Vec::new();
    for name in order.iter().rev() {
        let Some(service) = project.services.get(*name) else { continue };
        let needed = early.iter().any(|other| {
            let depends = project.services.get(*other).map(|service| &service.depends_on);
            depends.is_some_and(|depends| depends.iter().any(|dependency| &dependency.service.value == *name))
        });
        if needed || !routes::wishes(service).is_empty() {
            early.push(name);
        }
    }
    let (early, late): (Vec<_>, Vec<_>) = order.into_iter().partition(|name| early.contains(name));
    early.into_iter().chain(late).collect()
}
