//! `update_config` and `rollback_config`: how a set of instances is replaced, and what a failure among them means.

use std::time::Duration;

use seaworthy_project::Service;
use seaworthy_project::model::deploy::Update;
use serde::{Deserialize, Serialize};

/// Which of the two settings counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To something new: `update_config`.
    Forward,
    /// To what was before: `rollback_config`.
    Back,
}

/// What happens when more new instances fail than may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureAction {
    /// All goes back to what was before.
    #[default]
    Rollback,
    /// New and old stay as they stand, and a person decides.
    Pause,
    /// It goes on without them, as long as a routed service keeps an instance that is ready.
    Continue,
}

/// How the instances of a service are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rolling {
    /// Instances replaced at a time, when the user wrote it; `None` swaps the whole set at once.
    pub group: Option<u32>,
    /// The pause between two groups.
    pub delay: Duration,
    /// What a failure means.
    pub on_failure: FailureAction,
    /// How many new instances may fail before that.
    pub may_fail: u32,
}

impl Rolling {
    /// What a service says. On the way back, what `rollback_config` leaves out is not taken from `update_config`: the
    /// way back is short.
    pub fn of(service: &Service, replicas: u32, way: Way) -> Self {
        let Some(said) = said(service, way) else { return Self::default() };
        let share = u64::from(replicas) * u64::from(said.max_failure_millionths.unwrap_or(0)) / 1_000_000;
        Self {
            // Zero is all of them.
            group: said.parallelism.map(|size| if size == 0 { u32::MAX } else { size }),
            delay: said.delay.unwrap_or_default(),
            on_failure: match said.failure_action.as_deref() {
                Some("pause") => FailureAction::Pause,
                Some("continue") => FailureAction::Continue,
                _ => FailureAction::Rollback,
            },
            may_fail: u32::try_from(share).unwrap_or(u32::MAX),
        }
    }
}

/// The settings of one way.
fn said(service: &Service, way: Way) -> Option<&Update> {
    match way {
        Way::Forward => service.deploy.update.as_ref(),
        Way::Back => service.deploy.rollback.as_ref(),
    }
}

/// A setting of one way. What is true of the service either way (`order`, `monitor`) holds on the way back too, unless
/// `rollback_config` says otherwise.
pub(crate) fn setting<T>(service: &Service, way: Way, of: impl Fn(&Update) -> Option<T> + Copy) -> Option<T> {
    let forward = || said(service, Way::Forward).and_then(of);
    said(service, way).and_then(of).or_else(forward)
}
