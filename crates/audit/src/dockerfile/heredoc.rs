//! Finds the documents that follow an instruction.

use super::words::split;

/// The mark of a document: what ends it, and what it says about the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) name: String,
    /// Whether tabs before each line are left out.
    pub(super) strips_tabs: bool,
    /// The mark's place in the instruction's text.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The marks in an instruction's text, in order: words such as `<<EOF`, `<<-"EOF"` and `3<<EOF`.
pub(super) fn marks(text: &str, escape: char) -> Vec<Mark> {
    let mark = |range: std::ops::Range<usize>| {
        let word = &text[range.clone()];
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
        let (strips_tabs, name) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
        let bare: String = name.chars().filter(|c| !matches!(c, '"' | '\'')).collect();
        let fits = !bare.is_empty() && bare.chars().all(|c| c.is_alphanumeric() || "_.-+".contains(c));
        fits.then_some(Mark { name: bare, strips_tabs, start: range.start, end: range.end })
    };
    split(text, 0..text.len(), escape).into_iter().filter_map(mark).collect()
}

/// How many lines a document takes, its last line not counted; `None` when it never ends.
pub(super) fn length(mark: &Mark, lines: &[(usize, &str)]) -> Option<usize> {
    lines.iter().position(|(_, line)| {
        let line = if mark.strips_tabs { line.trim_start_matches('\t') } else { line };
        line == mark.name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_words_of_their_own() {
        let names = |text| marks(text, '\\').into_iter().map(|mark| mark.name).collect::<Vec<_>>();
        assert_eq!(names("RUN <<EOF"), ["EOF"]);
        assert_eq!(names("COPY <<\"A\" <<-'B' /x/"), ["A", "B"]);
        assert_eq!(names("RUN python3 3<<EOT --x"), ["EOT"]);
        assert_eq!(names("RUN cat <<<EOF x<<EOF 'a <<EOF b'"), Vec::<String>::new());
        assert_eq!(names("RUN << EOF"), Vec::<String>::new());
    }
}
