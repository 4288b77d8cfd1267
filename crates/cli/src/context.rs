//! The only place that picks an engine and wires the parts together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seaworthy_engine::docker::{DockerEngine, DockerOptions, DockerPlace, DockerVariables};
use seaworthy_engine::process::{Process, ProcessOptions};
use seaworthy_engine::{Engine, Program};
use seaworthy_project::{Detail, EnvironmentName, Loaded, Project, ProjectName, Request, identify, load};
use seaworthy_release::{
    Clock, FaultPoint, GatewayTraffic, Interrupt, Lock, Operator, Owner, Progress, ReleaseError, StateFolder,
    Store, SystemClock,
};

use crate::arguments::{EngineChoice, Globals};
use crate::error::CommandError;
use crate::interrupts;
use crate::surroundings::{DiskAndInput, Surroundings};
use crate::ui::Ui;

/// How long the gateway may take to start.
const GATEWAY_START: Duration = Duration::from_secs(10);

/// What every command is given.
pub(crate) struct Context {
    pub(crate) surroundings: Surroundings,
    pub(crate) globals: Globals,
    pub(crate) ui: Ui,
}

/// A project's engine, gateway and memory, ready to be operated.
pub(crate) struct Site {
    pub(crate) project: ProjectName,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) traffic: GatewayTraffic,
    pub(crate) store: Store,
    pub(crate) interrupt: Arc<Interrupt>,
    pub(crate) owner: Owner,
    /// Held as long as something may be changed.
    _lock: Option<Lock>,
}

impl Context {
    /// What is to be loaded, as the user said it.
    pub(crate) fn request(&self) -> Result<Request, CommandError> {
        let environment = EnvironmentName::new(&self.globals.environment).map_err(|error| {
            CommandError::new(
                error.to_string(),
                Some("environments are called `production`, `staging`, `development` …"),
            )
        })?;
        let project_name = self.globals.project_name.as_ref().map(ProjectName::new).transpose();
        let project_name = project_name
            .map_err(|error| CommandError::new(error.to_string(), Some("choose another name with `-p`")))?;
        Ok(Request {
            working_directory: self.surroundings.folder.clone(),
            files: self.globals.files.clone(),
            environment,
            env_files: self.globals.env_files.clone(),
            project_name,
            profiles: self.globals.profiles.clone(),
            project_directory: self.globals.project_directory.clone(),
            variables: self.surroundings.variables.clone(),
            detail: Detail::default(),
        })
    }

    /// Loads the project, and shows warnings.
    pub(crate) fn project(&self) -> Result<Project, CommandError> {
        self.project_to(Detail::default())
    }

    /// As [`Context::project`], only as far as asked.
    pub(crate) fn project_to(&self, detail: Detail) -> Result<Project, CommandError> {
        let request = Request { detail, ..self.request()? };
        let loaded = load(&request, &DiskAndInput::new(&self.surroundings, &request));
        self.warnings(&loaded);
        loaded.project.ok_or_else(|| CommandError::problems(loaded.problems, loaded.sources))
    }

    /// Shows what is odd in the files.
    pub(crate) fn warnings(&self, loaded: &Loaded) {
        for warning in &loaded.warnings {
            let place =
                warning.span.map(|span| format!("{}: ", loaded.sources.place(&span))).unwrap_or_default();
            self.ui.warn(&format!("{place}{}", warning.message));
        }
    }

    /// The project as its files say it now, for telling places; `None` when they cannot be read.
    pub(crate) fn project_for_places(&self) -> Option<Project> {
        let request = self.request().ok()?;
        load(&request, &DiskAndInput::new(&self.surroundings, &request)).project
    }

    /// The name of the project, which can be told even when its values cannot be filled in.
    pub(crate) fn project_name(&self) -> Result<ProjectName, CommandError> {
        let request = self.request()?;
        identify(&request, &DiskAndInput::new(&self.surroundings, &request))
            .map_err(|loaded| CommandError::problems(loaded.problems, loaded.sources))
    }

