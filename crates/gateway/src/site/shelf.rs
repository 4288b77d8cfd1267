//! The list of a route's files, read once.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::files::List;
use crate::place::Place;
use crate::rim;
use crate::route::Files;
use crate::sockets::note;

/// The longest list.
const MAX_BYTES: u64 = 16 << 20;

/// A list that is read when the first request needs it.
#[derive(Debug)]
pub(super) struct Shelf {
    hash: String,
    list: OnceCell<Option<List>>,
}

/// The one that was there before, where it is the same.
pub(super) fn kept(told: Option<&Files>, before: Option<&Arc<Shelf>>) -> Option<Arc<Shelf>> {
    let told = told?;
    let old = before.filter(|old| old.hash == told.list).cloned();
    Some(old.unwrap_or_else(|| Arc::new(Shelf { hash: told.list.clone(), list: OnceCell::new() })))
}

impl Shelf {
    pub(super) async fn list(&self, place: &Place, project: &str) -> Option<&List> {
        self.list.get_or_init(|| self.read(place, project)).await.as_ref()
    }

    async fn read(&self, place: &Place, project: &str) -> Option<List> {
        let path = place.file_list(project, &self.hash);
        let read = tokio::task::spawn_blocking(move || rim::read(&path, MAX_BYTES)).await;
        let bytes = read.ok().and_then(Result::ok).flatten();
        let list = bytes.and_then(|bytes| List::parse(std::str::from_utf8(&bytes).ok()?));
        if list.is_none() {
            note(
                place,
                &format!("the files {} of `{project}` are gone: its backends are asked instead", self.hash),
            );
        }
        list
    }
}
