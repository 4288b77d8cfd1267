//! No test is switched off, and nothing is left for later.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::tree::{Tree, verdict};

/// Macros that stand where code is missing.
const UNFINISHED: [&str; 2] = ["todo", "unimplemented"];
/// Attributes that switch a test off, or let it pass for the wrong reason.
const DISARMED: [&str; 2] = ["ignore", "should_panic"];

const WHY: &str = "a test that does not run counts as passed in every summary; `should_panic` passes for any panic, \
                   also the wrong one; and what is missing must be missing from the promises too.";

/// Walks the tokens, so that comments and texts are not mistaken for code, and macro bodies are seen.
fn complaints(path: &str, tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, tree) in trees.iter().enumerate() {
        let followed_by_bang =
            matches!(trees.get(index + 1), Some(TokenTree::Punct(p)) if p.as_char() == '!');
        let after_hash = index > 0 && matches!(&trees[index - 1], TokenTree::Punct(p) if p.as_char() == '#');
        match tree {
            TokenTree::Ident(name) if followed_by_bang && UNFINISHED.iter().any(|word| name == word) => {
                found.push(format!("{path}:{}: `{name}!` is not code", name.span().start().line));
            }
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Bracket && after_hash {
                    found.extend(disarmed(path, group.stream()));
                }
                found.extend(complaints(path, group.stream()));
            }
            _ => {}
        }
    }
    found
}

/// `#[ignore]`, and `#[cfg_attr(…, ignore)]`.
fn disarmed(path: &str, attribute: TokenStream) -> Vec<String> {
    let mut trees = attribute.into_iter();
    let Some(TokenTree::Ident(name)) = trees.next() else { return Vec::new() };
    if DISARMED.iter().any(|word| name == word) {
        return vec![format!("{path}:{}: `#[{name}]`", name.span().start().line)];
    }
    match (name == "cfg_attr", trees.next()) {
        (true, Some(TokenTree::Group(group))) => {
            let inner = group.stream().into_iter().filter_map(|tree| match tree {
                TokenTree::Ident(name) if DISARMED.iter().any(|word| name == word) => Some(name),
                _ => None,
            });
            inner
                .map(|name| format!("{path}:{}: `#[cfg_attr(…, {name})]`", name.span().start().line))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn in_text(path: &str, text: &str) -> Vec<String> {
    text.parse().map_or_else(|error| vec![format!("{path}: {error}")], |tokens| complaints(path, tokens))
}

#[test]
fn every_test_runs_and_nothing_is_left_for_later() {
    let tree = Tree::of_repository();
    let found: Vec<_> = tree.texts(".rs").iter().flat_map(|(path, text)| in_text(path, text)).collect();
    verdict(WHY, &found);
}

#[test]
fn each_shortcut_is_found() {
    assert_eq!(in_text("a.rs", "#[ignore] fn a() {}").len(), 1);
    assert_eq!(in_text("a.rs", "#[ignore = \"slow\"] fn a() {}").len(), 1);
    assert_eq!(in_text("a.rs", "#[cfg_attr(miri, ignore)] fn a() {}").len(), 1);
    assert_eq!(in_text("a.rs", "#[should_panic] fn a() {}").len(), 1);
    assert_eq!(in_text("a.rs", "fn a() { todo!() }").len(), 1);
    assert_eq!(in_text("a.rs", "fn a() { wrap! { #[ignore] fn b() { unimplemented!() } } }").len(), 2);
    assert_eq!(in_text("a.rs", "/// `#[ignore]`\nfn ignore() { let todo = \"todo!()\"; }").len(), 0);
}
