//! Dockerfiles as people write them: each instruction and word is found at its place, and nothing hides the rest.

use proptest::prelude::*;
use seaworthy_audit::dockerfile::{Dockerfile, Form, Keyword, parse, parse_inline};
use seaworthy_project::{FileId, Position, Sources, Span};

fn read(text: &str) -> Dockerfile {
    parse(FileId(0), text)
}

/// `line:column NAME words` of each instruction.
fn shown(dockerfile: &Dockerfile) -> Vec<String> {
    let one = |instruction: &seaworthy_audit::dockerfile::Instruction| {
        let flags = instruction.flags.iter().map(|flag| format!("--{}", flag.name));
        let words = instruction.words.iter().map(|word| word.text.clone());
        let pair = |pair: &seaworthy_audit::dockerfile::Pair| {
            let value = pair.value.as_ref().map(|value| format!("={}", value.text)).unwrap_or_default();
            format!("{}{value}", pair.name.text)
        };
        let commands = instruction.commands.iter().map(|command| format!("<{}>", command.text()));
        let commands = commands.filter(|_| instruction.form != Form::List);
        let parts: Vec<String> =
            flags.chain(words).chain(instruction.pairs.iter().map(pair)).chain(commands).collect();
        let start = instruction.span.start;
        format!("{}:{} {} {}", start.line, start.column, instruction.name.text, parts.join(" "))
    };
    dockerfile.instructions.iter().map(one).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let dockerfile = read(text);
    assert_eq!(dockerfile.faults, [], "{text}");
    let lines: Vec<String> = shown(&dockerfile).iter().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn lines_that_go_on_may_have_comments_and_gaps_between() {
    check(
        "FROM a:1\nRUN apk add \\\n  # why\n\n  curl \\\n  git && \\\n    x\nUSER web\n",
        &["1:1 FROM a:1", "2:1 RUN <apk add curl git> <x>", "8:1 USER web"],
    );
    check("FROM a:1\nRUN a\\\\\nUSER b\n", &["1:1 FROM a:1", "2:1 RUN <a\\>", "3:1 USER b"]);
    check("FROM a:1\nRUN x \\   \n  y\n", &["1:1 FROM a:1", "2:1 RUN <x y>"]);
    check("FROM a:1\nRUN x \\\n", &["1:1 FROM a:1", "2:1 RUN <x>"]);
}

#[test]
fn byte_order_marks_line_ends_and_case_do_not_matter() {
    check(
        "\u{feff}# syntax=docker/dockerfile:1\r\nfrom a:1 as B\r\n  run x \\\r\n y\r\nEnv A=b\r\n",
        &["2:1 from a:1 as B", "3:3 run <x y>", "5:1 Env A=b"],
    );
    let dockerfile = read("\u{feff}# syntax=docker/dockerfile:1\r\n#check=skip=all\nFROM a:1 AS B\n");
    assert_eq!(dockerfile.directives.len(), 2);
    assert_eq!(dockerfile.stages[0].name.as_ref().map(|name| name.text.as_str()), Some("b"));
}

#[test]
fn the_escape_character_can_be_another() {
    check(
        "# escape=`\nFROM a:1\nCOPY a `\n  c:\\x\\\nRUN dir\n",
        &["2:1 FROM a:1", "3:1 COPY a c:\\x\\", "5:1 RUN <dir>"],
    );
}

#[test]
fn documents_belong_to_their_instruction() {
    let text = "FROM a:1\nRUN <<EOF\napk update\napk add git\nEOF\n# right behind\nRUN python3 <<-X && y\n\timport os; os.x('&& no')\n\tX\nCOPY <<A <<\"B\" /etc/\none\nA\n$two\nB\nUSER web\n";
    let dockerfile = read(text);
    assert_eq!(dockerfile.faults, []);
    let instructions = &dockerfile.instructions;
    assert_eq!(instructions.len(), 5, "{instructions:?}");
    let commands: Vec<String> = instructions[1].commands.iter().map(|command| command.text()).collect();
    assert_eq!(commands, ["apk update", "apk add git"]);
    assert_eq!(instructions[1].commands[1].span.start.line, 4);
    assert_eq!(instructions[2].commands.len(), 2, "{:?}", instructions[2].commands);
    assert_eq!(instructions[2].heredocs[0].body, "import os; os.x('&& no')\n");
    let bodies: Vec<&str> = instructions[3].heredocs.iter().map(|heredoc| heredoc.body.as_str()).collect();
    assert_eq!(bodies, ["one\n", "$two\n"]);
    assert_eq!(instructions[3].words.iter().map(|word| &word.text).collect::<Vec<_>>(), ["/etc/"]);
}

#[test]
fn a_document_for_a_shell_holds_commands() {
    let dockerfile = read("FROM a:1\nRUN <<EOT bash\n  set -ex\n  curl x | sh\nEOT\n");
    let programs: Vec<&str> =
        dockerfile.instructions[1].commands.iter().map(|command| command.program()).collect();
    assert_eq!(programs, ["bash", "set", "curl", "sh"]);
}

#[test]
fn flags_lists_pairs_and_health_checks() {
    check(
        "FROM --platform=linux/amd64 a:1 AS x\nRUN --mount=type=cache,target=/x --network=none y\nCOPY --link --chmod=755 --from=x a \"b c\" /d/\nCMD [\"a\", \"b c\"]\nENV A=1 B=\"2 3\" C='$x'\nENV OLD the rest\nARG V=1\nARG W\nLABEL a.b=\"c\"\n",
        &[
            "1:1 FROM --platform a:1 AS x",
            "2:1 RUN --mount --network <y>",
            "3:1 COPY --link --chmod --from a b c /d/",
            "4:1 CMD a b c",
            "5:1 ENV A=1 B=2 3 C=$x",
            "6:1 ENV OLD=the rest",
            "7:1 ARG V=1",
            "8:1 ARG W",
            "9:1 LABEL a.b=c",
        ],
    );
    let dockerfile =
        read("FROM a:1\nHEALTHCHECK --interval=5s CMD curl -f x || exit 1\nONBUILD COPY . /app\n");
    let inner = dockerfile.instructions[1].inner.as_ref().unwrap();
    assert_eq!(inner.commands.len(), 2);
    assert_eq!(dockerfile.instructions[2].inner.as_ref().unwrap().keyword, Keyword::Copy);
    assert_eq!(read("FROM a\nCMD ['a', 'b']\n").instructions[1].form, Form::BrokenList);
    assert_eq!(read("FROM a\nRUN [ -f x ]\n").instructions[1].form, Form::Shell);
}

#[test]
fn one_bad_line_does_not_hide_the_rest() {
    let dockerfile = read("FROM a:1\nRNU x\nCOPY a\nENV A\nRUN\nONBUILD FROM x\nRUN <<EOF\nUSER web\n");
    let places: Vec<String> = dockerfile
        .faults
        .iter()
        .map(|fault| format!("{}:{} {}", fault.span.start.line, fault.span.start.column, fault.message))
        .collect();
    assert_eq!(
        places,
        [
            "2:1 There is no instruction `RNU`.",
            "3:1 `COPY` names a source but no destination.",
            "4:5 `ENV` gives `A` no value.",
            "5:1 Nothing follows `RUN`.",
            "6:9 `ONBUILD` cannot hold `FROM`.",
            "7:5 The document that ends with `EOF` never ends.",
        ]
    );
    assert_eq!(dockerfile.faults[0].hint, "did you mean `RUN`?");
    assert_eq!(dockerfile.instructions.last().unwrap().keyword, Keyword::User);
    assert_eq!(read("# nothing\n").faults.len(), 1);
}

#[test]
fn stages_are_linked() {
    let dockerfile = read(
        "ARG BASE=build\nFROM a:1 AS build\nFROM x:1 AS tools\nFROM ${BASE} AS test\nRUN y\nFROM scratch\nCOPY --from=build /a /a\nRUN --mount=from=1,target=/t z\n",
    );
    assert_eq!(dockerfile.stages[2].parent, Some(0));
    assert_eq!(dockerfile.chain(2), [0, 2]);
    assert_eq!(dockerfile.needed(3), [true, true, false, true]);
    assert_eq!(dockerfile.target(Some("TEST")), Some(2));
    assert_eq!((dockerfile.target(None), dockerfile.target(Some("no"))), (Some(3), None));
}

#[test]
fn a_block_in_another_file_keeps_its_places() {
    let source = "services:\n  web:\n    build:\n      dockerfile_inline: |\n        FROM a:1\n        RUN x && \\\n          curl y | sh\n";
    let mut sources = Sources::default();
    let file = sources.add("compose.yaml".into(), source.to_owned());
    let byte = source.find('|').unwrap();
    let at = |byte, column| Position { byte, line: 4, column };
    let span = Span { file, start: at(byte, 26), end: at(byte + 1, 27) };
    let dockerfile = parse_inline(span, source, "FROM a:1\nRUN x && \\\n  curl y | sh\n");
    let command = &dockerfile.instructions[1].commands[1];
    assert_eq!(sources.place(&command.span), "compose.yaml:7:11");
    assert_eq!(sources.text(&command.span), Some("curl y"));
}

/// Lines that look like a Dockerfile.
fn dockerfile_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "FROM a:1 AS b",
        "FROM ${X:-y}",
        "from b",
        "RUN a && \\",
        "  # note",
        "",
        "  b | c",
        "RUN <<EOF",
        "EOF",
        "RUN <<-'É' bash",
        "\tÉ",
        "COPY --from=b --chmod=7 a\\ b \"c",
        "CMD [\"a\", \"é\"]",
        "CMD ['a']",
        "ENV A=1 B='",
        "ENV é ü \\",
        "ARG X=${Y:-$Z}",
        "HEALTHCHECK --x CMD",
        "HEALTHCHECK NONE",
        "ONBUILD ONBUILD RUN x",
        "# escape=`",
        "# syntax=x",
        "`",
        "\\",
        "\u{feff}RUN x",
        "LABEL a=\"b",
        "SHELL [\"x\"]",
        "EXPOSE 80/tcp é",
        "VOLUME [",
        "x",
        "RUN --mount=type=x,from=b $(a `b` ${c}) \"$(d",
        "USER",
        "WORKDIR é",
        "RUN a <<A <<B",
        "A",
        "B",
    ]);
    (prop::collection::vec(piece, 0..16), prop::sample::select(vec!["\n", "\r\n"]))
        .prop_map(|(lines, end)| lines.join(end))
}

