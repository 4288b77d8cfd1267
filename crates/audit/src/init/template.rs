//! The template of an environment's variables: to be copied, filled in, and kept out of Git.

use super::{Kind, Variable};

/// The template with every variable; what is there stays as it is.
pub(super) fn write(old: Option<&str>, variables: &[Variable], environment: &str) -> String {
    let old = old.unwrap_or_default();
    let newline = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let mut text = old.to_owned();
    if old.is_empty() {
        text = format!(
            "# Copy this file to .env.{environment}, fill it in, keep it out of Git and readable by you alone (chmod 600).\n\
             # What stands in <angle brackets> has to be replaced: `seaworthy check` refuses it.\n"
        );
    }
    if !text.ends_with('\n') {
        text.push_str(newline);
    }
    let missing: Vec<&Variable> =
        variables.iter().filter(|variable| !is_there(old, &variable.name)).collect();
    let (first, then): (Vec<&Variable>, Vec<&Variable>) =
        missing.into_iter().partition(|variable| variable.is_to_fill_in());
    for variable in first.into_iter().chain(then) {
        text.push_str(newline);
        for line in lines(variable) {
            text.push_str(&line);
            text.push_str(newline);
        }
    }
    if text.trim().is_empty() || text == format!("{old}{newline}") { old.to_owned() } else { text }
}

/// Whether a variable is in the template, be it as a comment.
fn is_there(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start().trim_start_matches('#').trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
    })
}

fn lines(variable: &Variable) -> Vec<String> {
    let mut lines: Vec<String> = variable.about.iter().map(|about| format!("# {about}")).collect();
    let mut words =
        vec![if variable.kind == Kind::Secret { "secret".to_owned() } else { variable.kind.to_string() }];
    words
        .push(if variable.is_to_fill_in() || variable.required { "required" } else { "optional" }.to_owned());
    if !variable.used_by.is_empty() {
        words.push(format!("used by {}", variable.used_by.join(", ")));
    }
    lines.push(format!("# {}", words.join("; ")));
    if variable.secret {
        lines.push("# make one with: openssl rand -hex 24".to_owned());
    }
    if let Some(file) = variable.given_by.as_ref().filter(|_| !variable.is_to_fill_in()) {
        lines.push(format!("# {file} gives it; say it here when production differs"));
    }
    let sample = variable.sample.as_deref();
    lines.push(match (variable.is_to_fill_in(), sample) {
        (true, _) => format!("{}={}", variable.name, variable.kind.placeholder()),
        (false, sample) => format!("#{}={}", variable.name, sample.unwrap_or_default()),
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, required: bool, sample: Option<&str>) -> Variable {
        let kind = Kind::of(name, &[], sample);
        Variable {
            name: name.to_owned(),
            kind,
            required,
            secret: kind == Kind::Secret,
            sample: sample.map(str::to_owned),
            given_by: None,
            used_by: vec!["web".to_owned()],
            about: None,
        }
    }

    #[test]
    fn what_must_be_filled_in_comes_first_and_nothing_is_written_twice() {
        let all = [variable("LEVEL", false, Some("info")), variable("DB_PASSWORD", true, None)];
        let text = write(None, &all, "staging");
        assert!(text.starts_with("# Copy this file to .env.staging"), "{text}");
        assert!(text.ends_with(
            "\n# secret; required; used by web\n# make one with: openssl rand -hex 24\nDB_PASSWORD=<secret>\n\n\
             # text; optional; used by web\n#LEVEL=info\n"
        ));
        assert_eq!(write(Some(&text), &all, "staging"), text, "a second time changes nothing");
    }

    #[test]
    fn what_is_there_stays_with_its_line_ends() {
        let old = "# mine\r\nexport LEVEL=warn";
        let all = [variable("LEVEL", false, None), variable("PORT", true, None)];
        let text = write(Some(old), &all, "production");
        assert_eq!(text, format!("{old}\r\n\r\n# port; required; used by web\r\nPORT=<port>\r\n"));
        let complete = "PORT=<port>\nLEVEL=info";
        assert_eq!(write(Some(complete), &all, "production"), complete, "not even a line end is added");
    }
}
