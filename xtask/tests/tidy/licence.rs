//! SPDX licence expressions, as far as manifests use them.

/// Whether an expression can be met with the licences allowed: `OR` needs one side, `AND` both.
/// `/` is an old way to write `OR`. What cannot be read is not allowed.
pub(super) fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest, allowed).unwrap_or(false) && rest.is_empty()
}

fn either(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut met = both(words, allowed)?;
    while let Some(("OR", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        met |= both(words, allowed)?;
    }
    Some(met)
}

fn both(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut met = one(words, allowed)?;
    while let Some(("AND", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        met &= one(words, allowed)?;
    }
    Some(met)
}

/// A licence, a licence with its exception, or an expression in parentheses.
fn one(words: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    if *first == "(" {
        let met = either(words, allowed)?;
        let (close, rest) = words.split_first()?;
        *words = rest;
        return (*close == ")").then_some(met);
    }
    let mut name = (*first).to_owned();
    if let ["WITH", exception, rest @ ..] = words {
        name = format!("{name} WITH {exception}");
        *words = rest;
    }
    Some(allowed.contains(&name))
}

#[test]
fn expressions_are_met_as_spdx_means() {
    let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned(), "Unicode-3.0".to_owned()];
    for good in
        ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "(MIT OR GPL-3.0) AND Unicode-3.0", "MIT OR GPL-3.0 AND X"]
    {
        assert!(is_met(good, &allowed), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT",
        "MIT Apache-2.0",
        "MIT OR",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(!is_met(bad, &allowed), "{bad}");
    }
}
