//! A service must be able to say when it is ready.

use seaworthy_project::model::healthcheck::HealthTest;

use crate::dockerfile::Keyword;
use crate::mend::insert_line;
use crate::{
    Confidence, Context, EditValue, Example, Findings, Fix, Grade, Group, Level, Mend, Rule, Severity,
    Subject,
};

pub(crate) const RULE: Rule = Rule {
    id: "missing-healthcheck",
    severity: Severity::Medium,
    grades: &[REACHED],
    group: Group::Reliability,
    summary: "nothing tells when the service is ready",
    why: "A deploy moves traffic when an instance is ready, and dependants start when it is healthy. Without a check, started \
          counts as ready: requests reach a service that is still warming up, and one that hangs is never replaced.",
    fix: "Add `healthcheck`, or let the gateway ask from outside with `x-seaworthy.probe`, which needs no program in the image.",
    bad: "services:\n  web:\n    image: shop:1.4\n    ports: [\"80:8000\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    ports: [\"80:8000\"]\n    x-seaworthy:\n      probe: { ready: \"GET /ready\" }\n",
    more: &[
        Example {
            of: "a service that nobody reaches from outside",
            bad: "services:\n  worker:\n    image: shop:1.4\n",
            good: "services:\n  worker:\n    image: shop:1.4\n    healthcheck:\n      test: [CMD, shop, check]\n",
        },
        Example {
            of: "a check that is turned off",
            bad: "services:\n  web:\n    image: shop:1.4\n    healthcheck: { disable: true }\n",
            good: "services:\n  web:\n    image: shop:1.4\n    healthcheck:\n      test: [CMD, shop, check]\n",
        },
    ],
    references: &["CIS Docker 1.6, 4.6, 5.27"],
    check,
};

const REACHED: Grade = Grade::new(
    Severity::High,
    "where requests from outside go to the service, by a route or by a port published beyond the machine: they meet one that is not ready",
);

const LISTENS_ON_NOTHING: &str = "Add `healthcheck` with a command that fails when the service hangs. One that listens on \
    nothing can touch a file while it works, and the command looks at the file's age.";

/// Whether the service has a health check of Compose's own kind that tests something.
pub(crate) fn has_test(service: &Subject<'_>) -> bool {
    let check = service.healthcheck.as_ref();
    check.is_some_and(|check| !matches!(check.value.test, Some(HealthTest::Disabled)))
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running() {
        let in_image =
            || context.build_of(&service.name.value).is_some_and(|(file, build)| build.has_healthcheck(file));
        if has_test(&service)
            || (service.healthcheck.is_none() && in_image())
            || service.settings.probe.ready.is_some()
            || service.settings.probe.live.is_some()
        {
            continue;
        }
        let (name, span) = (&service.name.value, service.span_of(&["healthcheck"]));
        let message = match service.healthcheck {
            Some(_) => format!("`{name}` turns its health check off, so nothing tells when it is ready."),
            None => format!("`{name}` has no health check, so nothing tells when it is ready."),
        };
        let finding = findings.report(service.place(&["healthcheck"]), span, message);
        if service.healthcheck.is_none() {
            finding.absent("a health check");
        }
        if service.is_reachable() {
            finding.grade(REACHED);
        }
        if service.known.is_none() && service.image.is_some() && service.healthcheck.is_none() {
            finding.confidence(Confidence::Likely);
        }
        finding.mend(test_of_base(context, &service).filter(|_| service.healthcheck.is_none()));
        match known_test(&service).filter(|_| service.healthcheck.is_none()) {
            Some(fix) => {
                finding.fix(fix);
            }
            None if service.is_reachable() || !service.ports.is_empty() => {
                let example =
                    service.edit(&["x-seaworthy", "probe", "ready"], EditValue::text("GET /health"));
                finding.snippet(&[example.comment("The path that answers when the service can work.")]);
            }
            None => {
                finding.help(LISTENS_ON_NOTHING);
            }
        }
    }
}

/// A `HEALTHCHECK` with the test of a well-known base image, where the image still runs what its base runs.
fn test_of_base(context: &Context<'_>, service: &Subject<'_>) -> Option<Mend> {
    let (file, build) = context.build_of(&service.name.value)?;
    let replaced = [Keyword::Cmd, Keyword::Entrypoint].iter().any(|word| build.last(file, *word).is_some());
    if replaced || build.is_command_replaced() {
        return None;
    }
    let health = build.base_image(file)?.health.as_ref()?;
    let test = match health.test.split_first()? {
        (form, words) if form == "CMD" => {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("[{}]", words.join(", "))
        }
        (_, words) => words.join(" "),
    };
    let last = file.dockerfile.of_stage(build.target?).last()?;
    let source = context.project.sources.get(last.span.file)?;
    let start = health.start_period;
    let line =
        format!("HEALTHCHECK --interval=10s --timeout=5s --retries=5 --start-period={start}s CMD {test}");
    let mend = Mend::new(Level::NeedsImageKnowledge, insert_line(last, &source.text, &line)?);
    Some(mend.may_break("A variant of the image without that program never gets healthy."))
}

/// The test that comes with what is known of the image. A test is never made up.
fn known_test(service: &Subject<'_>) -> Option<Fix> {
    let health = service.known?.health.as_ref()?;
    let test = health.test.iter().map(|word| word.replace('$', "$$"));
    let edits = vec![
        service.edit(&["healthcheck", "test"], EditValue::list(test)),
        service.edit(&["healthcheck", "interval"], EditValue::text("10s")),
        service.edit(&["healthcheck", "timeout"], EditValue::text("5s")),
        service.edit(&["healthcheck", "retries"], EditValue::plain(5)),
        service.edit(&["healthcheck", "start_period"], EditValue::text(format!("{}s", health.start_period))),
    ];
    let fix = Fix::new(Level::NeedsImageKnowledge, edits).unproven(health.unproven);
    Some(fix.may_break("A variant of the image without that program never gets healthy."))
}
