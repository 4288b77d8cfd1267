//! Changing places with a worker of another program: one that is tried, and one that gives way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Gateway;
use crate::admin;
use crate::client::Client;
use crate::error::{GatewayError, with_cause};
use crate::place::Place;
use crate::route::RouteSet;
use crate::snapshot;
use crate::sockets::{Order, Sockets, note};
use crate::supervisor::Sets;
use crate::table::Table;
use crate::wire::{Answer, Ask};

/// How long another worker may take to say that it serves.
const ANSWER: Duration = Duration::from_secs(2);

/// A table of these sets.
pub(super) fn table(projects: BTreeMap<String, RouteSet>) -> Table {
    projects.into_iter().fold(Table::default(), |table, (name, set)| table.with(&name, set))
}

/// The sets that will be served, as far as they can be read.
pub(super) fn served(place: &Place) -> Vec<RouteSet> {
    snapshot::read(place).map(|served| served.projects.into_values().collect()).unwrap_or_default()
}

/// What a table serves, by hashes.
pub(super) fn sets(table: &Table) -> Sets {
    table.projects.iter().map(|(name, entry)| (name.clone(), entry.hash.clone())).collect()
}

/// Says what this worker would serve, and waits until it is its turn; whether it came. Nothing on disk is changed, and
/// nobody is served.
///
/// # Errors
/// When it could not serve what is served.
pub(super) async fn rehearse(
    place: &Place,
    sockets: &Sockets,
    orders: &mut mpsc::Receiver<Order>,
) -> Result<bool, GatewayError> {
    let served = snapshot::read(place)?;
    sockets.tell(sets(&table(served.projects))).await;
    let come = matches!(orders.recv().await, Some(Order::Go));
    if come {
        sockets.stand();
    }
    Ok(come)
}

impl Gateway {
    /// Gives way to another worker, or does not after all; whether this one leaves.
    pub(super) async fn turn(self: &Arc<Self>, order: Order, admin: &mut JoinHandle<()>) -> bool {
        match order {
            Order::Yield => {
                // A change that has begun is finished first: the other one starts from the snapshot.
                self.changing.lock().await.closed = true;
                self.sockets.tell(sets(&self.table.load())).await;
                false
            }
            Order::Leave => true,
            Order::Orphaned if self.is_replaced().await => true,
            Order::Stay | Order::Orphaned => {
                // The other one may have taken its path.
                match admin::open(self) {
                    Ok(socket) => {
                        admin.abort();
                        *admin = tokio::spawn(admin::serve(socket, self.clone()));
                    }
                    Err(error) => note(&self.place, &with_cause(&error)),
                }
                self.changing.lock().await.closed = false;
                self.sockets.stand();
                note(&self.place, "no other worker takes over: this one goes on");
                false
            }
            Order::Go => false,
        }
    }

    /// Whether another worker answers in this one's place.
    async fn is_replaced(&self) -> bool {
        let answer = Client::new(self.place.state()).once(&Ask::Status, ANSWER).await;
        matches!(answer, Ok(Answer::Status { status }) if status.process != std::process::id())
    }
}
