//! What the gateway is told that it answers by itself, and the hosts that it sends elsewhere.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use seaworthy_gateway::files::List;
use seaworthy_gateway::route::{
    Auth, Backend, Canary, Compression, Cors, Files, Protocol, Redirect, Route, Site, Users,
};
use seaworthy_project::model::site::{
    Canary as Share, Compress, Cors as OtherSites, Origin, Redirect as Wished, Site as Own,
};
use seaworthy_project::{Sensitive, Service};

use super::RouteWish;

/// What a redirect answers with where nothing is said: for good, and with the same method.
const STATUS: u16 = 308;
/// What passwords are for where nothing is said.
const REALM: &str = "restricted";
/// What other sites may do where nothing is said, and for how long browsers need not ask again.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const MAX_AGE_SECONDS: u64 = 600;

/// As the service's own route says.
pub(super) fn site(service: &Service) -> Site {
    let Some(own) = own(service) else { return Site::default() };
    let redirects = own.redirects.iter().filter_map(|wished| match &wished.from {
        Origin::Path(from) => Some(redirect(from, wished)),
        Origin::Host(_) => None,
    });
    Site {
        redirects: redirects.collect(),
        strip_path: own.strip_path,
        add_path: own.add_path.clone().unwrap_or_default(),
        cors: own.cors.as_ref().map(cors),
        compression: own.compress.as_ref().map(compression),
        max_per_client: own.max_per_client,
        canary: own.canary.as_ref().map(share),
        mirror: own.mirror.as_ref().map(share),
        ..Site::default()
    }
}

fn cors(own: &OtherSites) -> Cors {
    let usual = || METHODS.map(str::to_owned).to_vec();
    Cors {
        origins: own.origins.clone(),
        credentials: own.credentials,
        methods: if own.methods.is_empty() { usual() } else { own.methods.clone() },
        headers: own.headers.clone(),
        expose: own.expose.clone(),
        max_age_seconds: own.max_age.map_or(MAX_AGE_SECONDS, |time| time.as_secs()),
    }
}

fn share(own: &Share) -> Canary {
    Canary { route: own.service.value.clone(), percent: own.percent }
}

fn compression(own: &Compress) -> Compression {
    let plain = Compression::default();
    Compression {
        min_bytes: own.min_size.map_or(plain.min_bytes, |size| size.0),
        types: own.types.iter().map(|kind| kind.to_ascii_lowercase()).collect(),
    }
}

/// The same routes with the contents that a release keeps for them, by name. What cannot be read lets nobody in.
pub(crate) fn filled(
    mut wishes: Vec<RouteWish>,
    service: &Service,
    files: &IndexMap<String, Sensitive>,
) -> Vec<RouteWish> {
    let Some(own) = own(service) else { return wishes };
    let auth = own.auth.as_ref().map(|auth| {
        let kept = files.get(&format!("secret {}", auth.users.value));
        let users = kept.and_then(|text| Users::parse(text.reveal()).ok()).unwrap_or_default();
        Auth { realm: auth.realm.clone().unwrap_or_else(|| REALM.to_owned()), users }
    });
    let pages: BTreeMap<String, String> = files
        .iter()
        .filter_map(|(name, text)| {
            let which = name.strip_prefix(&page_key(service, ""))?;
            Some((which.to_owned(), text.reveal().to_owned()))
        })
        .collect();
    let shelf = own.files.as_ref().map(|own| Files {
        list: files.get(&list_key(service)).map(|text| List::hash_of(text.reveal())).unwrap_or_default(),
        fallback: own.fallback.as_ref().map(|fallback| fallback.value.clone()),
        pass: own.pass.clone(),
        max_age_seconds: own.cache.map_or(0, |time| time.as_secs()),
        immutable: own.immutable.clone(),
    });
    for wish in wishes.iter_mut().filter(|wish| wish.route.protocol == Protocol::Http) {
        if !wish.route.site.answers_all() {
            wish.route.site.auth = auth.clone();
            wish.route.site.files = shelf.clone();
        }
        wish.route.site.pages = pages.clone();
    }
    wishes
}

/// The name of the list of files that a release keeps.
pub(crate) fn list_key(service: &Service) -> String {
    format!("files {}", service.name.value)
}

/// The name of a page that a release keeps.
pub(crate) fn page_key(service: &Service, which: &str) -> String {
    format!("page {} {which}", service.name.value)
}

/// Routes of other hosts beside those of a service, whose clients are sent elsewhere.
pub(super) fn beside(service: &Service, wishes: &[RouteWish]) -> Vec<RouteWish> {
    let Some(own) = own(service) else { return Vec::new() };
    let mut beside: Vec<RouteWish> = Vec::new();
    for wished in &own.redirects {
        let Origin::Host(host) = &wished.from else { continue };
        for wish in wishes.iter().filter(|wish| wish.route.protocol == Protocol::Http) {
            let listen = wish.route.listen;
            let plain = format!("{}@{host}:{}", service.name.value, listen.port());
            let taken = beside.iter().any(|other| other.route.name == plain);
            let route = Route {
                name: if taken { format!("{}@{host}@{listen}", service.name.value) } else { plain },
                host: Some(host.clone()),
                path: "/".to_owned(),
                site: Site { redirects: vec![redirect("/*", wished)], ..Site::default() },
                sticky: false,
                probe: None,
                ..wish.route.clone()
            };
            beside.push(RouteWish { route, ..wish.clone() });
        }
    }
    beside
}

/// The backends of a route: none where no request gets to them.
pub(super) fn reached(route: &Route, backends: Vec<Backend>) -> Vec<Backend> {
    if route.site.answers_all() { Vec::new() } else { backends }
}

fn own(service: &Service) -> Option<&Own> {
    service.settings.route.as_ref().map(|route| &route.value.site)
}

fn redirect(from: &str, wished: &Wished) -> Redirect {
    let to = wished.to.as_str();
    let address = ["https://", "http://"].iter().find_map(|scheme| to.strip_prefix(scheme));
    let to = if to.starts_with('/') || address.is_some_and(|rest| rest.contains(['/', '?'])) {
        to.to_owned()
    } else {
        // A host alone stands for all of its paths.
        let scheme = if address.is_none() { "//" } else { "" };
        let rest = if from.ends_with("/*") { "*" } else { "" };
        format!("{scheme}{to}/{rest}")
    };
    Redirect { from: from.to_owned(), to, status: wished.status.unwrap_or(STATUS) }
}
