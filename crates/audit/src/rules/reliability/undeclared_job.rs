//! What runs once has to be told from what always runs.

use seaworthy_project::model::dependency::Condition;

use crate::{Confidence, Context, EditValue, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "undeclared-job",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Reliability,
    summary: "service looks like a job, and nothing says so",
    why: "A migration that counts as a service is started beside the ones that need its result, is kept running or reported \
          as down when it ends, and its failure does not stop a deploy.",
    fix: "Say when it runs: `x-seaworthy: { run: before-deploy }`, or let the others wait with \
          `condition: service_completed_successfully`. If it does stay up, give it `restart: unless-stopped`.",
    bad: "services:\n  web:\n    image: shop:1.4\n    depends_on: [migrate]\n  migrate:\n    image: shop:1.4\n    \
          command: [./migrate]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    depends_on: [migrate]\n  migrate:\n    image: shop:1.4\n    \
           command: [./migrate]\n    x-seaworthy: { run: before-deploy }\n",
    more: &[],
    references: &["Compose Specification, depends_on"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in
        context.subjects().filter(|service| service.is_job && !context.is_declared_job(service.service()))
    {
        let name = &service.name.value;
        let message = format!("`{name}` looks like a job that runs once, and nothing says so.");
        let example = service.edit(&["x-seaworthy", "run"], EditValue::text("before-deploy"));
        let finding = findings.report(service.place(&["x-seaworthy", "run"]), service.name.span, message);
        finding.confidence(Confidence::Likely).snippet(&[example]);
        for dependant in context.subjects() {
            let waits =
                dependant.service().depends_on.iter().find(|dependency| dependency.service.value == *name);
            if let Some(dependency) = waits.filter(|dependency| dependency.condition == Condition::Started) {
                finding.related(dependency.service.span, "this waits only until it has started");
            }
        }
    }
}
