//! A signature that nobody looks at protects nobody.

use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unsigned-packages",
    severity: Severity::High,
    grades: &[],
    group: Group::Build,
    summary: "packages are installed without a valid signature",
    why: "Packages come from mirrors that anyone may run; the signature is what says that they are what the \
          distribution made.",
    fix: "Remove the switch, and add the key of the repository that the packages come from.",
    bad: "FROM debian:13-slim\nRUN apt-get install -y --allow-unauthenticated app\n",
    good: "FROM debian:13-slim\nRUN apt-get install -y app\n",
    more: &[Example {
        of: "a source that is trusted as it is",
        bad: "FROM debian:13-slim\nRUN echo \"deb [trusted=yes] https://example.com/deb stable main\" > \
                  /etc/apt/sources.list.d/app.list\n",
        good: "FROM debian:13-slim\nRUN echo \"deb [signed-by=/etc/apt/keyrings/app.asc] \
                   https://example.com/deb stable main\" > /etc/apt/sources.list.d/app.list\n",
    }],
    references: &["CIS Docker 1.6, 4.11", "CIS Docker 1.6, 4.12"],
    check,
};

const SWITCHES: [(&str, &[&str]); 7] = [
    ("apt-get", &["--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"]),
    ("apt", &["--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"]),
    ("apk", &["--allow-untrusted"]),
    ("yum", &["--nogpgcheck", "--setopt=gpgcheck=0"]),
    ("dnf", &["--nogpgcheck", "--setopt=gpgcheck=0", "--no-gpgchecks"]),
    ("zypper", &["--no-gpg-checks"]),
    ("rpm", &["--nosignature", "--nodigest", "--nogpgcheck"]),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (_, command) in file.commands() {
            let known = SWITCHES.iter().find(|(program, _)| *program == command.program());
            let switch = command.arguments().iter().find(|word| {
                let listed = known.is_some_and(|(_, switches)| switches.contains(&word.text.as_str()));
                let trusted = word.text.contains("trusted=yes") && !word.text.starts_with("http");
                listed || trusted || word.text == "gpgcheck=0"
            });
            if let Some(word) = switch {
                let shown =
                    if word.text.contains("trusted=yes") { "trusted=yes" } else { word.text.as_str() };
                let message = format!("`{shown}` installs packages that nobody may have signed.");
                file.report(findings, word.span, shown, message);
            }
        }
    }
}
