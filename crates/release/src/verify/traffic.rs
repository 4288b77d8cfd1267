//! The promises about what the gateway serves of a service, and where it listens.

use std::net::SocketAddr;

use seaworthy_engine::Seen;
use seaworthy_gateway::route::{Route, RouteSet};

use super::{Evidence, Ledger, Promise};
use crate::Wanted;
use crate::routes::route_set;

pub(super) fn hold(ledger: &mut Ledger<'_>, evidence: &Evidence<'_>, wanted: &Wanted) {
    let own = |route: &&Route| route.name.split('@').next() == Some(wanted.service.as_str());
    let serving: Seen<Vec<Route>> = match &evidence.serving {
        Ok(set) => Seen::Is(set.iter().flat_map(|set| &set.routes).filter(own).cloned().collect()),
        Err(why) => Seen::Unseen(why.clone()),
    };
    let keys = ["x-seaworthy.route", "ports", ""];
    let backends = [(wanted.service.clone(), wanted.instances().collect())].into();
    let promised = if wanted.routes.is_empty() {
        Ok(RouteSet::default())
    } else {
        route_set(evidence.target, &backends, evidence.observed, &RouteSet::default())
    };
    match promised {
        Ok(set) => {
            let told = if set.routes.is_empty() { "no route".to_owned() } else { shown(&set.routes) };
            ledger.hold(Promise::OtherRoute, &keys, told, &serving, |seen| {
                let same =
                    seen.len() == set.routes.len() && set.routes.iter().all(|route| seen.contains(route));
                (!same).then(|| if seen.is_empty() { "no route".to_owned() } else { shown(seen) })
            });
        }
        // Told as a missing replica as well; the route cannot be as promised then.
        Err(missing) => {
            ledger.hold(Promise::OtherRoute, &keys, "every instance is reached", &serving, |seen| {
                Some(format!(
                    "{missing} is not there: {}",
                    if seen.is_empty() { "no route".to_owned() } else { shown(seen) }
                ))
            })
        }
    }
    let listening = match &evidence.listening {
        Some(addresses) => Seen::Is(addresses.clone()),
        None => Seen::Unseen("this machine does not tell who listens".to_owned()),
    };
    let mut listens: Vec<SocketAddr> = wanted.routes.iter().map(|wish| wish.route.listen).collect();
    listens.sort();
    listens.dedup();
    for promised in listens {
        ledger.hold(
            Promise::OtherListener,
            &["ports", "x-seaworthy.route"],
            promised.to_string(),
            &listening,
            |seen| {
                let everywhere = |address: &&SocketAddr| {
                    address.port() == promised.port() && address.ip().is_unspecified()
                };
                let wider = seen.iter().find(everywhere).filter(|_| !promised.ip().is_unspecified());
                match wider {
                    Some(wider) => Some(wider.to_string()),
                    None => (!seen.contains(&promised)).then(|| "nobody listens there".to_owned()),
                }
            },
        );
    }
}

/// `127.0.0.1:80/ → web.3f2a9c01d4e5.1, web.3f2a9c01d4e5.2`
fn shown(routes: &[Route]) -> String {
    let route = |route: &Route| {
        let backends: Vec<&str> = route.backends.iter().map(|backend| backend.id.as_str()).collect();
        let backends = if backends.is_empty() { "nothing (503)".to_owned() } else { backends.join(", ") };
        format!("{}{} → {backends}", route.listen, route.path)
    };
    routes.iter().map(route).collect::<Vec<_>>().join("; ")
}
