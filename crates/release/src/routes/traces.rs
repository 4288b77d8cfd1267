//! Where the gateway tells spans of a service's requests.

use seaworthy_gateway::route::Traces;
use seaworthy_project::Service;

/// All of a service's traces are told, unless it says otherwise.
const ALL: u32 = 100;

pub(super) fn traces(service: &Service) -> Option<Traces> {
    let own = service.settings.route.as_ref()?.value.traces.as_ref()?;
    let endpoint = own.endpoint.clone()?.trim_end_matches('/').to_owned();
    Some(Traces { endpoint, sample_percent: own.sample_percent.unwrap_or(ALL) })
}
