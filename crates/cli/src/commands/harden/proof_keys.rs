//! From a proof to the keys of the overlay, each with what was seen.

use std::collections::BTreeSet;

use seaworthy_audit::EditValue;
use seaworthy_audit::overlay::{ProvenKey, ProvenWaiver};
use seaworthy_project::{Service, Spanned};
use seaworthy_release::{Proof, Proven};

/// Characters of a digest that are shown.
const DIGEST: usize = 19;

/// The keys of a service. `service` is what the files say without an earlier proof.
pub(super) fn of(service: &Service, proven: &Proven, proof: &Proof) -> Vec<ProvenKey> {
    let rights = &proof.rights;
    let read_only = service.read_only.as_ref().is_some_and(|said| said.value);
    let without =
        |item: &String| proof.needed.get(item).map(|symptom| format!("{item}: without it, {symptom}"));
    let evidence =
        |items: &Option<BTreeSet<String>>| items.iter().flatten().filter_map(without).collect::<Vec<_>>();
    let key = |key, value: Option<EditValue>, evidence: Vec<String>| ProvenKey { key, value, evidence };
    let plain = |text: &str| Some(EditValue::Plain(text.to_owned()));
    let given = said(&service.cap_add);
    let wanted = rights.capabilities.clone();
    let mut keys = vec![
        key(
            "user",
            rights.user.clone().map(EditValue::Text),
            vec!["healthy as the user it changes to by itself".to_owned()],
        ),
        key(
            "cap_drop",
            (wanted.is_some() && !said(&service.cap_drop).contains("ALL")).then(|| list(["ALL".to_owned()])),
            vec![with_capabilities(wanted.as_ref()).to_owned()],
        ),
        key("cap_add", wanted.as_ref().and_then(|wanted| change(wanted, &given)), evidence(&wanted)),
        key(
            "security_opt",
            (rights.no_new_privileges && !bars_privileges(service))
                .then(|| list(["no-new-privileges:true".to_owned()])),
            vec!["healthy when no process may gain privileges".to_owned()],
        ),
        key(
            "read_only",
            rights.writable.as_ref().filter(|_| !read_only).and_then(|_| plain("true")),
            vec!["healthy with a root that cannot be written to".to_owned()],
        ),
        key(
            "tmpfs",
            Some(rights.tmpfs()).filter(|folders| !folders.is_empty()).map(list),
            evidence(&rights.writable),
        ),
    ];
    // What it was won on is told once, above the first key that is written.
    if let Some(first) = keys.iter_mut().find(|key| key.value.is_some()) {
        first.evidence.insert(0, format!("on {}", image(proven)));
    }
    keys
}

/// A waiver for each setting that was not kept, of those that the check asks for.
pub(super) fn waivers(proven: &Proven, proof: &Proof, asked: &BTreeSet<&str>) -> Vec<ProvenWaiver> {
    let dropped = proof.dropped.iter().filter(|(setting, _)| asked.contains(**setting));
    let waiver = |(&point, symptom)| ProvenWaiver {
        point,
        reason: format!("on {}: with it, {symptom}", image(proven)),
    };
    dropped.map(waiver).collect()
}

/// The image a proof was won on.
pub(super) fn image(proven: &Proven) -> String {
    let image = proven.image.split('@').next().unwrap_or_default();
    match (&proven.registry_digest, proven.stand_in) {
        (_, true) => format!("{image} (a local stand-in, not the image of the registry)"),
        (Some(digest), _) => format!("{image}@{}", digest.chars().take(DIGEST).collect::<String>()),
        (None, _) => format!("{image} (a local image, without a registry's digest)"),
    }
}

fn with_capabilities(wanted: Option<&BTreeSet<String>>) -> &'static str {
    match wanted {
        Some(wanted) if wanted.is_empty() => "healthy without any capability",
        _ => "healthy with the capabilities of `cap_add` alone",
    }
}

fn list(items: impl IntoIterator<Item = String>) -> EditValue {
    EditValue::List(items.into_iter().collect())
}

/// Capabilities as a set, in the engine's spelling.
fn said(items: &[Spanned<String>]) -> BTreeSet<String> {
    let plain = |item: &Spanned<String>| {
        let upper = item.value.to_ascii_uppercase();
        upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
    };
    items.iter().map(plain).collect()
}

/// What the overlay must say so that `wanted` holds where the files below say `given`.
fn change(wanted: &BTreeSet<String>, given: &BTreeSet<String>) -> Option<EditValue> {
    if given.is_subset(wanted) {
        let missing: Vec<String> = wanted.difference(given).cloned().collect();
        return (!missing.is_empty()).then_some(EditValue::List(missing));
    }
    Some(if wanted.is_empty() {
        EditValue::Reset
    } else {
        EditValue::Override(wanted.iter().cloned().collect())
    })
}

fn bars_privileges(service: &Service) -> bool {
    let bars = |option: &str| {
        matches!(option.replace('=', ":").as_str(), "no-new-privileges" | "no-new-privileges:true")
    };
    service.security_opt.iter().any(|option| bars(&option.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        assert_eq!(change(&set(&["CHOWN"]), &set(&["CHOWN"])), None);
        assert_eq!(change(&set(&["CHOWN", "KILL"]), &set(&["CHOWN"])), Some(list(["KILL".to_owned()])));
        assert_eq!(change(&set(&[]), &set(&["KILL"])), Some(EditValue::Reset));
        let fewer = EditValue::Override(vec!["CHOWN".to_owned()]);
        assert_eq!(change(&set(&["CHOWN"]), &set(&["CHOWN", "KILL"])), Some(fewer));
    }
}