    /// The project's parts, for changing things: the lock is taken, or the command ends.
    pub(crate) fn site_to_change(
        &self,
        name: &ProjectName,
        project: Option<&Project>,
        command: &str,
    ) -> Result<Site, CommandError> {
        let state = StateFolder::open(self.surroundings.state_folder())?;
        let owner = Owner {
            command: command.to_owned(),
            process: std::process::id(),
            user: self.surroundings.user(),
            since: SystemClock.now(),
        };
        let folder = state.project(name);
        // Only a deploy begins a project; a name that was mistyped must not look like one.
        if project.is_none() && !Store::path_in(&folder).is_file() {
            return Err(ReleaseError::NeverDeployed { project: name.to_string() }.into());
        }
        let lock = Lock::take(&folder, &owner)?;
        let store = Store::open(&folder, state.key()?, self.fault())?;
        self.site(name, project, &state, store, owner, Some(lock))
    }

    /// The project's parts, for looking; `None` when it was never deployed here.
    pub(crate) fn site_to_look(&self, name: &ProjectName) -> Result<Option<Site>, CommandError> {
        self.site_there(name, None)
    }

    fn site_there(
        &self,
        name: &ProjectName,
        project: Option<&Project>,
    ) -> Result<Option<Site>, CommandError> {
        let state = StateFolder::existing(self.surroundings.state_folder());
        let folder = state.project(name);
        let path = Store::path_in(&folder);
        let there = path.try_exists().map_err(|error| {
            let text = format!("could not look at `{}`: {error}", path.display());
            CommandError::new(text, Some("run it as the user who deploys, or set `SEAWORTHY_STATE`"))
        })?;
        if !there {
            return Ok(None);
        }
        let owner =
            Owner { command: String::new(), process: 0, user: String::new(), since: SystemClock.now() };
        let Some(store) = Store::open_existing(&folder, state.key()?)? else { return Ok(None) };
        self.site(name, project, &state, store, owner, None).map(Some)
    }

    /// The project's parts, for looking; an error when it was never deployed here.
    pub(crate) fn site_that_is(&self, name: &ProjectName) -> Result<Site, CommandError> {
        let never = || ReleaseError::NeverDeployed { project: name.to_string() };
        Ok(self.site_to_look(name)?.ok_or_else(never)?)
    }

    /// The project's parts, for planning: what is not there yet is imagined, nothing is made.
    pub(crate) fn site_to_plan(&self, project: &Project) -> Result<Site, CommandError> {
        if let Some(site) = self.site_there(&project.name, Some(project))? {
            return Ok(site);
        }
        let state = StateFolder::existing(self.surroundings.state_folder());
        let store = Store::imagined(&state.project(&project.name))?;
        let owner =
            Owner { command: String::new(), process: 0, user: String::new(), since: SystemClock.now() };
        self.site(&project.name, Some(project), &state, store, owner, None)
    }

    fn site(
        &self,
        name: &ProjectName,
        project: Option<&Project>,
        state: &StateFolder,
        store: Store,
        owner: Owner,
        lock: Option<Lock>,
    ) -> Result<Site, CommandError> {
        self.is_of_this_environment(name, &store)?;
        let engine = self.engine(state, &store, project)?;
        Ok(Site {
            project: name.clone(),
            traffic: self.traffic(state),
            engine,
            store,
            interrupt: Arc::new(Interrupt::default()),
            owner,
            _lock: lock,
        })
    }

    /// `shop-staging` is the project `shop` in staging, or a project of that name in development: who means one of them must
    /// not reach the other.
    fn is_of_this_environment(&self, name: &ProjectName, store: &Store) -> Result<(), CommandError> {
        let asked = self.request()?.canonical_environment();
        match store.environment()? {
            Some(recorded) if recorded != asked.as_str() => {
                let (project, asked) = (name.to_string(), asked.to_string());
                Err(ReleaseError::OtherEnvironment { project, recorded, asked }.into())
            }
            _ => Ok(()),
        }
    }

