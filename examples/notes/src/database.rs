//! The store, for asynchronous code: SQLite blocks, so each use of it runs on a thread of its own.

use std::path::Path;
use std::sync::Arc;

use crate::store::{Store, StoreError};

/// A shared store.
#[derive(Clone)]
pub(crate) struct Database {
    store: Arc<Store>,
}

impl Database {
    /// Opens the file at `path`, and makes it when it is not there.
    pub(crate) async fn open(path: &str) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || Store::open(Path::new(&path))).await;
        opened.unwrap_or(Err(StoreError::Interrupted)).map(|store| Self { store: Arc::new(store) })
    }

    /// Runs `work` on the store.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || work(&store)).await.unwrap_or(Err(StoreError::Interrupted))
    }
}
