//! The web service.

use std::process::ExitCode;

use seaworthy_service::{Config, Failure, Kit, Stop, bind, run};

use crate::api::{self, Api};
use crate::database::Database;
use crate::settings::{self, DATABASE_PATH, NOTES_TOKEN};
use crate::store::{Store, StoreError};
use crate::version::Version;

/// Runs a version of the web service until it is told to stop.
pub fn web(version: &'static Version) -> ExitCode {
    let settings = [settings::database_path(), settings::token()];
    run("notes-web", settings, move |config, stop| serve(version, config, stop))
}

async fn serve(version: &'static Version, config: Config, stop: Stop) -> Result<(), Failure> {
    let database = Database::open(config.text(DATABASE_PATH)).await?;
    let mut kit = Kit::new("notes-web", version.number)
        .configured(&config)
        .check("database", asking(&database, Store::ping))
        .check("schema", asking(&database, |store| store.has_schema(version.schema)));
    if version.index {
        kit = kit.check("search-index", asking(&database, Store::has_index));
    }
    let listener = bind(&config).await?;
    let api = Api { database, token: config.secret(NOTES_TOKEN), version };
    kit.serve(listener, api::routes(api), stop).await;
    Ok(())
}

/// A readiness check that asks the store.
fn asking<F>(
    database: &Database,
    ask: F,
) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>> + Send + Sync + 'static
where
    F: Fn(&Store) -> Result<(), StoreError> + Send + Sync + Copy + 'static,
{
    let database = database.clone();
    move || {
        let database = database.clone();
        Box::pin(async move { database.run(ask).await })
    }
}
