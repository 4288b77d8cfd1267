//! Sealed files beside the database: releases, and the contents of secrets and configs by their fingerprint.

use std::path::{Path, PathBuf};

use crate::disk;
use crate::{Store, StoreError};

impl Store {
    /// Keeps contents, sealed; returns the fingerprint to find them by. The same contents are kept once.
    pub(crate) fn keep_blob(&self, contents: &[u8]) -> Result<String, StoreError> {
        let fingerprint = self.key.fingerprint(contents);
        let path = self.blob_path(&fingerprint);
        if disk::length(&path).is_none() {
            self.write_sealed(&path, &fingerprint, contents)?;
        }
        Ok(fingerprint)
    }

    /// The contents kept under a fingerprint.
    pub(crate) fn blob(&self, fingerprint: &str) -> Result<Vec<u8>, StoreError> {
        self.read_sealed(&self.blob_path(fingerprint), fingerprint)
    }

    /// Drops blobs that none of `keep` names.
    pub(crate) fn drop_blobs_but(&self, keep: &[String]) -> Result<(), StoreError> {
        for name in disk::list(&self.folder.join("blobs")) {
            let used = name.strip_suffix(".sealed").is_some_and(|stem| keep.iter().any(|kept| kept == stem));
            if !used {
                let path = self.folder.join("blobs").join(&name);
                disk::remove(&path).map_err(StoreError::written(&path))?;
            }
        }
        Ok(())
    }

    pub(super) fn write_sealed(&self, path: &Path, context: &str, contents: &[u8]) -> Result<(), StoreError> {
        let written = StoreError::written(path);
        let parent = path.parent().unwrap_or(&self.folder);
        let sealed = self.key.seal(contents, context);
        disk::make_folder(parent).and_then(|()| disk::write_private(path, &sealed)).map_err(written)
    }

    pub(super) fn read_sealed(&self, path: &Path, context: &str) -> Result<Vec<u8>, StoreError> {
        let sealed = disk::read_if_there(path).map_err(StoreError::written(path))?;
        let sealed = sealed.ok_or_else(|| StoreError::Missing { path: path.to_owned() })?;
        let opened = self.key.open(&sealed, context).map(|plain| plain.to_vec());
        opened.map_err(|cause| StoreError::Sealed { path: path.to_owned(), cause })
    }

    fn blob_path(&self, fingerprint: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{fingerprint}.sealed"))
    }
}
