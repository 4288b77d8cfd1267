//! `bench deploy`: what a deploy costs beyond what its containers need, and how long it takes to look at many of them.
#![expect(clippy::disallowed_methods, reason = "a bench measures by the real clock")]

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::rollout::site::{Site, docker, ended, wait_until};
use crate::compose;
use crate::workspace::Workspace;

type Told<T> = Result<T, Box<dyn Error>>;

/// The services of the project that is deployed.
const SERVICES: [&str; 3] = ["web", "api", "mail"];
/// A deploy costs at most so many times what the containers need.
const OVERHEAD: f64 = 1.2;
/// A deploy of what runs already, and `status` of 200 containers, take at most so long.
const SOON: Duration = Duration::from_secs(1);
/// Up to so many containers that goal counts.
const MANY: usize = 200;

/// Measure deploys beside plain containers, and `status` of many
#[derive(Debug, clap::Args)]
pub(super) struct DeployArguments {
    /// How often each is measured; the median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Numbers of containers that `status` is asked about; 0 leaves it out
    #[arg(long, value_delimiter = ',', default_value = "20,50")]
    containers: Vec<usize>,
    /// The program `docker-compose` to compare with; else `SEAWORTHY_COMPOSE` or the one that was fetched before
    #[arg(long, value_name = "PATH")]
    compose: Option<PathBuf>,
}

pub(super) fn deploy(
    workspace: &Workspace,
    arguments: &DeployArguments,
    output: &mut dyn Write,
) -> Told<bool> {
    let real = match &arguments.compose {
        Some(path) => Some(path.clone()),
        None => compose::COMPOSE.program(workspace, false, output).ok(),
    };
    let site = Site::new(workspace)?;
    let runs = arguments.runs.max(1);
    let mut holds = overhead(&site, runs, output)?;
    writeln!(output, "\n| containers | `status` (ms) | `docker compose ps` (ms) |\n| --- | --- | --- |")?;
    for count in arguments.containers.iter().filter(|count| **count > 0) {
        let (ours, theirs) = looking(&site, *count, runs, real.as_ref())?;
        let theirs = theirs.map_or_else(|| "—".to_owned(), |time| milliseconds(time).to_string());
        writeln!(output, "| {count} | {} | {theirs} |", milliseconds(ours))?;
        if *count <= MANY && ours > SOON {
            holds = false;
            writeln!(output, "goal missed: `status` within {} ms", SOON.as_millis())?;
        }
    }
    Ok(holds)
}

/// Deploys three services, and starts the same containers by hand, in turn.
fn overhead(site: &Site, runs: usize, output: &mut dyn Write) -> Told<bool> {
    let image = format!("{}:hand", site.name());
    docker(&["build", "--quiet", "--tag", &image, &site.project().join("image").display().to_string()])?;
    let services: String = SERVICES.iter().map(|name| service(name, &image, 1, "web")).collect();
    site.write("compose.yaml", &file(site, &services))?;
    let (mut deploys, mut unchanged, mut hands) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        hands.push(by_hand(site, &image)?);
        deploys.push(timed(|| site.expect(0, &["deploy", "-y"]))?);
        unchanged.push(timed(|| site.expect(0, &["deploy", "-y"]))?);
        site.down()?;
    }
    let [deploys, unchanged, hands] = [deploys, unchanged, hands].map(median);
    let times = deploys.as_secs_f64() / hands.as_secs_f64();
    writeln!(output, "\n| three services | ms |\n| --- | --- |")?;
    writeln!(output, "| `docker run` of each, until all are ready | {} |", milliseconds(hands))?;
    writeln!(output, "| `deploy` | {} ({times:.2} times) |", milliseconds(deploys))?;
    writeln!(output, "| `deploy` again, nothing changed | {} |", milliseconds(unchanged))?;
    for (missed, goal) in
        [(times > OVERHEAD, "1.2 times"), (unchanged > SOON, "an unchanged deploy within 1 s")]
    {
        if missed {
            writeln!(output, "goal missed: {goal}")?;
        }
    }
    Ok(times <= OVERHEAD && unchanged <= SOON)
}

fn file(site: &Site, services: &str) -> String {
    format!(
        "name: {}\nservices:\n{services}x-seaworthy:\n  rollout: {{ ready_deadline: 20s, min_healthy: 0s, drain: 5s }}\n",
        site.name()
    )
}

/// A service of the sample that answers, or one that only waits.
fn service(name: &str, image: &str, replicas: usize, role: &str) -> String {
    let (ports, probe) = match role {
        "web" => ("    expose: [\"8080\"]\n", "    x-seaworthy: { probe: { ready: GET /ready } }\n"),
        _ => ("", ""),
    };
    format!(
        "  {name}:\n    image: {image}\n    environment: {{ ROLE: {role}, PORT: \"8080\", LISTEN: 0.0.0.0 }}\n{ports}    \
         stop_grace_period: 0s\n    deploy: {{ replicas: {replicas} }}\n{probe}"
    )
}

/// Runs the containers with `docker run`, and asks each until it answers.
fn by_hand(site: &Site, image: &str) -> Told<Duration> {
    let network = &format!("{}-hand", site.name());
    docker(&["network", "create", network])?;
    let names: Vec<String> = SERVICES.iter().map(|name| format!("{}-hand-{name}", site.name())).collect();
    let taken = timed(|| {
        for name in &names {
            docker(&[
                "run",
                "-d",
                "--network",
                network,
                "--name",
                name,
                "-e",
                "PORT=8080",
                "-e",
                "LISTEN=0.0.0.0",
                image,
            ])?;
        }
        names.iter().try_for_each(|name| {
            let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
            let address = docker(&["inspect", "--format", format, name])?.concat();
            wait_until("it is ready", || std::net::TcpStream::connect(format!("{address}:8080")).is_ok())
        })
    });
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    docker(&[&["rm", "-f"], names.as_slice()].concat())?;
    docker(&["network", "rm", network])?;
    taken
}

/// `status` and `docker compose ps` of a project with so many containers.
fn looking(
    site: &Site,
    count: usize,
    runs: usize,
    real: Option<&PathBuf>,
) -> Told<(Duration, Option<Duration>)> {
    let image = format!("{}:hand", site.name());
    site.write("compose.yaml", &file(site, &service("many", &image, count, "worker")))?;
    site.expect(0, &["deploy", "-y"])?;
    let project = format!("{}-production", site.name());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(timed(|| site.expect(0, &["status"]))?);
        if let Some(real) = real {
            theirs.push(timed(|| {
                let output =
                    Command::new(real).args(["-p", &project, "ps"]).current_dir(site.project()).output()?;
                ended("docker compose ps", 0, &output)
            })?);
        }
    }
    site.down()?;
    Ok((median(ours), real.map(|_| median(theirs))))
}

fn timed(work: impl FnOnce() -> Told<()>) -> Told<Duration> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> u128 {
    time.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let times = [5, 1, 3].map(Duration::from_secs).to_vec();
        assert_eq!(median(times), Duration::from_secs(3));
        assert_eq!(median(Vec::new()), Duration::ZERO);
    }
}
