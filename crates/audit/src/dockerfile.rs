//! Reads Dockerfiles: every instruction, flag and word with its place. One bad line never hides the rest.

mod arguments;
mod heredoc;
mod lines;
mod parse;
mod places;
mod stages;
mod variables;
mod words;

use seaworthy_project::Span;

pub use parse::{parse, parse_inline};
pub use stages::Stage;
pub(crate) use stages::sources_elsewhere;

use crate::shell::Command;

/// A Dockerfile, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dockerfile {
    /// What stands above everything else: `# syntax=`, `# escape=`, `# check=`.
    pub directives: Vec<(String, Word)>,
    /// The instructions, in the order written.
    pub instructions: Vec<Instruction>,
    /// The stages, in the order written.
    pub stages: Vec<Stage>,
    /// What is wrong, each at its place.
    pub faults: Vec<Fault>,
}

/// Something that keeps a Dockerfile from being built.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Where.
    pub span: Span,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Its text: quotes and escapes resolved, variables as written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Whether a part of it was in single quotes, in which nothing is filled in.
    pub literal: bool,
}

/// The name of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word that Dockerfiles use")]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    /// None that is known.
    Unknown,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Instruction {
    /// What it does.
    pub keyword: Keyword,
    /// The word as written.
    pub name: Word,
    /// `--name=value` before everything else.
    pub flags: Vec<Flag>,
    /// Its words: of a list, the items; of text for a shell, none.
    pub words: Vec<Word>,
    /// `NAME=value` of `ENV`, `ARG` and `LABEL`.
    pub pairs: Vec<Pair>,
    /// How its words were written.
    pub form: Form,
    /// The commands that a shell would run: of `RUN`, `CMD`, `ENTRYPOINT`, `HEALTHCHECK`, and of scripts in heredocs.
    pub commands: Vec<Command>,
    /// Documents that follow it.
    pub heredocs: Vec<Heredoc>,
    /// The instruction inside `ONBUILD`, or the `CMD` of a `HEALTHCHECK`.
    pub inner: Option<Box<Instruction>>,
    /// From its name to its last character.
    pub span: Span,
}

/// How the words of an instruction were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Words between spaces.
    Words,
    /// A list in brackets.
    List,
    /// Text for a shell.
    Shell,
    /// Text for a shell that looks as if a list was meant.
    BrokenList,
}

/// A flag of an instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// Its name without the dashes.
    pub name: String,
    /// What stands after `=`.
    pub value: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The name.
    pub name: Word,
    /// The value; `None` for an `ARG` without one.
    pub value: Option<Word>,
    /// Whether it was written `ENV NAME value`, without `=`.
    pub is_old: bool,
}

/// A document inside a Dockerfile.
#[derive(Debug, Clone, PartialEq)]
pub struct Heredoc {
    /// The word that ends it.
    pub name: String,
    /// Its text.
    pub body: String,
    /// Where its text stands.
    pub span: Span,
}

impl Keyword {
    /// Every instruction there is.
    pub const ALL: [(&'static str, Self); 18] = [
        ("ADD", Self::Add),
        ("ARG", Self::Arg),
        ("CMD", Self::Cmd),
        ("COPY", Self::Copy),
        ("ENTRYPOINT", Self::Entrypoint),
        ("ENV", Self::Env),
        ("EXPOSE", Self::Expose),
        ("FROM", Self::From),
        ("HEALTHCHECK", Self::Healthcheck),
        ("LABEL", Self::Label),
        ("MAINTAINER", Self::Maintainer),
        ("ONBUILD", Self::Onbuild),
        ("RUN", Self::Run),
        ("SHELL", Self::Shell),
        ("STOPSIGNAL", Self::Stopsignal),
        ("USER", Self::User),
        ("VOLUME", Self::Volume),
        ("WORKDIR", Self::Workdir),
    ];

    /// The instruction of that name, in any case.
    pub fn of(name: &str) -> Self {
        let found = Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(Self::Unknown, |(_, keyword)| *keyword)
    }
}

impl Instruction {
    /// The value of a flag.
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|flag| flag.name == name)?.value.as_deref()
    }

    /// The sources of `COPY` and `ADD`: all words but the last.
    pub fn sources(&self) -> &[Word] {
        self.words.split_last().map_or(&[], |(_, sources)| sources)
    }
}
