//! `freshet evaluate`: how well the engine foretells what people do next, on a data set.
//!
//! | module | what |
//! |---|---|
//! | [`report`] | what is said of it |

mod report;

use std::path::Path;
use std::process::ExitCode;

use freshet_engine::Config;
use freshet_evaluation::{Dataset, Distance, Freshet, Options, Recommender, peers};
use tokio_util::sync::CancellationToken;

use crate::args::{EvaluateArgs, Usage};
use crate::judge::{self, Judged, Manner};
use crate::stop::INTERRUPTED;
use crate::style::{DIM, paint};
use crate::{engine_config, output};

/// Runs the command.
///
/// # Errors
/// A file that can't be read or is not what it should be: which one, where, what was expected and what came.
pub(crate) async fn run(args: EvaluateArgs, json: bool, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let config = engine_config::load(args.config.as_deref())?;
    if args.print_config {
        print!("{}", engine_config::print(&config));
        return Ok(ExitCode::SUCCESS);
    }
    let Some(file) = args.file.clone() else { return Err(Usage("FILE: expected a CSV file".to_owned()).into()) };
    let (compare, stopping) = (args.compare, stop.clone());
    let judged = tokio::task::spawn_blocking(move || judge_file(&args, &file, config, &stopping)).await??;
    if let Some(judged) = judged {
        report::print(&judged, compare, json)?;
    }
    Ok(if stop.is_cancelled() { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

/// Reads and judges; `None`: stopped before there was any figure.
fn judge_file(
    args: &EvaluateArgs,
    file: &Path,
    config: Config,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Judged>> {
    let spinner = output::spinner(format!("reading {}", file.display()));
    let options =
        Options { items: args.items.clone(), order: args.order, limit: args.limit.map(|limit| limit as usize) };
    let dataset = Dataset::open(file, &options);
    spinner.finish_and_clear();
    let dataset = dataset?;
    if stop.is_cancelled() {
        return Ok(None);
    }
    anstream::eprintln!("{}", paint(DIM, report::described(&dataset)));
    let distance = Distance { partitions: args.partitions, late: args.late as usize };
    let ours = Freshet::apart(&dataset, config, args.strategy, distance);
    let peers = if args.compare { peers::all(&dataset) } else { Vec::new() };
    let contenders = std::iter::once(Box::new(ours) as Box<dyn Recommender>).chain(peers);
    let contenders = contenders.map(|recommender| (recommender.name().to_owned(), recommender));
    let manner = Manner { protocol: args.protocol, new_only: args.new_only };
    judge::judge(&dataset, contenders, manner, stop).map(Some)
}