    /// The gateway of this host's state folder.
    pub(crate) fn traffic(&self, state: &StateFolder) -> GatewayTraffic {
        let companion = crate::guard::is_wanted(&self.surroundings);
        GatewayTraffic::new(state.root(), self.gateway_program(state.root(), companion), GATEWAY_START)
    }

    /// This program, playing the gateway's processes.
    pub(crate) fn gateway_program(&self, state: &Path, companion: bool) -> seaworthy_gateway::Program {
        // The gateway outlives all else, so it keeps the agent alive, as the agent does the gateway.
        let agent = ["agent", "run", "--wait", "--detached", "--state"].map(str::to_owned);
        let state = state.display().to_string();
        seaworthy_gateway::Program {
            path: self.surroundings.program.clone(),
            arguments: vec!["gateway".to_owned()],
            companion: if companion { agent.into_iter().chain([state]).collect() } else { Vec::new() },
        }
    }

    /// The engine: the one asked for, else the one the project was deployed on, else the one that fits.
    pub(crate) fn engine(
        &self,
        state: &StateFolder,
        store: &Store,
        project: Option<&Project>,
    ) -> Result<Arc<dyn Engine>, CommandError> {
        let recorded = store.engine()?;
        let asked = match self.globals.engine {
            EngineChoice::Process => Some("process"),
            EngineChoice::Docker => Some("docker"),
            EngineChoice::Kubernetes => Some("kubernetes"),
            EngineChoice::Auto => None,
        };
        if let (Some(recorded), Some(asked)) = (&recorded, asked)
            && recorded != asked
        {
            let project = store.folder().file_name().unwrap_or_default().to_string_lossy().into_owned();
            let error =
                ReleaseError::OtherEngine { project, recorded: recorded.clone(), asked: asked.to_owned() };
            return Err(error.into());
        }
        // What was taken down goes back to where its releases are kept; a deploy may begin elsewhere.
        let before = if project.is_none() { store.engine_before()? } else { None };
        match asked.or(recorded.as_deref()).or(before.as_deref()) {
            Some("process") => self.process(state, store),
            Some("docker") => Ok(Arc::new(self.docker(state)?)),
            Some(other) => Err(CommandError::new(
                format!("engine `{other}` is not carried yet"),
                Some(
                    "use `--engine docker`, or `--engine process` for services that say how with `x-seaworthy.process`",
                ),
            )),
            None => match project.and_then(without_process) {
                None => self.process(state, store),
                Some(_) if self.docker_place()?.answers() => Ok(Arc::new(self.docker(state)?)),
                Some(service) => Err(CommandError::new(
                    format!(
                        "service `{service}` does not say how it runs as a plain process, and no Docker Engine answers"
                    ),
                    Some(
                        "start Docker, or say where it is with `DOCKER_HOST`; or add `x-seaworthy: { process: { command: [\"./program\"] } }` to the service",
                    ),
                )),
            },
        }
    }

    /// The docker engine of this state folder. Nothing is asked of the daemon before it is needed.
    pub(crate) fn docker(&self, state: &StateFolder) -> Result<DockerEngine, CommandError> {
        Ok(DockerEngine::new(DockerOptions {
            state: state.root().join("docker"),
            runtime: self.runtime_folder(state.root()),
            place: self.docker_place()?,
            configuration: self.docker_configuration(),
            search_path: self.search_path(),
            home: self.surroundings.variable("HOME").map(PathBuf::from),
            answer: self.docker_answer()?,
        }))
    }

