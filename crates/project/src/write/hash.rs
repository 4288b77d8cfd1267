//! The mark of a service's configuration, as Compose computes it to know whether a container is up to date.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::write::json;
use crate::write::layout::SERVICE;
use crate::write::shown::{self, Format};
use crate::{Project, ServiceName};

/// What may change without a container having to be made anew.
const IGNORED: [&str; 5] = ["build", "pull_policy", "scale", "depends_on", "profiles"];

/// What `docker compose config --hash` prints for a service: SHA-256 of its configuration, in hexadecimal; `None` when
/// there is no such service. Load the project with `resolve_environment: false`, as Compose does for this.
pub fn service_hash(project: &Project, name: &ServiceName) -> Option<String> {
    let mut service = json::value(project).get("services")?.get(name.as_str())?.clone();
    if let Some(service) = service.as_object_mut() {
        IGNORED.iter().for_each(|key| {
            service.shift_remove(*key);
        });
    }
    if let Some(deploy) = service.get_mut("deploy").and_then(Json::as_object_mut) {
        deploy.shift_remove("replicas");
    }
    let shown = shown::one(service, &SERVICE, Format::Json);
    let mut text = String::new();
    compact(&shown, &mut text);
    let digest = Sha256::digest(text.as_bytes());
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// JSON without blanks, `<`, `>`, `&` and the line separators escaped, as Compose's JSON writer does.
fn compact(value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => {
            out.push('[');
            separated(items.iter(), out, compact);
            out.push(']');
        }
        Json::Object(map) => {
            out.push('{');
            separated(map.iter(), out, |(key, value), out| {
                text(key, out);
                out.push(':');
                compact(value, out);
            });
            out.push('}');
        }
        Json::String(string) => text(string, out),
        other => out.push_str(&other.to_string()),
    }
}

fn separated<T>(items: impl Iterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
}

fn text(text: &str, out: &mut String) {
    for c in Json::String(text.to_owned()).to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
}
