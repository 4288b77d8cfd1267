//! What a plan promises, held over generated states: any target, from any state a killed change can leave.

#[path = "planner/simulation.rs"]
mod simulation;

use proptest::collection::vec;
use proptest::prelude::*;
use seaworthy_release::plan;

use simulation::{Change, ServiceWish, Simulation};

const CASES: u32 = 10_000;

fn service() -> impl Strategy<Value = ServiceWish> {
    let flags = (any::<bool>(), any::<bool>());
    (0u32..4, 0u8..3, prop::option::of(1u32..3), 0u8..8, flags).prop_map(
        |(replicas, revision, group, needs, (after, delay))| ServiceWish {
            replicas,
            revision,
            group,
            after,
            needs,
            delay,
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    (
        prop::option::weighted(0.9, vec(prop::option::weighted(0.8, service()), 4)),
        any::<prop::sample::Index>(),
        any::<bool>(),
        vec(any::<prop::sample::Index>(), 0..3),
    )
        .prop_map(|(services, cut, whole, deaths)| Change { services, cut, whole, deaths })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    /// Through any chain of changes, each carried out whole or cut off after any step, with instances dying in
    /// between: the promises hold at every step, and a reached target plans nothing.
    #[test]
    fn promises_hold_at_every_step(changes in vec(change(), 1..5)) {
        let mut simulation = Simulation::default();
        for (number, change) in changes.iter().enumerate() {
            let target = change.target(number as u32 + 1);
            simulation.begin();
            let world = simulation.world();
            let plan = plan(&target, &world).expect("generated targets do not contradict themselves");
            prop_assert!(plan.steps.len() <= 200, "planning ends");
            let steps = if change.whole { plan.steps.len() } else { change.cut.index(plan.steps.len() + 1) };
            for step in &plan.steps[..steps] {
                simulation.take(step, &target)?;
            }
            if steps == plan.steps.len() {
                simulation.reached(&target);
                let again = seaworthy_release::plan(&target, &simulation.world()).expect("as before");
                prop_assert!(again.is_empty(), "a reached target plans nothing, but: {:#?}", again.steps);
            }
            simulation.kill(&change.deaths);
        }
    }
}
