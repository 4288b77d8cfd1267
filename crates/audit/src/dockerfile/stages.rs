//! Tells the stages apart, what each is made from, and which of them an image needs.

use std::collections::HashMap;
use std::ops::Range;

use super::places::Places;
use super::variables::{fill, names};
use super::{Dockerfile, Fault, Instruction, Keyword, Word};

/// From how many faults on a file without a `FROM` is taken for something else.
const MAX_FAULTS_WITHOUT_STAGE: usize = 3;

/// One stage: from a `FROM` to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The name that `AS` gives it, in lower case.
    pub name: Option<Word>,
    /// What it is made from, as written.
    pub base: Word,
    /// The stage that it is made from, when it is one.
    pub parent: Option<usize>,
    /// Its instructions; the first is its `FROM`.
    pub instructions: Range<usize>,
    /// Stages that it copies or mounts from.
    pub uses: Vec<usize>,
}

/// Finds the stages.
pub(super) fn find(dockerfile: &mut Dockerfile, places: &Places) {
    let starts: Vec<usize> = (0..dockerfile.instructions.len())
        .filter(|index| dockerfile.instructions[*index].keyword == Keyword::From)
        .collect();
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(dockerfile.instructions.len());
        let from = &dockerfile.instructions[*start];
        let Some(base) = from.words.first().cloned() else { continue };
        let named = from.words.get(1).is_some_and(|word| word.text.eq_ignore_ascii_case("as"));
        let mut name = from.words.get(2).filter(|_| named).cloned();
        name.iter_mut().for_each(|name| name.text.make_ascii_lowercase());
        let filled = dockerfile.fill_global(&base.text, &HashMap::new()).unwrap_or_default();
        let parent = dockerfile.stage_named(&filled, dockerfile.stages.len());
        let uses = dockerfile.instructions[*start..end].iter();
        let uses = uses.flat_map(sources_elsewhere).filter_map(|(from, _)| {
            let number: Option<usize> = from.parse().ok();
            number
                .filter(|n| *n < dockerfile.stages.len())
                .or_else(|| dockerfile.stage_named(from, dockerfile.stages.len()))
        });
        let stage = Stage { name, base, parent, uses: uses.collect(), instructions: *start..end };
        dockerfile.stages.push(stage);
    }
    let first = starts.first().copied().unwrap_or(dockerfile.instructions.len());
    let early = dockerfile.instructions[..first]
        .iter()
        .find(|instruction| !matches!(instruction.keyword, Keyword::Arg | Keyword::Unknown));
    if let Some(early) = early.filter(|_| !starts.is_empty()) {
        let message = format!("`{}` stands before the first `FROM`.", early.name.text);
        let hint = "only `ARG` may stand there: begin with `FROM`".to_owned();
        dockerfile.faults.push(Fault { span: early.name.span, message, hint });
    }
    if starts.is_empty() {
        let message = "There is no `FROM`.".to_owned();
        let hint = "begin with the image to build on: `FROM debian:13-slim`".to_owned();
        if dockerfile.faults.len() > MAX_FAULTS_WITHOUT_STAGE {
            // It is no Dockerfile at all, which is said once.
            dockerfile.faults.clear();
        }
        dockerfile.faults.push(Fault { span: places.span(0, 0), message, hint });
    }
}

/// What an instruction takes from other stages or images, and where that is written.
pub(crate) fn sources_elsewhere(instruction: &Instruction) -> Vec<(&str, seaworthy_project::Span)> {
    let mut found = Vec::new();
    for flag in &instruction.flags {
        let Some(value) = &flag.value else { continue };
        match (instruction.keyword, flag.name.as_str()) {
            (Keyword::Copy | Keyword::Add, "from") => found.push((value.as_str(), flag.span)),
            (Keyword::Run, "mount") => {
                let from = value.split(',').find_map(|part| part.strip_prefix("from="));
                found.extend(from.map(|from| (from, flag.span)));
            }
            _ => {}
        }
    }
    found
}

impl Dockerfile {
    /// The last stage of that name among the first `before` ones.
    pub fn stage_named(&self, name: &str, before: usize) -> Option<usize> {
        let stages = self.stages.get(..before).unwrap_or(&self.stages);
        let is = |stage: &Stage| stage.name.as_ref().is_some_and(|own| own.text.eq_ignore_ascii_case(name));
        stages.iter().rposition(is)
    }

