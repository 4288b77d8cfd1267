//! What the programs are told by their environment.

use seaworthy_service::Setting;

pub(crate) const DATABASE_PATH: &str = "DATABASE_PATH";
pub(crate) const NOTES_TOKEN: &str = "NOTES_TOKEN";
pub(crate) const WORKER_INTERVAL_SECONDS: &str = "WORKER_INTERVAL_SECONDS";

pub(crate) fn database_path() -> Setting {
    Setting::required(DATABASE_PATH, "the file that holds the notes")
}

pub(crate) fn token() -> Setting {
    Setting::secret(NOTES_TOKEN, "what clients must know to write").min_length(16).refuse(["change-me"])
}

pub(crate) fn worker_interval() -> Setting {
    Setting::with_default(WORKER_INTERVAL_SECONDS, "2", "how often the worker looks for new notes")
        .number(1..=3600)
}
