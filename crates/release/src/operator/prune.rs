//! Keeps five releases, and always the running one and the last good one; drops what only others needed.

use std::collections::BTreeSet;

use seaworthy_engine::ReleaseNumber;

use crate::operator::Operator;
use crate::{Event, ReleaseError};

/// Releases that are kept.
const KEPT: usize = 5;

impl Operator<'_> {
    /// Drops what is no longer needed. Failing to is told, and harms nothing.
    pub(crate) async fn prune(&self) {
        if let Err(error) = self.try_prune().await {
            self.progress.tell(Event::Note(format!("old releases could not be dropped: {error}")));
        }
    }

    async fn try_prune(&self) -> Result<(), ReleaseError> {
        let releases = self.store.releases()?;
        let running = self.store.current()?.map(|(release, _)| release);
        let good = releases.iter().filter(|release| release.good).map(|release| release.number);
        let mut keep: BTreeSet<ReleaseNumber> = good.take(KEPT).collect();
        keep.extend(running);
        let newest: Vec<ReleaseNumber> = releases.iter().map(|release| release.number).collect();
        keep.extend(newest.iter().take(KEPT.saturating_sub(keep.len())));
        for number in newest.iter().filter(|number| !keep.contains(number)) {
            self.store.drop_release(*number)?;
        }
        let (mut artifacts, mut blobs) = (Vec::new(), Vec::new());
        for number in keep {
            let Ok((pinned, files)) = self.store.needs(number) else { return Ok(()) };
            artifacts.extend(pinned);
            blobs.extend(files);
        }
        self.store.drop_blobs_but(&blobs)?;
        Ok(self.engine.prune(&self.project, &artifacts).await?)
    }
}
