//! Where the gateway tells spans of a service's requests.

use seaworthy_gateway::route::Traces;
use seaworthy_project::Service;
use seaworthy_project::model::traces::Endpoint;

/// All of a service's traces are told, unless it says otherwise.
const ALL: u32 = 100;
/// What OTLP adds to an address; some write it themselves.
const PATH: &str = "/v1/traces";

pub(super) fn traces(service: &Service) -> Option<Traces> {
    let own = &service.settings.route.as_ref()?.value.traces.as_ref()?.value;
    let Some(Endpoint::Collector(address)) = &own.endpoint else { return None };
    let address = address.trim_end_matches('/');
    Some(Traces {
        endpoint: address.strip_suffix(PATH).unwrap_or(address).to_owned(),
        sample_percent: own.sample_percent.unwrap_or(ALL),
        service_name: own.service_name.clone(),
        headers: own.headers_file.clone(),
        roots: own.roots.clone(),
    })
}
