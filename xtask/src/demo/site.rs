//! The demo's own copy of the example, with its own state, operated by the program a user would type.
#![allow(clippy::disallowed_methods, reason = "the demo's one file that touches the world")]
#![allow(clippy::print_stdout, reason = "the demo shows what happens as it happens")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::demo::Told;
use crate::load::{Settings, Shape};
use crate::workspace::Workspace;

/// How long a killed instance may take to be back.
const BACK: Duration = Duration::from_secs(20);
/// Where nothing of the example that a team would not commit is copied from.
const LEFT_OUT: [&str; 4] = ["compose.production.yaml", "target", "bin", ".env"];

/// The demo's own copy of the example.
pub(super) struct Site {
    workspace: Workspace,
    folder: PathBuf,
    port: u16,
    token: String,
    kept: std::cell::Cell<bool>,
}

/// What a command printed, and its exit code.
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) text: String,
}

impl Site {
    pub(super) fn new(workspace: &Workspace) -> Told<Self> {
        workspace.build(&["seaworthy", "notes"])?;
        let folder = std::env::temp_dir().join(format!("seaworthy-demo-{}", std::process::id()));
        let site = Self {
            workspace: workspace.clone(),
            port: free_port()?,
            token: token()?,
            folder,
            kept: std::cell::Cell::new(false),
        };
        copy(&workspace.root().join("examples/notes"), &site.project())?;
        let values = format!("NOTES_PORT={}\nNOTES_TOKEN={}\n", site.port, site.token);
        write(&site.project().join(".env"), &values)?;
        site.install(1)?;
        println!("The project is in {}", site.project().display());
        Ok(site)
    }

    fn project(&self) -> PathBuf {
        self.folder.join("notes")
    }

    pub(super) fn heading(&self, text: &str) -> Told<()> {
        Ok(writeln!(std::io::stdout(), "\n── {text}")?)
    }

