//! Makes sure that an agent watches over what was deployed, and gives it the parts of each project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use seaworthy_agent::{Place, Tenant, Ward, Wards};
use seaworthy_project::ProjectName;
use seaworthy_release::{Clock, StateFolder, Store, SystemClock};

use crate::arguments::{EngineChoice, Globals};
use crate::context::{Context, Site};
use crate::surroundings::Surroundings;
use crate::ui::Ui;

/// What of the caller's environment tells where an engine is. The agent outlives the shell that knows it.
const KEPT: [&str; 11] = [
    "HOME",
    "PATH",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_TLS_VERIFY",
    "DOCKER_TLS",
    "DOCKER_CERT_PATH",
    "SSH_AUTH_SOCK",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];
/// How long an agent may take to begin, and the one before it to end.
const START: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

/// The projects of a state folder, for the agent.
pub(crate) struct Projects {
    surroundings: Surroundings,
    state: PathBuf,
}

impl Projects {
    pub(crate) fn new(context: &Context, state: &Path) -> Self {
        Self { surroundings: context.surroundings.clone(), state: state.to_owned() }
    }

    /// The context that a project was deployed in, as far as it matters for its engine.
    fn context(&self, kept: &str) -> Context {
        let mut surroundings = self.surroundings.clone();
        let kept: BTreeMap<String, String> = serde_json::from_str(kept).unwrap_or_default();
        for name in KEPT {
            match kept.get(name) {
                Some(value) => surroundings.variables.insert(name.to_owned(), value.clone()),
                None => surroundings.variables.shift_remove(name),
            };
        }
        surroundings.variables.insert("SEAWORTHY_STATE".to_owned(), self.state.display().to_string());
        let globals = Globals {
            files: Vec::new(),
            environment: String::new(),
            env_files: Vec::new(),
            project_name: None,
            profiles: Vec::new(),
            project_directory: None,
            engine: EngineChoice::Auto,
            quiet: true,
            verbose: false,
        };
        let ui = Ui::new(&surroundings, true, false);
        Context { surroundings, globals, ui }
    }
}

impl Wards for Projects {
    fn projects(&self) -> Vec<ProjectName> {
        StateFolder::existing(&self.state).projects()
    }

    fn surroundings(&self, project: &ProjectName) -> Option<String> {
        String::from_utf8(Place::new(&self.state).read(&file(project))?).ok()
    }

    fn open(&self, project: &ProjectName) -> Result<Option<Ward>, String> {
        let state = StateFolder::existing(&self.state);
        let folder = state.project(project);
        if !Store::path_in(&folder).is_file() {
            return Ok(None);
        }
        let told = |error: crate::error::CommandError| error.to_string();
        let key = state.key().map_err(|error| told(error.into()))?;
        let store = Store::open_existing(&folder, key).map_err(|error| told(error.into()))?;
        let Some(store) = store else { return Ok(None) };
        // A project that is down is bound to no engine.
        if store.engine().map_err(|error| told(error.into()))?.is_none() {
            return Ok(None);
        }
        let Some(surroundings) = self.surroundings(project) else { return Ok(None) };
        let context = self.context(&surroundings);
        let engine = context.engine(&state, &store, None).map_err(told)?;
        let traffic = std::sync::Arc::new(context.traffic(&state));
        let user = context.surroundings.user();
        Ok(Some(Ward { project: project.clone(), folder, engine, traffic, store, user, surroundings }))
    }
}

fn file(project: &ProjectName) -> String {
    format!("project-{project}.json")
}

/// The time now.
pub(crate) fn now() -> jiff::Timestamp {
    SystemClock.now()
}

/// This process as an agent. The program is named by its file, so that one that was replaced is told from its successor.
pub(crate) fn tenant(context: &Context, stays: bool) -> Tenant {
    Tenant { process: std::process::id(), program: context.surroundings.program_mark(), stays }
}

/// Whether agents are wanted.
pub(crate) fn is_wanted(surroundings: &Surroundings) -> bool {
    !surroundings.variable("SEAWORTHY_AGENT").is_some_and(|word| matches!(word, "off" | "0" | "no"))
}

/// Makes sure that an agent of this program watches over what a command left running. That there is none harms nothing
/// now, so it is only told.
pub(crate) async fn keep(context: &Context, site: &Site) {
    let state = context.surroundings.state_folder();
    let place = Place::new(&state);
    if !is_wanted(&context.surroundings) {
        // Nor is it to be watched by one that was started for another project.
        place.remove(&file(&site.project));
        return;
    }
    if !matches!(site.store.current(), Ok(Some(_))) {
        return;
    }
    let kept: IndexMap<&str, &str> =
        KEPT.into_iter().filter_map(|name| Some((name, context.surroundings.variable(name)?))).collect();
    let text = serde_json::to_vec(&kept).unwrap_or_default();
    let name = file(&site.project);
    let mut trouble = None;
    if place.read(&name).as_ref() != Some(&text) {
        trouble = place.write(&name, &text).err().map(|error| error.to_string());
    }
    let trouble = match trouble {
        Some(trouble) => Some(trouble),
        None => start(context, &place, &state).await,
    };
    if let Some(trouble) = trouble {
        context.ui.warn(&format!("no agent watches over `{}`: {trouble}", site.project));
    }
}

/// Ends an agent of another program where one of this program waits to follow it: the gateway's supervisor starts it.
pub(crate) async fn renew(context: &Context) {
    let place = Place::new(&context.surroundings.state_folder());
    let mark = context.surroundings.program_mark();
    if let Some(tenant) = place.tenant().filter(|tenant| !tenant.stays && tenant.program != mark) {
        end(&place, &tenant).await;
    }
}

/// Starts an agent where there is none, or one of another program; gives why that failed.
async fn start(context: &Context, place: &Place, state: &Path) -> Option<String> {
    let mark = context.surroundings.program_mark();
    match place.tenant() {
        Some(tenant) if tenant.stays || tenant.program == mark => return None,
        Some(tenant) => end(place, &tenant).await,
        None => {}
    }
    if let Err(error) = context.surroundings.start_agent(state) {
        return Some(format!("it could not be started: {error}"));
    }
    let begun = || place.tenant().is_some_and(|tenant| tenant.program == mark || tenant.stays);
    let until = tokio::time::Instant::now() + START;
    while !begun() {
        if tokio::time::Instant::now() >= until {
            return Some(format!("it did not begin; `{}` may tell why", place.log().display()));
        }
        tokio::time::sleep(LOOK).await;
    }
    None
}

/// Asks an agent to end, and waits for it. It holds its lock, so its process is the one that it named.
pub(crate) async fn end(place: &Place, tenant: &Tenant) {
    let Some(process) = i32::try_from(tenant.process).ok().filter(|process| *process > 0) else { return };
    let process = nix::unistd::Pid::from_raw(process);
    let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM);
    let until = tokio::time::Instant::now() + START;
    while place.tenant().as_ref() == Some(tenant) && tokio::time::Instant::now() < until {
        tokio::time::sleep(LOOK).await;
    }
}
