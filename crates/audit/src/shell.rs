//! Splits text for a shell into the commands it would run, well enough for rules: pipes, subshells, quotes.

mod reader;
mod word;

use std::ops::Range;

use seaworthy_project::Span;

use crate::dockerfile::Word;

/// One simple command: a program and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// All its words, the program among them.
    pub words: Vec<Word>,
    /// Where in the words the program is, after `sudo`, `env`, `exec` and the like.
    main: usize,
    /// `NAME=value` before the program.
    pub assignments: Vec<Word>,
    /// Where its input and output go.
    pub redirects: Vec<Redirect>,
    /// How it follows the command before it.
    pub joiner: Joiner,
    /// The same number for all commands of one pipe.
    pub pipeline: usize,
    /// How deep it stands in `$(…)`, `<(…)` and backquotes.
    pub depth: usize,
    /// From its first word to its last.
    pub span: Span,
}

/// Where a command's input or output goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Redirect {
    /// `>`, `>>`, `<`, …
    pub operator: String,
    /// The file.
    pub target: Word,
}

/// How a command follows the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joiner {
    /// It is the first.
    First,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `;` or a line end.
    Then,
    /// `|`.
    Pipe,
    /// `&`.
    Beside,
}

/// Programs that run another program, and those of their flags that take a value.
const WRAPPERS: [(&str, &[&str]); 12] = [
    ("sudo", &["-u", "-g", "-h", "-p", "-C"]),
    ("env", &["-u", "-C"]),
    ("exec", &["-a"]),
    ("command", &[]),
    ("time", &[]),
    ("nice", &["-n"]),
    ("nohup", &[]),
    ("doas", &["-u"]),
    ("gosu", &[]),
    ("eatmydata", &[]),
    ("tini", &[]),
    ("dumb-init", &[]),
];

/// The commands in a text. `span` says where a stretch of the text stands.
pub(crate) fn commands(text: &str, span: &dyn Fn(&Range<usize>) -> Span) -> Vec<Command> {
    reader::read(text, span)
}

impl Command {
    /// A command given as a list; none for an empty one.
    pub(crate) fn of_words(words: Vec<Word>, span: Span) -> Option<Self> {
        let mut command = Self {
            words,
            main: 0,
            assignments: Vec::new(),
            redirects: Vec::new(),
            joiner: Joiner::First,
            pipeline: 1,
            depth: 0,
            span,
        };
        command.settle();
        (!command.words.is_empty()).then_some(command)
    }

    /// The program's name without its folder; empty where there is none.
    pub fn program(&self) -> &str {
        let word = self.words.get(self.main).map_or("", |word| word.text.as_str());
        word.rsplit('/').next().unwrap_or(word)
    }

    /// What the program is given.
    pub fn arguments(&self) -> &[Word] {
        self.words.get(self.main + 1..).unwrap_or_default()
    }

    /// Whether one of the arguments is that text.
    pub fn has(&self, argument: &str) -> bool {
        self.arguments().iter().any(|word| word.text == argument)
    }

    /// Whether one of the arguments is that letter among short flags (`-sSfk`) or the long flag.
    pub fn has_flag(&self, short: char, long: &str) -> bool {
        self.flag(short, long).is_some()
    }

    /// The argument that is that letter among short flags, or the long flag.
    pub fn flag(&self, short: char, long: &str) -> Option<&Word> {
        let is = |word: &&Word| {
            let letters = word.text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            let among = letters.is_some_and(|letters| {
                letters.contains(short) && letters.chars().all(|c| c.is_ascii_alphanumeric())
            });
            among || (!long.is_empty() && word.text.strip_prefix("--") == Some(long))
        };
        self.arguments().iter().find(is)
    }

    /// The first argument that is no flag: `install` of `apt-get -y install`.
    pub fn verb(&self) -> &str {
        self.operands().next().map_or("", |word| word.text.as_str())
    }

    /// The arguments that are no flags.
    pub fn operands(&self) -> impl Iterator<Item = &Word> {
        self.arguments().iter().filter(|word| !word.text.starts_with('-'))
    }

