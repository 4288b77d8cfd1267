//! From a project to a running one: releases, the plan, and the controller that carries it out.
//!
//! [`plan`] is pure: a [`Target`] and a [`World`] in, a [`Plan`] out. Effects live in [`Controller`] and [`Operator`].

mod bundle;
mod cause;
mod clock;
mod controller;
mod disk;
mod error;
mod fault;
mod freeze;
mod happening;
mod heal;
mod lock;
mod needs;
mod notes;
mod operator;
mod parts;
mod plan;
mod progress;
mod prove;
mod record;
mod redact;
mod release;
mod rolling;
mod rollout;
mod routes;
mod service_notes;
mod step;
mod store;
mod target;
mod traffic;
pub mod verify;
mod world;

pub use bundle::Bundle;
pub use clock::{Clock, SystemClock};
pub use controller::{Controller, Failure, Interrupt, LifeCheck};
pub use disk::StateFolder;
pub use error::ReleaseError;
pub use fault::FaultPoint;
pub use freeze::certificates::wrong_certificates;
pub use freeze::site::{drop_files, keep_files};
pub use freeze::{Draft, Origin, draft};
pub use happening::Happening;
pub use heal::{Cure, Standing, heal_plan, unserved};
pub use lock::{HEALER, Lock, LockError, Owner};
pub use operator::{Operator, Outcome, Settled};
pub use plan::{PlanError, plan};
pub use progress::{Event, Progress};
pub use prove::{Proof, ProveError, Proven, Prover, Rights, SUFFIX as PROOF_SUFFIX, Symptom, Untried};
pub use redact::Redactor;
pub use release::Release;
pub use rolling::{FailureAction, Rolling, Way};
pub use rollout::{StopFirst, Timers};
pub use routes::{RouteWish, wishes as route_wishes};
pub use seaworthy_engine::ReleaseNumber;
pub use service_notes::ServiceNotes;
pub use step::{Action, Change, Gap, Plan, Readiness, Step};
pub use store::{
    Deployment, DeploymentKind, DeploymentState, JournalLine, ReleaseSummary, Store, StoreError,
};
pub use target::{Settings, Target, Wanted, WantedKind};
pub use traffic::{GatewayTraffic, Traffic, TrafficError};
pub use world::World;

#[cfg(feature = "test-util")]
pub use traffic::fake::FakeTraffic;
