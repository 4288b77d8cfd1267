//! The address pools of a network (`ipam.config`), merged as Compose does: each pool of the base meets each pool laid over
//! it.

use crate::{Entry, Node, Value};

/// The pools of both. A pool that grew is the same pool wherever it was put meanwhile, so pools are known by number.
pub(super) fn merge(base: &[Node], over: Vec<Node>) -> Vec<Node> {
    let mut pools: Vec<Node> = over.into_iter().chain(base.iter().cloned()).collect();
    let mut merged: Vec<usize> = Vec::new();
    for grown in pools.len() - base.len()..pools.len() {
        for pool in 0..pools.len() - base.len() {
            let known = |wanted: usize| {
                merged.iter().position(|other| subnet(&pools[*other]) == subnet(&pools[wanted]))
            };
            if subnet(&pools[pool]) != subnet(&pools[grown]) && known(pool).is_none() {
                merged.push(pool);
                continue;
            }
            let laid = pools[pool].clone();
            lay(&mut pools[grown], &laid);
            let known = merged.iter().position(|other| subnet(&pools[*other]) == subnet(&pools[grown]));
            match known {
                Some(place) => merged[place] = grown,
                None => merged.push(grown),
            }
        }
    }
    merged.into_iter().map(|pool| pools[pool].clone()).collect()
}

fn subnet(pool: &Node) -> Option<&str> {
    pool.get("subnet")?.text()
}

/// Key by key; what both have as maps meets key by key too.
fn lay(base: &mut Node, over: &Node) {
    for Entry { key, node } in over.entries() {
        match base.get_mut(&key.value) {
            Some(own) if matches!(own.value, Value::Mapping(_)) => lay(own, node),
            _ => base.set(&key.value, node.clone()),
        }
    }
}
