//! What everybody may write, an intruder may write.

use crate::dockerfile::Keyword;
use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "world-writable-files",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "files of the image may be written by everyone",
    why: "Any process in the container, whatever its user, can replace the program or its settings, and wait until \
          someone runs it.",
    fix: "Give the files to the one user that writes them: `COPY --chown=10001 …`, `chmod 755` for programs, `644` \
          for the rest.",
    bad: "FROM debian:13-slim\nRUN chmod -R 777 /app\n",
    good: "FROM debian:13-slim\nRUN chmod -R 755 /app\n",
    more: &[Example {
        of: "what is copied",
        bad: "FROM debian:13-slim\nCOPY --chmod=777 app /app\n",
        good: "FROM debian:13-slim\nCOPY --chmod=755 app /app\n",
    }],
    references: &["CIS Docker 1.6, 4.8"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (stage, step) in file.steps().filter(|(stage, _)| file.is_shipped(*stage)) {
            let flag = step
                .flags
                .iter()
                .find(|flag| flag.name == "chmod" && flag.value.as_deref().is_some_and(is_open));
            if let Some(flag) = flag {
                let message = format!("`{}` lets everyone write what is copied.", step.name.text);
                let evidence = step.words.last().map_or("copy", |word| word.text.as_str());
                file.report(findings, flag.span, evidence, message);
            }
            if step.keyword != Keyword::Run {
                continue;
            }
            for command in step.commands.iter().filter(|command| command.program() == "chmod") {
                if let Some(word) = command.operands().next().filter(|word| is_open(&word.text)) {
                    let target = command.operands().nth(1).map_or("", |word| word.text.as_str());
                    let message = format!("`chmod {}` lets everyone write `{target}`.", word.text);
                    file.report(findings, word.span, &format!("{stage} {target}"), message);
                }
            }
        }
    }
}

/// Whether a mode lets everyone write. A folder with the sticky bit, as `/tmp` has, is meant for that.
fn is_open(mode: &str) -> bool {
    if mode.chars().all(|c| c.is_ascii_digit()) {
        let sticky = mode.len() == 4 && mode.starts_with(['1', '3', '5', '7']);
        return mode.len() >= 3 && mode.ends_with(['2', '3', '6', '7']) && !sticky;
    }
    mode.split(',').any(|part| {
        let (who, rights) = part.split_once(['+', '=']).unwrap_or(("", ""));
        (who.contains('o')
            || who.contains('a')
            || (who.is_empty() && part.starts_with('+') && part.contains('w') && part.contains('a')))
            && rights.contains('w')
    })
}
