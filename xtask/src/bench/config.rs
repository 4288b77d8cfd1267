//! `bench config`: loading projects of growing size, beside Docker Compose.

mod project;
mod table;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use crate::bench::measure;
use crate::workspace::Workspace;
use table::Row;

/// Above so many services one run takes so long that chance hardly shows.
const LARGE: usize = 1_000;
/// The runs above [`LARGE`].
const LARGE_RUNS: usize = 3;

/// Load projects of 1 to 10,000 services
#[derive(Debug, clap::Args)]
pub(super) struct ConfigArguments {
    /// The program `docker-compose` to compare with; without it only our own figures are printed
    #[arg(long, value_name = "PATH")]
    compose: Option<PathBuf>,
    /// How often each project is loaded; the median counts
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Numbers of services
    #[arg(long, value_delimiter = ',', default_value = "9,1,10,100,1000,2500,5000,10000")]
    services: Vec<usize>,
    /// The most services that Docker Compose is given: it needs minutes for more
    #[arg(long, default_value_t = 2_500)]
    compose_at_most: usize,
}

pub(super) fn config(
    workspace: &Workspace,
    arguments: &ConfigArguments,
    output: &mut dyn Write,
) -> Result<bool, Box<dyn Error>> {
    let program = workspace.build_release("seaworthy")?;
    let program = program.to_str().ok_or("the path of the built program is not text.")?;
    let compose = arguments.compose.as_deref().map(|path| path.to_str().ok_or("`--compose` is not text."));
    let compose = compose.transpose()?;
    let folder = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for services in &arguments.services {
        let project = folder.path().join(services.to_string());
        project::write(&project, *services)?;
        let runs = if *services > LARGE { arguments.runs.min(LARGE_RUNS) } else { arguments.runs }.max(1);
        let compose = compose.filter(|_| *services <= arguments.compose_at_most);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        // In turn, so that what else the machine does meanwhile meets both.
        for _ in 0..runs {
            ours.push(measure::run(&project, &[program, "-e", "development", "config"])?);
            if let Some(compose) = compose {
                theirs.push(measure::run(&project, &[compose, "config"])?);
            }
        }
        let Some(own) = measure::median(ours) else { continue };
        rows.push(Row { services: *services, own, compose: measure::median(theirs) });
        writeln!(output, "{}", rows.last().map(ToString::to_string).unwrap_or_default())?;
    }
    write!(output, "\n{}", table::table(&rows))?;
    let missed = table::missed(&rows);
    for goal in &missed {
        writeln!(output, "goal missed: {goal}")?;
    }
    Ok(missed.is_empty())
}
