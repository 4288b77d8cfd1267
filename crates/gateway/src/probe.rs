//! Active questions to backends, from outside, each on its own clock.

mod grpc;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::backend::Backend;
use crate::outgoing::Outgoing;
use crate::place::Place;
use crate::route::Protocol;
use crate::sockets::note;
use crate::worker::Gateway;

/// How a backend without a probe is asked.
const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(2);
/// An answer longer than this is none to such a question.
const MOST_BODY: usize = 1 << 20;

/// One task per backend that is in the table.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    tasks: HashMap<usize, (Arc<Backend>, JoinHandle<()>)>,
}

impl Probes {
    /// Starts and ends tasks so that exactly these backends are asked.
    pub(crate) fn cover(&mut self, backends: Vec<Arc<Backend>>, gateway: &Arc<Gateway>) {
        let key = |backend: &Arc<Backend>| Arc::as_ptr(backend) as usize;
        let wanted: Vec<usize> = backends.iter().map(key).collect();
        self.tasks.retain(|key, (_, task)| {
            let stays = wanted.contains(key);
            if !stays {
                task.abort();
            }
            stays
        });
        for backend in backends {
            let gateway = gateway.clone();
            self.tasks.entry(key(&backend)).or_insert_with(|| {
                let task = tokio::spawn(ask_for_ever(backend.clone(), gateway));
                (backend, task)
            });
        }
    }
}

async fn ask_for_ever(backend: Arc<Backend>, gateway: Arc<Gateway>) {
    let every =
        backend.probe.as_ref().map_or(INTERVAL, |probe| Duration::from_millis(probe.interval_ms.max(50)));
    let mut clock = interval(every);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        // Connections that say nothing may be held against whoever makes them (some database servers shut out a host
        // that does it again and again), and the next connection finds out by itself whether one can be made.
        if backend.protocol == Protocol::Tcp
            && backend.probe.is_none()
            && !backend.probe_tcp
            && backend.is_answering()
        {
            continue;
        }
        let limit =
            backend.probe.as_ref().map_or(TIMEOUT, |probe| Duration::from_millis(probe.timeout_ms.max(50)));
        let success = timeout(limit, ask(&backend)).await.unwrap_or(false);
        if let Some(well) = backend.judge(success, &gateway.metrics) {
            tell(&gateway.place, &backend, well);
        }
    }
}

/// Tells a flip; only flips are told.
pub(crate) fn tell(place: &Place, backend: &Backend, well: bool) {
    let how = if well { "is well again" } else { "does not answer and gets no requests" };
    note(place, &format!("backend {} of {}/{} {how}", backend.id, backend.project, backend.route));
}

/// Tells that a backend is left out for a while, for what it answers.
pub(crate) fn tell_left_out(place: &Place, backend: &Backend, time: Duration) {
    let (id, project, route, seconds) = (&backend.id, &backend.project, &backend.route, time.as_secs_f64());
    note(
        place,
        &format!(
            "backend {id} of {project}/{route} answers as a sick one does and is left out for {seconds} s"
        ),
    );
}

async fn ask(backend: &Backend) -> bool {
    let Some(probe) = &backend.probe else {
        return TcpStream::connect(backend.address).await.is_ok();
    };
    if let Some(service) = &probe.grpc {
        return grpc::ask(backend, service).await;
    }
    let Ok(mut connection) = backend.connect_alone().await else { return false };
    let request = Request::get(probe.path.as_str())
        .header("host", "localhost")
        .header("user-agent", "seaworthy-probe")
        .header("connection", "close")
        .body(Outgoing::whole(Bytes::new()));
    let Ok(request) = request else { return false };
    match connection.try_send_request(request).await {
        Ok(answer) => {
            let yes = (200..400).contains(&answer.status().as_u16());
            // Read to its end, so that a half answer is no yes.
            Limited::new(answer.into_body(), MOST_BODY).collect().await.is_ok() && yes
        }
        Err(_) => false,
    }
}