    /// The stage that `--target` names: by name, else by number; without one, the last.
    pub fn target(&self, name: Option<&str>) -> Option<usize> {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return self.stages.len().checked_sub(1);
        };
        let number = || name.parse().ok().filter(|number| *number < self.stages.len());
        self.stage_named(name, self.stages.len()).or_else(number)
    }

    /// The stages that one is made of: the first has a base image, each is made from the one before.
    pub fn chain(&self, target: usize) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut next = Some(target);
        while let Some(stage) = next {
            chain.push(stage);
            // A parent always stands before its child, so this ends.
            next = self.stages.get(stage).and_then(|found| found.parent).filter(|parent| *parent < stage);
        }
        chain.reverse();
        chain
    }

    /// All stages that must be built for one.
    pub fn needed(&self, target: usize) -> Vec<bool> {
        let mut needed = vec![false; self.stages.len()];
        let mut open = vec![target];
        while let Some(next) = open.pop() {
            let Some(stage) = self.stages.get(next).filter(|_| !needed[next]) else { continue };
            needed[next] = true;
            open.extend(stage.parent);
            open.extend(&stage.uses);
        }
        needed
    }

    /// The instructions of a stage, its `FROM` among them.
    pub fn of_stage(&self, stage: usize) -> &[Instruction] {
        let range = self.stages.get(stage).map_or(0..0, |stage| stage.instructions.clone());
        self.instructions.get(range).unwrap_or_default()
    }

    /// A text with the arguments before the first `FROM` filled in; `None` where one is not known.
    pub fn fill_global(&self, text: &str, given: &HashMap<&str, &str>) -> Option<String> {
        let mut known: HashMap<&str, String> = HashMap::new();
        let globals = self.instructions.iter().take_while(|instruction| instruction.keyword != Keyword::From);
        for pair in globals.flat_map(|instruction| &instruction.pairs) {
            let lookup = |name: &str| known.get(name).cloned();
            let default = pair.value.as_ref().and_then(|value| fill(&value.text, &lookup));
            let value = given.get(pair.name.text.as_str()).map(|value| (*value).to_owned()).or(default);
            if let Some(value) = value {
                known.insert(&pair.name.text, value);
            }
        }
        let lookup = |name: &str| known.get(name).cloned().or_else(|| platform(name));
        fill(text, &lookup)
    }

    /// A text with what a stage knows filled in; `None` where one is not known.
    pub fn fill_in(&self, text: &str, stage: usize, given: &HashMap<&str, &str>) -> Option<String> {
        let mut known: HashMap<&str, String> = HashMap::new();
        for stage in self.chain(stage) {
            for instruction in self.of_stage(stage) {
                let argument = instruction.keyword == Keyword::Arg;
                if !argument && instruction.keyword != Keyword::Env {
                    continue;
                }
                for pair in &instruction.pairs {
                    let name = pair.name.text.as_str();
                    let own = pair
                        .value
                        .as_ref()
                        .and_then(|value| fill(&value.text, &|name| known.get(name).cloned()));
                    let outer = || self.fill_global(&format!("${{{name}}}"), given);
                    let from_outside = given.get(name).filter(|_| argument).map(|value| (*value).to_owned());
                    let value = from_outside.or(own).or_else(|| if argument { outer() } else { None });
                    value.into_iter().for_each(|value| drop(known.insert(name, value)));
                }
            }
        }
        fill(text, &|name| known.get(name).cloned())
    }

    /// The names of variables in a text, and whether each has a default where it stands.
    pub fn variables(text: &str) -> Vec<(&str, bool)> {
        names(text)
    }
}

/// Arguments that the builder sets by itself.
fn platform(name: &str) -> Option<String> {
    let value = match name {
        "BUILDPLATFORM" | "TARGETPLATFORM" => "linux/amd64",
        "BUILDOS" | "TARGETOS" => "linux",
        "BUILDARCH" | "TARGETARCH" => "amd64",
        _ => return None,
    };
    Some(value.to_owned())
}