    /// The words of the command with one space between them.
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }

    /// The program's place, else the command's.
    pub fn program_span(&self) -> Span {
        self.words.get(self.main).map_or(self.span, |word| word.span)
    }

    /// Whether it runs with `sudo` before it.
    pub fn is_wrapped_in(&self, wrapper: &str) -> bool {
        self.words.iter().take(self.main).any(|word| word.text.rsplit('/').next() == Some(wrapper))
    }

    /// Finds the program behind those that only run it.
    fn settle(&mut self) {
        let mut at = 0;
        while let Some((_, valued)) =
            self.words.get(at).and_then(|word| WRAPPERS.iter().find(|(name, _)| *name == base(&word.text)))
        {
            let mut next = at + 1;
            while let Some(word) = self.words.get(next) {
                let is_assignment = word.text.split_once('=').is_some_and(|(name, _)| word::is_name(name));
                if word.text.starts_with('-') {
                    next += if valued.contains(&word.text.as_str()) { 2 } else { 1 };
                } else if is_assignment {
                    next += 1;
                } else {
                    break;
                }
            }
            if next >= self.words.len() {
                break;
            }
            at = next;
        }
        self.main = at;
    }
}

fn base(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use seaworthy_project::{FileId, Position};

    use super::*;

    fn read(text: &str) -> Vec<Command> {
        commands(text, &|range| {
            let at = |byte| Position { byte, line: 1, column: byte as u32 + 1 };
            Span { file: FileId(0), start: at(range.start), end: at(range.end) }
        })
    }

    fn texts(text: &str) -> Vec<String> {
        read(text).iter().map(Command::text).collect()
    }

    #[test]
    fn commands_are_told_apart() {
        assert_eq!(texts("a b && c; d || e &\nf"), ["a b", "c", "d", "e", "f"]);
        assert_eq!(texts("a 'b && c' \"d ; e\" f\\ g"), ["a b && c d ; e f g"]);
        assert_eq!(texts("if [ -f x ]; then (cd y && z); fi # && no"), ["[ -f x ]", "cd y", "z"]);
        assert_eq!(texts("for x in a b; do echo $x; done"), ["for x in a b", "echo $x"]);
        assert_eq!(texts("a > b 2>&1 < c | d"), ["a", "d"]);
        assert_eq!(texts("case $x in a) b ;; *) c ;; esac"), ["case $x in a", "b", "*", "c"]);
        assert_eq!(texts("cat <<X\nnot && this\nX\nb"), ["cat", "b"]);
        assert_eq!(texts("{ a; b; }"), ["a", "b"]);
        assert_eq!(texts("a $((1 + 2)) ${b:-c d} e"), ["a $((1 + 2)) ${b:-c d} e"]);
    }

    #[test]
    fn what_is_substituted_is_a_command_too() {
        assert_eq!(texts("sh -c \"$(curl -s x | y)\""), ["curl -s x", "y", "sh -c $(curl -s x | y)"]);
        assert_eq!(texts("bash <(curl x)"), ["curl x", "bash <(curl x)"]);
        assert_eq!(texts("A=`b c` d"), ["b c", "d"]);
    }

    #[test]
    fn the_program_stands_behind_those_that_run_it() {
        let commands = read("A=1 sudo -E -u web /usr/bin/env B=2 apt-get -y install x | exec sh");
        assert_eq!(commands[0].program(), "apt-get");
        assert_eq!((commands[0].verb(), commands[0].has_flag('y', "yes")), ("install", true));
        assert!(commands[0].is_wrapped_in("sudo"));
        assert_eq!((commands[1].program(), commands[1].joiner), ("sh", Joiner::Pipe));
        assert_eq!(commands[0].pipeline, commands[1].pipeline);
        assert_eq!(read("sudo")[0].program(), "sudo");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "[a-z $(){}<>|&;'\"`\\\\#\n=é-]{0,60}") {
            for command in read(&text) {
                proptest::prop_assert!(command.span.end.byte <= text.len());
            }
        }
    }
}