    /// Puts a version of the program in place, as a build does.
    pub(super) fn install(&self, version: u32) -> Told<()> {
        let web = if version == 1 { "notes-web".to_owned() } else { format!("notes-web-v{version}") };
        let programs = [
            (web.as_str(), "notes-web"),
            ("notes-worker", "notes-worker"),
            ("notes-migrate", "notes-migrate"),
        ];
        let bin = self.project().join("bin");
        std::fs::create_dir_all(&bin).map_err(told("make", &bin))?;
        for (from, to) in programs {
            let (from, to) = (self.workspace.program(from), bin.join(to));
            let beside = to.with_extension("new");
            std::fs::copy(&from, &beside).map_err(told("copy", &from))?;
            std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o755))
                .map_err(told("set up", &beside))?;
            std::fs::rename(&beside, &to).map_err(told("rename", &beside))?;
        }
        Ok(())
    }

    /// Lays the example's own overlay over what `harden` wrote, and shows what a person added.
    pub(super) fn add_by_hand(&self) -> Told<()> {
        let name = "compose.production.yaml";
        let hardened =
            std::fs::read_to_string(self.project().join(name)).map_err(told("read", Path::new(name)))?;
        let path = self.workspace.root().join("examples/notes").join(name);
        let whole = std::fs::read_to_string(&path).map_err(told("read", &path))?;
        let diff = similar::TextDiff::from_lines(&hardened, &whole);
        print!(
            "{}",
            diff.unified_diff().context_radius(0).header("what harden wrote", "with the parts by hand")
        );
        write(&self.project().join(name), &whole)
    }

    /// Runs a command, each line shown as it comes.
    pub(super) fn run(&self, arguments: &[&str]) -> Told<Ran> {
        println!("\n$ seaworthy {}", arguments.join(" "));
        let program = self.workspace.program("seaworthy");
        let mut child = Command::new(&program)
            .args(arguments)
            .current_dir(self.project())
            .env("SEAWORTHY_STATE", self.folder.join("state"))
            .env_remove("COMPOSE_FILE")
            .env_remove("COMPOSE_PROJECT_NAME")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(told("run", &program))?;
        let readers = [
            child.stdout.take().map(|pipe| show(Box::new(pipe))),
            child.stderr.take().map(|pipe| show(Box::new(pipe))),
        ];
        let text = readers.into_iter().flatten().map(|reader| reader.join().unwrap_or_default()).collect();
        let status = child.wait().map_err(told("wait for", &program))?;
        Ok(Ran { code: status.code().unwrap_or(-1), text })
    }

    /// Runs a command that must end with this exit code.
    pub(super) fn expect(&self, code: i32, arguments: &[&str]) -> Told<Ran> {
        let ran = self.run(arguments)?;
        if ran.code != 0 {
            println!("(exit code {})", ran.code);
        }
        match ran.code == code {
            true => Ok(ran),
            false => Err(format!(
                "`seaworthy {}` ended with {}, {code} was expected",
                arguments.join(" "),
                ran.code
            )
            .into()),
        }
    }

    pub(super) fn expect_version(&self, version: &str) -> Told<()> {
        let body = crate::load::get_once(self.address(), "/version")?;
        println!("\nGET /version → {body}");
        match body.contains(&format!("\"{version}\"")) {
            true => Ok(()),
            false => Err(format!("version {version} should be served, not {body}").into()),
        }
    }

    /// Prints the page of the failure bundle that a command named.
    pub(super) fn show_bundle(&self, ran: &Ran) -> Told<()> {
        let path =
            ran.text.lines().find_map(|line| line.split_once("is kept in ").map(|(_, path)| path.trim()));
        let path = PathBuf::from(path.ok_or("no failure bundle was named")?).join("README.txt");
        let page = std::fs::read_to_string(&path).map_err(told("read", &path))?;
        println!("\n$ cat {}\n{page}", path.display());
        Ok(())
    }

    /// Kills one instance of `web` with SIGKILL and waits until it is back.
    pub(super) fn kill_an_instance(&self) -> Told<()> {
        let (id, process) = self.instance()?;
        println!("\n$ kill -9 {process}    # {id}");
        let killed = Command::new("kill").args(["-9", &process.to_string()]).status();
        killed.map_err(told("run", Path::new("kill")))?;
        let began = Instant::now();
        loop {
            let (_, now) = self.instance().unwrap_or((String::new(), process));
            if now != process {
                println!("{id} is back as process {now} after {:.1} s", began.elapsed().as_secs_f64());
                return Ok(());
            }
            if began.elapsed() > BACK {
                return Err(format!("{id} did not come back").into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The first running instance of `web`, and its process.
    fn instance(&self) -> Told<(String, u64)> {
        let output = Command::new(self.workspace.program("seaworthy"))
            .args(["ps", "web", "--format", "json"])
            .current_dir(self.project())
            .env("SEAWORTHY_STATE", self.folder.join("state"))
            .output()
            .map_err(told("run", Path::new("seaworthy")))?;
        let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let first = told["instances"].as_array().into_iter().flatten().find(|one| one["id"]["slot"] == 1);
        let first = first.ok_or("no instance of `web` runs")?;
        let process = first["process"].as_u64().ok_or("the instance has no process now")?;
        Ok((format!("web.{}", first["id"]["slot"]), process))
    }

    /// Reads and writes of notes, all of which may be repeated; one request in five by a connection of its own.
    pub(super) fn load(&self, rate: u32) -> Told<Settings> {
        const FRESH_EVERY: u64 = 5;
        let shapes = vec![
            Shape::get("/notes").weight(2),
            Shape::get("/version"),
            Shape::put("/notes/{n}", r#"{"text":"note {n} of the demo"}"#)
                .bearer(&self.token)
                .expects(&[200, 201, 204]),
        ];
        Ok(Settings { rate, fresh_every: FRESH_EVERY, ..Settings::new(self.address(), shapes) })
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub(super) fn keep(&self) -> Told<()> {
        self.kept.set(true);
        println!("\nIt runs on at http://{}/ — to take it down:", self.address());
        let state = self.folder.join("state");
        let program = self.workspace.program("seaworthy");
        println!(
            "  cd {} && SEAWORTHY_STATE={} {} down -y",
            self.project().display(),
            state.display(),
            program.display()
        );
        Ok(())
    }

    /// Nothing of the demo may be left: no process, no port.
    pub(super) fn assert_nothing_left(&self) -> Told<()> {
        let needle = self.folder.to_string_lossy().into_owned();
        let began = Instant::now();
        loop {
            let left: Vec<String> = std::fs::read_dir("/proc")
                .into_iter()
                .flatten()
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
                .filter(|entry| {
                    let text = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    String::from_utf8_lossy(&text).contains(&needle)
                })
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            if left.is_empty() && TcpListener::bind(self.address()).is_ok() {
                println!("\nNothing is left over: no process, no port.");
                return Ok(());
            }
            if began.elapsed() > Duration::from_secs(10) {
                return Err(format!("left over: processes {}", left.join(", ")).into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !self.kept.get() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn show(pipe: Box<dyn Read + Send>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            println!("{line}");
            text.push_str(&line);
            text.push('\n');
        }
        text
    })
}

fn copy(from: &Path, to: &Path) -> Told<()> {
    std::fs::create_dir_all(to).map_err(told("make", to))?;
    for entry in std::fs::read_dir(from).map_err(told("read", from))?.flatten() {
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            std::fs::copy(&from, &to).map_err(told("copy", &from))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Told<()> {
    Ok(std::fs::write(path, text).map_err(told("write", path))?)
}

fn free_port() -> Told<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("no free port: {error}").into())
}

/// A token drawn at random, as a team would.
fn token() -> Told<String> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0u8; 24];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).map_err(told("read", path))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn told(attempt: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("could not {attempt} `{path}`: {error}")
}
