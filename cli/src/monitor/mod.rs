//! `freshet monitor`: the stream, watched from outside.
//!
//! | module | what |
//! |---|---|
//! | [`reader`] | its topics, read in nobody's group |
//! | [`incoming`] | a record, as far as it is shown |
//! | [`join`] | events beside the lists they caused |
//! | [`state`] | all that is known |
//! | [`figures`] | rates, latency, precision: the API's own |
//! | [`lag`], [`names`] | what is asked for now and then |
//! | [`line`], [`text`], [`filter`], [`clock`] | a happening as one line, fit for a terminal |
//! | [`lines`] | lines for pipes |
//! | [`tui`] | panes for people |

mod clock;
mod figures;
mod filter;
mod incoming;
mod join;
mod lag;
mod line;
mod lines;
mod names;
mod reader;
mod state;
mod text;
mod tui;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use freshet_stream::groups::GroupState;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::args::MonitorArgs;
use crate::kafka::{self, Since};
use crate::output;
use filter::Filter;
use line::Line;
use names::Name;
use reader::News;
use state::State;

pub(crate) use clock::Clock;
pub(crate) use text::{clean, width};

/// All that tells the monitor something.
struct Sources {
    news: mpsc::Receiver<News>,
    lag: mpsc::Receiver<Vec<GroupState>>,
    names: Option<mpsc::Receiver<Vec<(String, Name)>>>,
    stop: CancellationToken,
}

/// What one of them told.
enum Told {
    News(News),
    Lag(Vec<GroupState>),
    Names(Vec<(String, Name)>),
    /// The reader is gone.
    End,
    /// Somebody wants it to stop.
    Stop,
    Nothing,
}

impl Sources {
    /// What is told next. Losing the race loses nothing.
    async fn next(&mut self) -> Told {
        let names = async {
            match &mut self.names {
                Some(names) => names.recv().await,
                None => None,
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Told::Stop,
            Some(names) = names => Told::Names(names),
            Some(groups) = self.lag.recv() => Told::Lag(groups),
            news = self.news.recv() => news.map_or(Told::End, Told::News),
        }
    }
}

/// Takes it in; the lines that are complete now.
///
/// # Errors
/// The reader is gone.
fn apply(state: &mut State, told: Told, now: Instant) -> anyhow::Result<Vec<Line>> {
    match told {
        Told::News(news) => return Ok(state.apply(news, now)),
        Told::Lag(groups) => state.groups = groups,
        Told::Names(names) => state.learn(&names),
        Told::End => bail!("the reader of the topics has ended"),
        Told::Stop | Told::Nothing => {}
    }
    Ok(Vec::new())
}

/// Runs the command.
///
/// # Errors
/// There is no such Kafka, or nothing to write to.
pub(crate) async fn run(
    args: MonitorArgs,
    json: bool,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let target = kafka::find(&args.kafka, args.api.as_deref())?;
    let brokers = target.kafka.bootstrap_servers.clone();
    let spinner = output::spinner(format!("connecting to {brokers}"));
    let (options, since) = (target.kafka.clone(), args.from.unwrap_or(Since::Now));
    let connecting = tokio::task::spawn_blocking(move || reader::start(&options, since));
    let connected = tokio::select! {
        connected = connecting => connected,
        () = stop.cancelled() => {
            spinner.finish_and_clear();
            return Ok(ExitCode::SUCCESS);
        }
    };
    spinner.finish_and_clear();
    let reader = connected??;
    let state = State::new(reader.whole_history);
    let sources = Sources {
        news: reader.news,
        lag: lag::follow(target.kafka, lag::groups(&args.stack), stop.clone()),
        names: target.api.map(|api| names::follow(api, stop.clone())),
        stop: stop.clone(),
    };
    let clock = if args.utc { Clock(time::UtcOffset::UTC) } else { clock };
    let user = args.user.unwrap_or_default();
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if json || args.plain || dumb || !std::io::stdout().is_terminal() {
        let figures = Duration::from_secs(args.figures);
        lines::run(state, sources, lines::Manner { json, clock, filter: Filter::new(&user), figures }, &brokers)
            .await?;
    } else {
        tui::run(state, sources, tui::Setup { brokers, clock, user }).await?;
    }
    // Nobody waits for the reader: it ends with its next look at the closed channel, or with the process.
    drop(reader.thread);
    Ok(ExitCode::SUCCESS)
}
