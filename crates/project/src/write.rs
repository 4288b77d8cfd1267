//! Writes a resolved project out again.

use crate::Project;

/// The resolved project in canonical long form. Values are not redacted: seal it or print only what may be seen.
pub fn write_json(_project: &Project) -> serde_json::Value {
    serde_json::Value::Null
}
