//! `freshet replay`: the live engine and a candidate, judged on what happened. Reads Kafka from outside, writes nothing.
//!
//! | module | what |
//! |---|---|
//! | [`reader`] | the records from one time to another |
//! | [`history`] | records as events in one order, each once |
//! | [`catalogue`] | what products are |
//! | [`report`] | both beside each other |

mod catalogue;
mod history;
mod reader;
mod report;

use std::process::ExitCode;

use anyhow::bail;
use freshet_engine::Config;
use freshet_evaluation::{Dataset, Freshet, Recommender};
use tokio_util::sync::CancellationToken;

use crate::args::{Protocol, ReplayArgs, Usage};
use crate::judge::{self, Judged, Manner};
use crate::kafka::Target;
use crate::stop::INTERRUPTED;
use crate::style::{DIM, WARN, paint};
use crate::{engine_config, kafka};
use reader::Range;
use report::Report;

/// Runs the command.
///
/// # Errors
/// No Kafka, no events in the range, or a file that is not what it should be.
pub(crate) async fn run(args: ReplayArgs, json: bool, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let candidate = engine_config::load(Some(&args.config))?;
    let range = Range { from: args.from, until: args.until };
    if let (Some(from), Some(until)) = (args.from.at_ms(), args.until.and_then(kafka::Since::at_ms))
        && until <= from
    {
        return Err(Usage("--until: expected a time after that of --from".to_owned()).into());
    }
    let target = kafka::find(&args.kafka, args.api.as_deref())?;
    let reading = tokio::task::spawn_blocking({
        let (options, stop) = (target.kafka.clone(), stop.clone());
        move || reader::read(&options, range, &stop)
    });
    let (history, products) = tokio::join!(reading, catalogue(&target));
    let Some(history) = history?? else { return Ok(ExitCode::from(INTERRUPTED)) };
    let (dataset, counts) = history.dataset(products);
    if dataset.events.is_empty() {
        bail!("--from: expected a range with events, got {}", counts.left_out());
    }
    anstream::eprintln!("{}", paint(DIM, report::described(&dataset, counts)));
    let judging = tokio::task::spawn_blocking({
        let (candidate, stop) = (candidate.clone(), stop.clone());
        move || judge_both(&dataset, candidate, &args, &stop).map(|judged| (dataset, judged))
    });
    let (dataset, judged) = judging.await??;
    judged.say_stopped();
    Report::new(&dataset, counts, &Config::default(), &candidate, &judged).print(json)?;
    Ok(if stop.is_cancelled() { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

/// The API's products, where there is an API that answers.
async fn catalogue(target: &Target) -> Vec<freshet_engine::Product> {
    let Some(api) = &target.api else { return Vec::new() };
    match api.products().await {
        Ok(products) => products.iter().map(freshet_store::catalogue::engine_product).collect(),
        Err(error) => {
            let text = format!("no catalogue: {error:#}; products are what events say of them");
            anstream::eprintln!("{}", paint(WARN, text));
            Vec::new()
        }
    }
}

fn judge_both(
    dataset: &Dataset,
    candidate: Config,
    args: &ReplayArgs,
    stop: &CancellationToken,
) -> anyhow::Result<Judged> {
    let contenders = [("live", Config::default()), ("candidate", candidate)].map(|(name, config)| {
        let engine: Box<dyn Recommender> = Box::new(Freshet::new(dataset, config, args.strategy));
        (name.to_owned(), engine)
    });
    let manner = Manner { protocol: Protocol::Prequential, new_only: args.new_only };
    judge::judge(dataset, contenders, manner, stop)
}
