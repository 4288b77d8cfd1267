//! The job that brings the schema up to date and ends.

use std::process::ExitCode;

use seaworthy_service::{Config, Failure, Stop, run};

use crate::database::Database;
use crate::settings::{self, DATABASE_PATH};

/// Brings the schema up to date; doing it again changes nothing.
pub fn migrate() -> ExitCode {
    run("notes-migrate", [settings::database_path()], bring_up_to_date)
}

async fn bring_up_to_date(config: Config, _: Stop) -> Result<(), Failure> {
    let database = Database::open(config.text(DATABASE_PATH)).await?;
    let migrated = database.run(|store| store.migrate()).await?;
    for added in &migrated.added {
        tracing::info!(added, "schema changed");
    }
    tracing::info!(from = migrated.from, to = migrated.to, "the schema is up to date");
    Ok(())
}
