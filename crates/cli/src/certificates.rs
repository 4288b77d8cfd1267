//! Certificates that the user keeps in files are looked at before anything is done.

use seaworthy_project::Project;
use seaworthy_release::{Clock, SystemClock, wrong_certificates};

use crate::error::CommandError;
use crate::surroundings::Disk;

/// Fails where one could not be served, at the place that names it.
pub(crate) fn hold(project: &Project) -> Result<(), CommandError> {
    let wrong = wrong_certificates(project, &Disk, SystemClock.now());
    if wrong.is_empty() { Ok(()) } else { Err(CommandError::releases(wrong, project.sources.clone())) }
}
