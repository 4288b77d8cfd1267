//! Finding the value of one setting.

use std::path::Path;

use super::setting::Need;
use super::source::Source;
use super::{Fault, Setting};

/// The value of `setting`, from its variable, the file that `<NAME>_FILE` names, or its default.
pub(super) fn value(source: &dyn Source, setting: &Setting) -> Result<Option<String>, Fault> {
    let name = setting.name();
    let variable = source.variable(name).map_err(|cause| Fault::Variable { cause })?;
    let path = source.variable(&format!("{name}_FILE")).map_err(|cause| Fault::Variable { cause })?;
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let text = match (variable.filter(|text| !text.is_empty()), path) {
        (Some(_), path) if given(&path) => return Err(Fault::Both),
        (Some(text), _) => text,
        (None, Some(path)) if !path.is_empty() => {
            let text =
                source.file(Path::new(&path)).map_err(|cause| Fault::File { path: path.clone(), cause })?;
            // Editors and `echo` end a file with a line break that is no part of the value.
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            if text.is_empty() {
                return Err(Fault::EmptyFile { path });
            }
            text.to_owned()
        }
        (None, _) => match setting.need() {
            Need::Required => return Err(Fault::Missing),
            Need::Optional => return Ok(None),
            Need::Default(text) => text.clone(),
        },
    };
    setting.malformed(&text).map_or(Ok(Some(text)), Err)
}
