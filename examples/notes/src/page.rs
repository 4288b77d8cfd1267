//! The notes as a page for people.

use crate::store::{Note, Summary};

const STYLE: &str = "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem } \
                     li { margin: .5rem 0; overflow-wrap: anywhere } small { color: #666 }";

/// The page.
pub(crate) fn page(notes: &[Note], summary: Option<&Summary>, version: &str) -> String {
    let items: String = notes.iter().map(item).collect();
    let counted = summary
        .map(|summary| format!("{} notes, {} words · ", summary.notes, summary.words))
        .unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Notes</title><style>{STYLE}</style></head>\
         <body><h1>Notes</h1><ul>{items}</ul><p><small>{counted}version {}</small></p></body></html>\n",
        escaped(version)
    )
}

fn item(note: &Note) -> String {
    let pin = if note.pinned == Some(true) { "📌 " } else { "" };
    format!("<li>{pin}{} <small>{}</small></li>", escaped(&note.text), escaped(&note.updated_at))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_text_and_not_markup() {
        let note = Note {
            id: "1".to_owned(),
            text: "<script>alert(\"&\")</script>".to_owned(),
            words: None,
            updated_at: "2026-01-01T00:00:00.000Z".to_owned(),
            pinned: Some(true),
        };
        let page = page(&[note], None, "1");
        assert!(page.contains("📌 &lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;"), "{page}");
        assert!(!page.contains("<script"));
    }
}
