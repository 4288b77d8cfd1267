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

/// The characters with which one of them begins; looked at first, because nearly all text is no token.
const FIRST: &[u8] = b"-AgsrwxndhS";

/// Where in a text a token or private key begins and ends, and whose it is.
pub(crate) fn find_token(text: &str) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let mut before = b' ';
    for (start, byte) in bytes.iter().enumerate() {
        let begins = !before.is_ascii_alphanumeric() && FIRST.contains(byte);
        before = *byte;
        if let Some(found) = begins.then(|| token_at(text, start)).flatten() {
            return Some(found);
        }
    }
    None
}

/// The token that begins at a byte, which is one of [`FIRST`].
fn token_at(text: &str, start: usize) -> Option<(Range<usize>, &'static str)> {
    let rest = &text[start..];
    if rest.starts_with("-----BEGIN ") && rest.contains("PRIVATE KEY") {
        return Some((start..text.len(), "private key"));
    }
    let (begin, length, name) = FORMS.iter().find(|(begin, ..)| rest.starts_with(begin))?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let long = rest.bytes().skip(begin.len()).take_while(allowed).count();
    (long >= *length).then(|| (start..start + begin.len() + long, *name))
}

/// Whose token a text holds.
pub(crate) fn token_name(text: &str) -> Option<&'static str> {
    find_token(text).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_is_passed_over() {
        for (begin, length, name) in FORMS {
            assert!(FIRST.contains(&begin.as_bytes()[0]), "{begin}");
            let token = format!("{begin}{}", "a1".repeat(length));
            assert_eq!(token_name(&format!("größe={token}")), Some(name), "{begin}");
        }
    }

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