    /// How long the daemon may take to begin an answer: `DOCKER_CLIENT_TIMEOUT`, in seconds.
    fn docker_answer(&self) -> Result<Duration, CommandError> {
        let Some(said) = self.surroundings.variable("DOCKER_CLIENT_TIMEOUT").filter(|said| !said.is_empty())
        else {
            return Ok(DockerOptions::ANSWER);
        };
        let seconds = said.parse::<u32>().ok().filter(|seconds| *seconds > 0);
        seconds.map(|seconds| Duration::from_secs(seconds.into())).ok_or_else(|| {
            CommandError::new(
                format!("`DOCKER_CLIENT_TIMEOUT` is `{said}`, which is no number of seconds"),
                Some("write whole seconds, such as `300`, or take the variable away"),
            )
        })
    }

    /// Docker's own folder of settings.
    fn docker_configuration(&self) -> Option<PathBuf> {
        let home = || Some(Path::new(self.surroundings.variable("HOME")?).join(".docker"));
        self.surroundings.variable("DOCKER_CONFIG").map(PathBuf::from).or_else(home)
    }

    fn docker_place(&self) -> Result<DockerPlace, CommandError> {
        let variable = |name: &str| self.surroundings.variable(name);
        let variables = DockerVariables {
            host: variable("DOCKER_HOST").map(str::to_owned),
            context: variable("DOCKER_CONTEXT").map(str::to_owned),
            encrypted: ["DOCKER_TLS_VERIFY", "DOCKER_TLS", "DOCKER_CERT_PATH"]
                .iter()
                .any(|name| variable(name).is_some_and(|said| !said.is_empty())),
            certificates: variable("DOCKER_CERT_PATH").filter(|said| !said.is_empty()).map(PathBuf::from),
            agent: variable("SSH_AUTH_SOCK").map(PathBuf::from),
        };
        Ok(DockerPlace::find(&variables, self.docker_configuration().as_deref())?)
    }

    fn search_path(&self) -> String {
        self.surroundings.variable("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin").to_owned()
    }

    fn process(&self, state: &StateFolder, store: &Store) -> Result<Arc<dyn Engine>, CommandError> {
        let options = ProcessOptions {
            state: state.root().join("process"),
            runtime: self.runtime_folder(state.root()),
            program: Program { path: self.surroundings.program.clone(), arguments: vec!["shim".to_owned()] },
            key: store.key().clone(),
            search_path: self.search_path(),
            home: self.surroundings.variable("HOME").map(PathBuf::from),
        };
        Ok(Arc::new(Process::new(options)))
    }

    /// A folder in memory of this state folder alone.
    fn runtime_folder(&self, state: &Path) -> PathBuf {
        let name: String = state
            .to_string_lossy()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        self.surroundings.runtime_folder().join(name.trim_matches('-'))
    }

    /// A fault that a test asks for; release builds have none.
    fn fault(&self) -> FaultPoint {
        let lines = self.surroundings.variable("SEAWORTHY_TEST_KILL_AFTER_LINES");
        match lines.and_then(|lines| lines.parse().ok()) {
            Some(lines) => FaultPoint::kill_after(lines),
            None => FaultPoint::default(),
        }
    }
}

impl Site {
    /// Who operates the project, telling `progress`.
    pub(crate) fn operator<'a>(&'a self, progress: &'a dyn Progress) -> Operator<'a> {
        Operator {
            project: self.project.clone(),
            engine: self.engine.as_ref(),
            traffic: &self.traffic,
            store: &self.store,
            clock: &SystemClock,
            progress,
            interrupt: self.interrupt.clone(),
            owner: self.owner.clone(),
        }
    }

    /// Lets Ctrl-C and SIGTERM ask for a stop at the next safe point; a second one ends the program at once.
    pub(crate) fn listen_for_interrupts(&self) {
        interrupts::listen_for_interrupts(self.interrupt.clone());
    }
}

/// The first service that does not say how it runs as a plain process.
fn without_process(project: &Project) -> Option<&seaworthy_project::ServiceName> {
    let silent = project.services().find(|service| service.settings.process.is_none());
    silent.map(|service| &service.name.value)
}