fn survives(text: &str) -> Result<(), TestCaseError> {
    let dockerfile = read(text);
    let spans = dockerfile.instructions.iter().flat_map(|instruction| {
        let words = instruction.words.iter().map(|word| word.span);
        let pairs = instruction.pairs.iter().map(|pair| pair.name.span);
        let commands = instruction.commands.iter().map(|command| command.span);
        [instruction.span, instruction.name.span].into_iter().chain(words).chain(pairs).chain(commands)
    });
    for span in spans.chain(dockerfile.faults.iter().map(|fault| fault.span)) {
        prop_assert!(span.start.byte <= span.end.byte, "{text:?}: {span:?}");
        prop_assert!(text.get(span.start.byte..span.end.byte).is_some(), "{text:?}: {span:?}");
        let line = text[..span.start.byte].matches('\n').count() as u32 + 1;
        prop_assert_eq!(span.start.line, line, "{:?}: {:?}", text, span);
    }
    for stage in 0..dockerfile.stages.len() {
        let _ = (dockerfile.chain(stage), dockerfile.needed(stage));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn lines_of_any_kind_are_survived(text in dockerfile_like()) {
        survives(&text)?;
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,80}|(RUN|CMD|ENV|FROM|COPY|HEALTHCHECK CMD) [ -~\n\té]{0,80}") {
        survives(&text)?;
    }
}
