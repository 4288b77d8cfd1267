//! Instances that are taken out of traffic by hand, and back in.

use super::Gateway;
use crate::error::GatewayError;
use crate::snapshot;
use crate::sockets::note;

impl Gateway {
    /// Takes backends of a project out of traffic, or back in, once that is on disk.
    pub(crate) async fn set_aside(
        &self,
        project: &str,
        ids: &[String],
        aside: bool,
    ) -> Result<(), GatewayError> {
        let changing = self.changing.lock().await;
        if changing.closed {
            return Err(GatewayError::Stopping);
        }
        let table = self.table.load_full();
        let named = table.backends_named(project, ids);
        let mut all = table.aside();
        let ours = all.entry(project.to_owned()).or_default();
        for backend in &named {
            let _ = if aside { ours.insert(backend.id.clone()) } else { ours.remove(&backend.id) };
        }
        all.retain(|_, ids| !ids.is_empty());
        snapshot::write(&self.place, &table, all).await?;
        for backend in named.iter().filter(|backend| backend.is_set_aside() != aside) {
            backend.set_aside(aside);
            let how = if aside { "is taken out of traffic by hand" } else { "is back in traffic" };
            note(&self.place, &format!("backend {} of {project}/{} {how}", backend.id, backend.route));
        }
        Ok(())
    }
}
