//! The Compose files of a project as each of them is written, before one is laid over the other.

use seaworthy_project::{Node, Project, Span, Tag, read_tree};

/// What a file says of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'layers> {
    /// This.
    Value(&'layers Node),
    /// That what the files before say of it does not hold: by `!reset`, or by an `!override` without it.
    Gone(Span),
}

/// The files, in the order in which they were read. None where there is but one: nothing lies over it.
#[derive(Debug, Default)]
pub(crate) struct Layers(Vec<Node>);

impl Layers {
    /// Reads them from the project's sources.
    pub(crate) fn read(project: &Project) -> Self {
        let is_compose =
            |path: &std::path::Path| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let files: Vec<_> = project.sources.iter().filter(|(_, source)| is_compose(&source.path)).collect();
        if files.len() < 2 {
            return Self::default();
        }
        let trees = files.into_iter().filter_map(|(id, _)| read_tree(id, &project.sources).ok().flatten());
        Self(trees.filter(|tree| tree.get("services").is_some()).collect())
    }

    /// What the files say of one of these keys of a service, in order; who says nothing is left out.
    pub(crate) fn said<'a>(&'a self, service: &str, keys: &[&str]) -> Vec<Said<'a>> {
        let of = |tree: &'a Node| {
            let service = tree.get("services")?.get(service)?;
            let mut node = service;
            let mut replaced = (node.tag == Some(Tag::Override)).then_some(node.span);
            for key in keys {
                let Some(next) = node.get(key) else { return replaced.map(Said::Gone) };
                match next.tag {
                    Some(Tag::Reset) => return Some(Said::Gone(next.span)),
                    Some(Tag::Override) => replaced = Some(next.span),
                    None => {}
                }
                node = next;
            }
            Some(Said::Value(node))
        };
        self.0.iter().filter_map(of).collect()
    }
}
