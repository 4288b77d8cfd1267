//! Reads a YAML file that is no Compose file, such as a policy, with the same limits and places.

use crate::load::parse::{MAX_NODES, parse};
use crate::load::report::Report;
use crate::{FileId, Node, Problem, ProblemKind, Sources};

/// The tree of one file among `sources`; `None` where it is empty.
///
/// # Errors
/// What is wrong in it: it is not YAML, a key stands twice, it holds several documents.
pub fn read_tree(file: FileId, sources: &Sources) -> Result<Option<Node>, Vec<Problem>> {
    let text = sources.get(file).map_or("", |source| source.text.as_str());
    let mut report = Report::default();
    let documents = parse(file, text, MAX_NODES, &mut report);
    report.finish();
    match documents {
        Some(documents) if documents.len() > 1 => {
            let message = "The file holds several documents.";
            let problem = Problem::at(ProblemKind::Unsupported, documents[1].span, message);
            Err(vec![problem.hint("keep the first, and remove the line `---` and what follows")])
        }
        Some(mut documents) => Ok(documents.pop().filter(|node| !node.is_null())),
        None => Err(report.problems),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn read(text: &str) -> Result<Option<Node>, Vec<Problem>> {
        let mut sources = Sources::default();
        let file = sources.add(PathBuf::from("policy.yaml"), text.to_owned());
        read_tree(file, &sources)
    }

    #[test]
    fn what_stands_there_knows_its_place() {
        let tree = read("# why\na:\n  b: [1]\n").expect("it is YAML").expect("it is not empty");
        assert_eq!(tree.at(&["a", "b"]).expect("it is there").span.start.line, 3);
        assert_eq!(read("# nothing\n"), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for text in ["a: [", "a: 1\na: 2\n", "a: 1\n---\nb: 1\n"] {
            let problems = read(text).expect_err(text);
            assert!(problems.iter().all(|problem| problem.span.is_some()) && !problems.is_empty(), "{text}");
        }
    }
}
