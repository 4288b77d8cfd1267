//! Tokens and keys that are known by their form.

use std::ops::Range;

/// A form: how it begins, how many more characters it needs at least, and whose it is.
const FORMS: [(&str, usize, &str); 19] = [
    ("AKIA", 16, "AWS access key"),
    ("ASIA", 16, "AWS session key"),
    ("ghp_", 30, "GitHub token"),
    ("gho_", 30, "GitHub token"),
    ("ghs_", 30, "GitHub token"),
    ("github_pat_", 30, "GitHub token"),
    ("glpat-", 16, "GitLab token"),
    ("sk_live_", 16, "Stripe secret key"),
    ("rk_live_", 16, "Stripe restricted key"),
    ("whsec_", 24, "webhook secret"),
    ("xoxb-", 20, "Slack token"),
    ("xoxp-", 20, "Slack token"),
    ("sk-ant-", 24, "Anthropic key"),
    ("sk-proj-", 24, "OpenAI key"),
    ("AIza", 35, "Google key"),
    ("npm_", 32, "npm token"),
    ("dop_v1_", 32, "DigitalOcean token"),
    ("hf_", 30, "Hugging Face token"),
    ("SG.", 40, "SendGrid key"),
];

/// Where in a text a token or private key begins and ends, and whose it is.
pub(crate) fn find_token(text: &str) -> Option<(Range<usize>, &'static str)> {
    if let Some(start) = text.find("-----BEGIN ").filter(|start| text[*start..].contains("PRIVATE KEY")) {
        return Some((start..text.len(), "private key"));
    }
    FORMS.iter().find_map(|(begin, length, name)| {
        text.match_indices(begin).find_map(|(start, _)| {
            let before = text[..start].chars().next_back();
            let body = &text[start + begin.len()..];
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            let end = body.find(|c| !allowed(c)).unwrap_or(body.len());
            let fits = end >= *length && !before.is_some_and(|c| c.is_ascii_alphanumeric());
            fits.then(|| (start..start + begin.len() + end, *name))
        })
    })
}

/// Whose token a text holds.
pub(crate) fn token_name(text: &str) -> Option<&'static str> {
    find_token(text).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_by_their_form() {
        let aws = format!("AKIA{}", "A1B2C3D4E5F6G7H8");
        assert_eq!(find_token(&format!("key={aws};")), Some((4..24, "AWS access key")));
        assert_eq!(token_name("-----BEGIN RSA PRIVATE KEY-----\nMII"), Some("private key"));
        for fine in
            ["AKIA", "ghp_short", "xAKIAA1B2C3D4E5F6G7H8", "npm_config_cache", "-----BEGIN PUBLIC KEY-----"]
        {
            assert_eq!(token_name(fine), None, "{fine}");
        }
    }
}
